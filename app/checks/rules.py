"""Checks of every rule text of a shop, by the language's own checker (rules/check.py)."""

from __future__ import annotations

from collections.abc import Callable

from app.checks.cycles import check_cycles
from app.documents.document import Place
from app.folder import Folder
from app.problems import Problems
from rules.check import Checked, check_metric, check_rfm, check_rule, check_value
from rules.error import RuleError
from rules.fold import rests_on_metrics
from rules.schema import Schema
from rules.scope import CUSTOMER, Scope, event_of, row_of
from sinks.history.condition import check as check_condition_of_rows
from sinks.recommendations.declaration import Interest
from triggers.condition import check_condition
from triggers.shop_guards import ShopGuards
from triggers.trigger import Event, Goal, Trigger


def check_rules(folder: Folder, problems: Problems) -> None:
    """Read and check every rule; each error names the line of the file on which it stands."""
    shop = folder.shop
    try:
        schema = Schema.build(shop.sources, shop.metrics, shop.rfm, shop.tags)
    except RuleError as error:
        problems.add("tintype.toml:1", error.message, error.hint)
        return
    checker = _Texts(folder, problems)
    for name, source in shop.sources.items():
        if source.where is not None:
            scope = row_of(name)
            checker.rule(f"sources/{name}.yaml", ("where",), source.where, schema, scope)
    for name, text in shop.metrics.items():
        checker.read("metrics.yaml", (name,), lambda text=text: check_metric(text, schema))  # type: ignore[misc]  # the loop's own text, bound now
    _check_models(folder, schema, problems)
    used: dict[str, tuple[str, ...]] = {}
    for name, tag in shop.tags.items():
        if tag.rule is not None:
            checked = checker.rule(f"tags/{name}.yaml", ("rule",), tag.rule, schema, CUSTOMER)
            used[name] = checked.tags if checked else ()
    check_cycles(folder, used, problems)
    for name, trigger in shop.triggers.items():
        _check_trigger(checker, f"triggers/{name}.yaml", trigger, schema, shop.settings.guards)
        if trigger.goal is not None:
            _check_rows(checker, f"triggers/{name}.yaml", ("goal",), trigger.goal, schema)
    for at, one in enumerate(shop.recommendations.interests if shop.recommendations else []):
        _check_rows(checker, "recommendations.yaml", ("interests", at), one, schema)


def _check_rows(checker: _Texts, label: str, place: Place, rows: Goal | Interest, schema: Schema) -> None:
    """Check which rows of history count."""
    where = rows.where
    if where is not None:
        checker.read(label, (*place, "where"), lambda: check_condition_of_rows(where, schema, rows.source))


class _Texts:
    """Reads rule texts and turns a RuleError into a problem at the file's line."""

    def __init__(self, folder: Folder, problems: Problems) -> None:
        self._folder = folder
        self._problems = problems

    def rule(self, label: str, place: Place, text: str, schema: Schema, scope: Scope) -> Checked | None:
        return self.read(label, place, lambda: check_rule(text, schema, scope))

    def read(self, label: str, place: Place, check: Callable[[], Checked]) -> Checked | None:
        try:
            return check()
        except RuleError as error:
            where = self._folder.documents[label].where_in_text(place, error.line)
            self._problems.add(where, f"column {error.column}: {error.message}", error.hint)
            return None

    def refuse(self, label: str, place: Place, problem: str, hint: str) -> None:
        self._problems.add(self._folder.documents[label].where(place), problem, hint)


def _check_models(folder: Folder, schema: Schema, problems: Problems) -> None:
    listed = isinstance(getattr(folder.documents.get("rfm.yaml"), "value", None), list)
    for index, model in enumerate(folder.shop.rfm):
        try:
            check_rfm(model, schema)
        except RuleError as error:
            # The message begins with the key that is wrong.
            key = "monetary" if error.message.startswith("monetary") else "frequency"
            place: Place = (index, key) if listed else (key,)
            where = folder.documents["rfm.yaml"].where_in_text(place, error.line)
            problems.add(where, f"column {error.column}: {error.message}", error.hint)


def _check_trigger(
    checker: _Texts, label: str, trigger: Trigger, schema: Schema, guards: ShopGuards
) -> None:
    when = trigger.when
    events: list[tuple[Place, Event]] = []
    scope = CUSTOMER
    if when.event is not None:
        events.append((("when", "event", "where"), when.event))
        scope = event_of(when.event.source)
    if when.absence is not None:
        events.append((("when", "absence", "after", "where"), when.absence.after))
        events.append((("when", "absence", "of", "where"), when.absence.of))
    for place, event in events:
        if event.where is not None:
            checker.rule(label, place, event.where, schema, row_of(event.source))
    if trigger.condition is not None:
        condition = trigger.condition
        checker.read(label, ("if",), lambda: check_condition(trigger, condition, schema, guards))
    for name, text in trigger.action.values.items():
        _check_value(checker, label, name, text, schema, scope)


def _check_value(checker: _Texts, label: str, name: str, text: str, schema: Schema, scope: Scope) -> None:
    place: Place = ("action", "values", name)
    checked = checker.read(label, place, lambda: check_value(text, schema, scope))
    if checked is not None and not rests_on_metrics(checked.meaning):
        checker.refuse(
            label, place, f"'{name}' is not made of metrics and attributes alone",
            "a message carries metrics, attributes and arithmetic over them",
        )  # fmt: skip
