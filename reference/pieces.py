"""The declarations that the recompute rests on: the pieces of a shop that say what its numbers mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from profiles.windows import Window, parse_length
from reference.measure import FUNCTIONS, Measure, measure_of
from rfm.model import RfmModel
from rules.parse import parse
from rules.syntax import Binary, Call, Literal, Name, Node, walk
from streams.contract.source import Source
from streams.errors import InputError
from tags.tag import Tag
from triggers.life import in_force
from triggers.trigger import Trigger


class ShopSettings(Protocol):
    """What the reference reads of a shop's settings."""

    @property
    def zone(self) -> str: ...
    @property
    def groups(self) -> dict[str, list[str]]: ...


class ShopLike(Protocol):
    """What the reference reads of a shop (`app.shop.Shop` has it)."""

    @property
    def settings(self) -> ShopSettings: ...
    @property
    def sources(self) -> dict[str, Source]: ...
    @property
    def metrics(self) -> dict[str, str]: ...
    @property
    def rfm(self) -> list[RfmModel]: ...
    @property
    def tags(self) -> dict[str, Tag]: ...


@dataclass(frozen=True)
class Terms:
    """The measures of one RFM model, all over its window (R1).

    ``orders``: the frequency; ``latest``: the last event minute of the very rows it counts;
    ``money``: (sign, sum) terms of the monetary value.
    """

    orders: Measure
    latest: Measure
    money: tuple[tuple[int, Measure], ...]


@dataclass(frozen=True)
class Pieces:
    """Sources, metrics, RFM models, tags, groups, and the zone of calendar windows.

    ``triggers`` only matter for the metrics their conditions need: rows are kept for those as well (W3).
    """

    zone: str = "UTC"
    sources: Mapping[str, Source] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    models: Sequence[RfmModel] = ()
    tags: Mapping[str, Tag] = field(default_factory=dict)
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    triggers: Mapping[str, Trigger] = field(default_factory=dict)

    @classmethod
    def of(cls, shop: ShopLike, triggers: Mapping[str, Trigger] | None = None) -> Pieces:
        """Return the pieces of a shop; of triggers, those that are in force."""
        zone, groups = shop.settings.zone, shop.settings.groups
        return cls(zone, shop.sources, shop.metrics, shop.rfm, shop.tags, groups, in_force(triggers or {}))

    @cached_property
    def rules(self) -> dict[str, Node]:
        """Tag name to the syntax tree of its rule; tags without a rule are absent."""
        return {name: parse(tag.rule) for name, tag in self.tags.items() if tag.rule is not None}

    @cached_property
    def declared(self) -> dict[str, Node]:
        """Declared metric name to the syntax tree of its expression."""
        return {name: parse(text) for name, text in self.metrics.items()}

    @cached_property
    def attributes(self) -> dict[str, Measure]:
        """Customer attribute to the measure that holds it: the newest row's value (``last`` over all)."""
        found = {}
        for name, source in self.sources.items():
            for column, declared in source.columns.items():
                if declared.attribute:
                    call = Call("last", (Name((name, column)),))
                    found[declared.attribute] = measure_of(call)
        return found

    @cached_property
    def terms(self) -> dict[str, Terms]:
        """RFM model name to its measures."""
        return {model.name: _terms(model) for model in self.models}

    @cached_property
    def where(self) -> dict[str, Node]:
        """Source name to the tree of its ``where``; rows it is false for are not kept."""
        return {name: parse(source.where) for name, source in self.sources.items() if source.where}

    @cached_property
    def metrics_used(self) -> list[Measure]:
        """The metrics of attributes, tag rules and declared metrics, each once (M3), ordered by text."""
        found = set(self.attributes.values())
        for tree in (*self.rules.values(), *self.declared.values()):
            found |= set(measures_in(tree))
        return sorted(found, key=str)

    @cached_property
    def measures(self) -> list[Measure]:
        """Every metric that anything needs, RFM models and trigger conditions too: they keep rows (W3)."""
        found = set(self.metrics_used)
        for terms in self.terms.values():
            found |= {terms.orders, terms.latest, *(measure for _, measure in terms.money)}
        for trigger in self.triggers.values():
            if trigger.condition:
                found |= set(measures_in(parse(trigger.condition)))
            for text in trigger.action.values.values():
                found |= set(measures_in(parse(text)))
            found |= _watched(trigger)
        return sorted(found, key=str)

    @cached_property
    def models_read(self) -> list[RfmModel]:
        """The RFM models that some tag's rule reads, through declared metrics or by itself."""
        read = {name.parts[0] for name in self._names_read() if len(name.parts) == 2}
        return [model for model in self.models if model.name in read]

    def recency_edges(self, source: str) -> list[int]:
        """Return after how many minutes a counted order of ``source`` changes what rules read of recency.

        Those are the whole numbers in rules that name a recency, and the recency cuts of method ``fixed``.
        """
        found: set[int] = set()
        for model in self.models:
            if self.terms[model.name].orders.source == source:
                limits = set(model.fixed.recency) if model.fixed else set()
                for tree in (*self.rules.values(), *self.declared.values()):
                    nodes = [node for node, _ in walk(tree)]
                    if Name((model.name, "recency")) in nodes:
                        literals = (node.value for node in nodes if isinstance(node, Literal))
                        limits |= {value for value in literals if type(value) is int}
                unit = 1440 if model.recency_unit == "day" else 1
                found |= {unit * edge for limit in limits for edge in (limit, limit + 1)}
        return sorted(found)

    def _names_read(self) -> Iterator[Name]:
        for tree in (*self.rules.values(), *self.declared.values()):
            for node, _ in walk(tree):
                if isinstance(node, Name):
                    yield node

    def tags_read_by(self, name: str) -> set[str]:
        """Return the tags whose membership a tag's rule reads."""
        tree = self.rules.get(name)
        return set(tags_in(tree)) if tree else set()


