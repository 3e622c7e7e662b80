"""Run timelines against the engine, with a virtual clock, and tell what does not hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.documents.document import Place
from app.folder import TEST, Folder
from app.moments import parse_moment
from app.shop import Shop
from app.timelines.expect import compare_customer, compare_decisions
from app.timelines.rows import file_row
from app.timelines.timeline import Case, Decided, Expect, Step
from streams.errors import InputError


class Sandbox(Protocol):
    """An engine of its own for one case, empty, with a virtual clock. Minutes are epoch minutes."""

    def advance_to(self, minute: int) -> None:
        """Open every minute up to ``minute``."""

    def rows(self, source: str, rows: list[Mapping[str, Any]], minute: int, operation: str) -> None:
        """Take rows as a file would hold them; operation: insert, update or delete."""

    def control(self, kind: str, customer: str, body: Mapping[str, object], minute: int) -> None:
        """Take a control record (docs/architecture.md): manual or consent; customer type:value or id."""

    def customer(self, reference: str) -> dict[str, Any] | None:
        """Return the profile behind ``type:value`` (keys id, metrics, rfm, tags), or None if unknown."""

    def decisions(self) -> list[dict[str, Any]]:
        """Return all decisions so far (keys minute, customer, trigger, outcome, guard, status)."""


@dataclass(frozen=True)
class Failure:
    """One expectation that does not hold: ``file:line``, the case, and what was found."""

    where: str
    case: str
    text: str


@dataclass
class RuleResult:
    """What the timeline of one rule showed. ``fired`` and ``silent``: a case of either kind was shown."""

    kind: str
    name: str
    cases: int = 0
    fired: bool = False
    silent: bool = False
    failures: list[Failure] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return self.fired and self.silent and not self.failures


MakeSandbox = Callable[[Shop, Sequence[str]], Sandbox]


def run_timelines(folder: Folder, sandbox: MakeSandbox) -> list[RuleResult]:
    """Run the timelines of every tag with a rule and of every trigger.

    A rule without a case in which it fires, or without one in which it does not, fails. ``sandbox`` makes
    a fresh engine for each case, given the shop and the sources of which nothing is heard.
    """
    rules = [("tags", name) for name, tag in folder.shop.tags.items() if tag.rule is not None]
    rules += [("triggers", name) for name in folder.shop.triggers]
    return [_run_rule(folder, kind, name, sandbox) for kind, name in rules]


def _run_rule(folder: Folder, kind: str, name: str, sandbox: MakeSandbox) -> RuleResult:
    result = RuleResult(kind, name)
    timeline = folder.timelines.get((kind, name))
    label = f"{kind}/{name}{TEST}"
    if timeline is None:
        result.failures.append(Failure(f"{kind}/{name}.yaml:1", "", f"has no timeline: write {label}"))
        return result
    shop = _with_rule_live(folder.shop, kind, name)
    for index, case in enumerate(timeline.cases):
        start = parse_moment(case.start or timeline.start, None, folder.shop.settings.zone)
        customer = case.customer or timeline.customer
        own = sandbox(shop, case.stale)
        run = _CaseRun(folder, result, label, ("cases", index), case, start, customer, own)
        run.play()
        result.cases += 1
    if not result.fired:
        result.failures.append(Failure(f"{label}:1", "", "has no case in which the rule fires"))
    if not result.silent:
        result.failures.append(Failure(f"{label}:1", "", "has no case in which the rule does not fire"))
    return result


def _with_rule_live(shop: Shop, kind: str, name: str) -> Shop:
    """Return the shop with the trigger under test live: a timeline tests its rule, whatever its status."""
    if kind != "triggers":
        return shop
    trigger = shop.triggers[name].model_copy(update={"status": "live"})
    return shop.model_copy(update={"triggers": {**shop.triggers, name: trigger}})


@dataclass
class _CaseRun:
    """One case on its way: the sandbox, the clock, and how many decisions were looked at."""

    folder: Folder
    result: RuleResult
    label: str
    place: Place
    case: Case
    start: int
    own_customer: str | None
    sandbox: Sandbox
    seen: int = 0

    def play(self) -> None:
        self.sandbox.advance_to(self.start)
        for index, step in enumerate(self.case.steps):
            place: Place = (*self.place, "steps", index)
            minute = self._minute(step.at)
            try:
                self._do(step, minute)
            except InputError as error:
                self._fail(place, f"the step cannot be taken: {error}")
                return
            self._look(step, place)

    def _minute(self, text: str) -> int:
        return parse_moment(text, self.start, self.folder.shop.settings.zone)

    def _do(self, step: Step, minute: int) -> None:
        self.sandbox.advance_to(minute)
        for manual in step.manual:
            until = self._minute(manual.until) if manual.until else None
            body = {"tag": manual.tag, "on": manual.on, "until": until}
            self.sandbox.control("manual", self._customer(manual.customer), body, minute)
        for consent in step.consent:
            until = self._minute(consent.until) if consent.until else None
            body = {**consent.model_dump(include={"channel", "purpose", "granted"}), "until": until}
            self.sandbox.control("consent", self._customer(consent.customer), body, minute)
        zone = self.folder.shop.settings.zone
        for operation in ("insert", "update", "delete"):
            for name, rows in getattr(step, operation).items():
                source = self.folder.shop.sources[name]
                whole: list[Mapping[str, Any]] = [file_row(source, row, minute, zone) for row in rows]
                self.sandbox.rows(name, whole, minute, operation)

    def _customer(self, named: str | None) -> str:
        customer = named or self.own_customer
        assert customer is not None  # app/checks/timelines.py refuses a step without
        return customer

    def _look(self, step: Step, place: Place) -> None:
        expectations = step.expectations()
        decisions = self.sandbox.decisions()
        new, self.seen = decisions[self.seen :], len(decisions)
        for index, expect in enumerate(expectations):
            own = (*place, "expect", index) if isinstance(step.expect, list) else (*place, "expect")
            self._compare(expect, own, new)

    def _compare(self, expect: Expect, place: Place, decisions: list[dict[str, Any]]) -> None:
        reference = self._customer(expect.customer)
        profile = self.sandbox.customer(reference)
        for key, text in compare_customer(expect, profile):
            self._fail((*place, *key), text)
        if expect.decisions is not None:
            identity = profile["id"] if profile else None
            own = [one for one in decisions if one["customer"] == identity]
            zone = self.folder.shop.settings.zone
            default = self.result.name if self.result.kind == "triggers" else None
            for text in compare_decisions(expect.decisions, own, default, self._minute, zone):
                self._fail((*place, "decisions"), text)
        self._mark(expect, expect.decisions)

    def _mark(self, expect: Expect, decisions: list[Decided] | None) -> None:
        """Note which kinds of case were shown; a failed expectation is told anyway."""
        name = self.result.name
        if self.result.kind == "tags":
            self.result.fired |= name in expect.tags
            self.result.silent |= name in expect.not_tags
        elif decisions is not None:
            own = [one.outcome for one in decisions if (one.trigger or name) == name]
            self.result.fired |= "act" in own
            self.result.silent |= "act" not in own

    def _fail(self, place: Place, text: str) -> None:
        where = self.folder.where(self.label, *place)
        self.result.failures.append(Failure(where, self.case.name, text))
