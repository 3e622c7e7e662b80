"""What a rule may name: the declared sources, attributes, metrics, RFM models and tags of a shop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rfm.model import VALUE_GROUPS, RfmModel
from rules.error import RuleError
from rules.metric import ALL, MetricSpec
from rules.write import write_literal
from streams.contract.source import Column, Source

# words that stand for something else in a rule
TAKEN = ("customer", "row", "tags", "true", "false", "null", "in")


@dataclass(frozen=True)
class Schema:
    """The names of a shop; `Schema.build` makes one.

    ``metrics``: name to expression. ``attributes``: customer attribute to the metric that holds it, the
    last value of its column (a column with ``attribute``).
    """

    sources: Mapping[str, Source]
    metrics: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, RfmModel] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()
    attributes: Mapping[str, MetricSpec] = field(default_factory=dict)

    @classmethod
    def build(
        cls,
        sources: Mapping[str, Source],
        metrics: Mapping[str, str] | None = None,
        rfm: Iterable[RfmModel] = (),
        tags: Iterable[str] = (),
    ) -> Schema:
        """Gather a shop's pieces; names of sources, metrics and tags are those of their files.

        Raises RuleError where two things have one name, or a name is taken by the language.
        """
        models: dict[str, RfmModel] = {}
        for model in rfm:
            if model.name in models:
                raise RuleError(f"two RFM models are named '{model.name}'", "give each a name of its own")
            models[model.name] = model
        for kind, names in (("metric", metrics or {}), ("RFM model", models)):
            if taken := sorted(set(names) & set(TAKEN)):
                hint = "choose another name"
                raise RuleError(f"a {kind} cannot be named '{taken[0]}', a word of the rule language", hint)
        return cls(dict(sources), dict(metrics or {}), models, frozenset(tags), _attributes(sources))

    def column(self, source: str, column: str) -> Column:
        """Return the declaration of a column that is known to exist."""
        return self.sources[source].columns[column]


def segment_names(model: RfmModel) -> tuple[str, ...]:
    """Return the names of a model's segments in order, the value of RFM_SEGMENT being the index.

    Without declared segments, method ``mean`` has the eight value groups (R4). ``otherwise`` is last.

    >>> segment_names(RfmModel(frequency="count(o)", monetary="sum(o.a)", method="mean"))[0]
    '重要价值'
    """
    names = [segment.name for segment in model.segments]
    if not names and model.method == "mean":
        names = list(VALUE_GROUPS.values())
    return (*names, model.otherwise)


def _attributes(sources: Mapping[str, Source]) -> dict[str, MetricSpec]:
    found: dict[str, MetricSpec] = {}
    for name, source in sources.items():
        for column, declared in source.columns.items():
            if declared.attribute is None:
                continue
            spec = MetricSpec("last", name, column, ALL)
            if other := found.get(declared.attribute):
                text = f"customer attribute {write_literal(declared.attribute)} is declared twice, by"
                raise RuleError(
                    f"{text} {other.source}.{other.column} and {name}.{column}", "let one column declare it"
                )
            found[declared.attribute] = spec
    return found