def _watched(trigger: Trigger) -> set[Measure]:
    """Return what keeps the rows that an absence looks at: while it may be acted upon, and in the minute in
    which it is refused as too old (D1, D4)."""
    absence = trigger.when.absence
    if absence is None:
        return set()
    within, age = parse_length(absence.within), parse_length(trigger.guards.max_age)
    return {
        Measure(
            "count",
            event.source,
            None,
            Window("trailing", within + age + 3),
            parse(event.where) if event.where else None,
        )
        for event in (absence.after, absence.of)
    }


def measures_in(tree: Node) -> Iterator[Measure]:
    """Yield the metrics written inside a tree."""
    for node, _ in walk(tree):
        if isinstance(node, Call) and node.name in FUNCTIONS:
            yield measure_of(node)


def names_in(tree: Node) -> list[str]:
    """Return the columns that a row's condition names, each once."""
    return sorted({str(node.parts[0]) for node, _ in walk(tree) if isinstance(node, Name)})


def tags_in(tree: Node) -> Iterator[str]:
    """Yield the tags whose membership a tree reads."""
    for node, _ in walk(tree):
        if (tag := tag_read(node)) is not None:
            yield tag


def tag_read(node: Node) -> str | None:
    """Return the tag that ``"tag" in tags`` names, None for any other node."""
    match node:
        case Binary(op="in", left=Literal(value=str(tag)), right=Name(parts=("tags",))):
            return tag
    return None


def _terms(model: RfmModel) -> Terms:
    frequency = parse(model.frequency)
    if not isinstance(frequency, Call) or frequency.name not in ("count", "distinct"):
        where, hint = f"rfm model '{model.name}'", "write it as count(orders)"
        raise InputError(where, "frequency must be a count or distinct metric", hint)
    orders = measure_of(frequency, model.window)
    latest = Measure("last", orders.source, None, orders.window, orders.filter)
    if orders.column:
        # the rows that distinct counts are those that have a value (M2)
        valued = Call("has", (Name((orders.column,)),))
        passing = Binary("&&", orders.filter, valued) if orders.filter else valued
        latest = Measure("last", orders.source, None, orders.window, passing)
    return Terms(orders, latest, tuple(_money(parse(model.monetary), 1, model)))


def _money(node: Node, sign: int, model: RfmModel) -> Iterator[tuple[int, Measure]]:
    if isinstance(node, Binary) and node.op in "+-":
        yield from _money(node.left, sign, model)
        yield from _money(node.right, sign if node.op == "+" else -sign, model)
    elif isinstance(node, Call) and node.name == "sum":
        yield sign, measure_of(node, model.window)
    else:
        where, hint = f"rfm model '{model.name}'", "write it as sum(orders.amount) - sum(refunds.amount)"
        raise InputError(where, "monetary must be sums joined by + and -", hint)
