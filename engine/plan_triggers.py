"""The plan of triggers: what sets them off, their conditions and guards."""

from __future__ import annotations

from collections.abc import Mapping

from engine.plan_guards import GuardPlan
from engine.plan_metrics import MetricPlan
from engine.plan_tags import AddProgram, TagPlan
from engine.state import LEAVES
from profiles.windows import Window, parse_length
from rules.check import Checked, check_rule, check_value
from rules.error import RuleError
from rules.metric import MetricSpec
from rules.parse import parse
from rules.rfm_plan import RfmPlan
from rules.schema import Schema, segment_names
from rules.scope import CUSTOMER, event_of, row_of
from triggers import occasions
from triggers.condition import check_condition, quiet_hours_of
from triggers.trigger import Event, Trigger, When, kept_minutes
from triggers.version import version_of

OPERATIONS = {"insert": occasions.INSERT, "update": occasions.UPDATE, "delete": occasions.DELETE}
SEGMENT = "segment:"


class TriggerPlan:
    """Triggers by priority, the greatest first, then by name: in this order they are decided (D5)."""

    def __init__(self, triggers: Mapping[str, Trigger], schema: Schema, guards: GuardPlan) -> None:
        self.declared = triggers
        self.guards = guards
        self.names = sorted(triggers, key=lambda name: (-triggers[name].priority, name))
        self.consents = sorted({t.guards.consent for t in triggers.values() if t.guards.consent})
        self.conditions: dict[str, Checked] = {}
        self.wheres: dict[str, Checked] = {}
        self.hidden: list[MetricSpec] = []
        self.carried: dict[str, list[MetricSpec]] = {}
        self.of: dict[str, MetricSpec] = {}
        self._versions: dict[str, str] = {}
        for name in self.names:
            self._check(name, triggers[name], schema)
        # the openings of a minute put aside, for each customer, what these set off (T3 (6), (7))
        self.put_aside = sum(bool(t.when.schedule or t.when.enter or t.when.leave) for t in triggers.values())
        self.absences = sum(t.when.absence is not None for t in triggers.values())

    def _check(self, name: str, trigger: Trigger, schema: Schema) -> None:
        when = trigger.when
        if trigger.for_ and (when.absence or when.schedule):
            raise RuleError(
                f"trigger {name}: 'for' does not go with absence or schedule", "use 'within', or leave it out"
            )
        if trigger.condition:
            self.conditions[name] = check_condition(
                trigger, trigger.condition, schema, self.guards.declared
            )
        _refuse_operations(name, when)
        event = when.event or (when.absence.after if when.absence else None)
        if event is not None and event.where:
            self.wheres[name] = check_rule(event.where, schema, row_of(event.source))
        self.carried[name] = self._carry(name, trigger, schema)
        self.hidden += self.carried[name]
        if when.absence:
            kept = kept_minutes(when.absence, trigger.guards.max_age)
            self.of[name] = _count(when.absence.of, kept)
            self.hidden += [self.of[name], _count(when.absence.after, kept)]

    def _carry(self, name: str, trigger: Trigger, schema: Schema) -> list[MetricSpec]:
        """Return what the action's values rest on: it goes with each decision, as it was at its step (G5). So
        does the customer's zone where quiet hours stand against it: its message may be late."""
        scope = event_of(trigger.when.event.source) if trigger.when.event else CUSTOMER
        values = [check_value(text, schema, scope) for text in trigger.action.values.values()]
        found = list(dict.fromkeys(spec for value in values for spec in value.metrics))
        zone, quiet = self.guards.zone_spec, quiet_hours_of(trigger, self.guards.declared)
        if quiet and zone and zone not in found:
            found.insert(0, zone)
        own = ", the customer's zone for quiet hours among them" if quiet and zone else ""
        if len(found) > LEAVES:
            raise RuleError(
                f"trigger {name}: its action's values rest on {len(found)} metrics{own}",
                f"a decision carries {LEAVES}: leave some out",
            )
        return found

    def rules(self) -> list[Checked]:
        """Return every checked rule of the triggers."""
        return [*self.conditions.values(), *self.wheres.values()]

    def version(self, name: str) -> str:
        """Return a trigger's version (`triggers.version`)."""
        if name not in self._versions:  # each decision has one
            self._versions[name] = version_of(self.declared[name])
        return self._versions[name]

    def columns(
        self, add: AddProgram, metric: MetricPlan, tags: TagPlan, models: list[RfmPlan]
    ) -> dict[str, list[int]]:
        """Return the triggers' plan columns."""
        out: dict[str, list[int]] = {name: [] for name in _NAMES}
        for name in self.names:
            self._one(out, name, add, metric, tags, models)
        self._lists(out, metric, tags, models)
        return out

    def _one(
        self,
        out: dict[str, list[int]],
        name: str,
        add: AddProgram,
        metric: MetricPlan,
        tags: TagPlan,
        models: list[RfmPlan],
    ) -> None:
        trigger = self.declared[name]
        when, guards = trigger.when, trigger.guards
        condition, where = self.conditions.get(name), self.wheres.get(name)
        out["trigger_condition"].append(add(f"if {name}", condition) if condition else -1)
        out["trigger_where"].append(add(f"where {name}", where) if where else -1)
        operations = when.event.operations if when.event else []
        out["trigger_operations"].append(sum({OPERATIONS[o] for o in operations}))
        out["trigger_for"].append(parse_length(trigger.for_) if trigger.for_ else 0)
        out["trigger_occasion"].append(_occasion(trigger))
        holds, model = self._holds(when.enter or when.leave or "", tags, models)
        out["trigger_holds"].append(holds)
        out["trigger_model"].append(model)
        absence = when.absence
        out["trigger_within"].append(parse_length(absence.within) if absence else 0)
        out["trigger_of"].append(metric.number[self.of[name]] if absence else -1)
        out["trigger_after"].append(metric.source_number[absence.after.source] if absence else -1)
        out["trigger_max_age"].append(parse_length(guards.max_age))
        out["trigger_consent"].append(self.consents.index(guards.consent) + 1 if guards.consent else 0)
        out["trigger_cool_down"].append(parse_length(guards.cool_down) if guards.cool_down else 0)
        out["trigger_paused"].append(int(trigger.status == "paused"))
        out["trigger_activates"].append(int(trigger.on_activation))
        shown = [*self.carried[name], *(condition.metrics if condition else ())]
        out["trigger_leaf"] += metric.leaves(dict.fromkeys(shown), LEAVES)
        if trigger.for_:
            out["waiting_trigger"].append(self.names.index(name))

    def _holds(self, text: str, tags: TagPlan, models: list[RfmPlan]) -> tuple[int, int]:
        """Return (tag, -1), (-1 - segment, model), or (0, -1) where nothing must go on."""
        if not text:
            return 0, -1
        if not text.startswith(SEGMENT):
            if text not in tags.number:
                raise RuleError(f"there is no tag '{text}'", "name a tag, or segment:NAME")
            return tags.number[text], -1
        name = text[len(SEGMENT) :]
        for i, plan in enumerate(models):
            own = name.removeprefix(f"{plan.model.name}/") if name.startswith(f"{plan.model.name}/") else name
            if own in segment_names(plan.model):
                return -1 - segment_names(plan.model).index(own), i
        raise RuleError(f"there is no segment '{name}'", "name a segment of rfm.yaml, as NAME or MODEL/NAME")

    def _lists(
        self, out: dict[str, list[int]], metric: MetricPlan, tags: TagPlan, models: list[RfmPlan]
    ) -> None:
        when = [self.declared[name].when for name in self.names]
        for source in metric.sources:
            out["source_event"].append(len(out["event_trigger"]))
            out["event_trigger"] += [i for i, w in enumerate(when) if w.event and w.event.source == source]
            out["source_absence"].append(len(out["absence_after"]))
            out["absence_after"] += [
                i for i, w in enumerate(when) if w.absence and w.absence.after.source == source
            ]
            out["source_refutes"].append(len(out["absence_of"]))
            out["absence_of"] += [
                i for i, w in enumerate(when) if w.absence and w.absence.of.source == source
            ]
        out["source_event"].append(len(out["event_trigger"]))
        out["source_absence"].append(len(out["absence_after"]))
        out["source_refutes"].append(len(out["absence_of"]))
        for tag in tags.names:
            out["tag_enter"].append(len(out["enter_trigger"]))
            out["enter_trigger"] += [i for i, w in enumerate(when) if w.enter == tag]
            out["tag_leave"].append(len(out["leave_trigger"]))
            out["leave_trigger"] += [i for i, w in enumerate(when) if w.leave == tag]
        out["tag_enter"].append(len(out["enter_trigger"]))
        out["tag_leave"].append(len(out["leave_trigger"]))
        for i, w in enumerate(when):
            holds, model = self._holds(w.enter or w.leave or "", tags, models)
            if holds < 0:
                out["segment_enter" if w.enter else "segment_leave"] += [model, -1 - holds, i]


def _refuse_operations(name: str, when: When) -> None:
    """Raise RuleError for operations that could never do what they say."""
    if when.absence and any(
        event.operations != ["insert"] for event in (when.absence.after, when.absence.of)
    ):
        raise RuleError(f"trigger {name}: an absence looks at rows that are inserted", "leave operations out")
    if when.event and when.event.where and "delete" in when.event.operations:
        problem = f"trigger {name}: a deleted row has no columns that 'where' could read"
        raise RuleError(problem, "leave out where, or delete")


def _occasion(trigger: Trigger) -> int:
    when = trigger.when
    given = (when.event, when.enter, when.leave, when.absence, when.schedule)
    found = [i for i, occasion in enumerate(given) if occasion]
    if len(found) != 1:
        raise RuleError("'when' needs exactly one of event, enter, leave, absence, schedule", "keep one")
    return found[0]


def _count(event: Event, minutes: int) -> MetricSpec:
    """Return the metric that counts an event's rows over a trailing window."""
    return MetricSpec(
        "count", event.source, None, Window("trailing", minutes), parse(event.where) if event.where else None
    )


_NAMES = (
    "trigger_condition", "trigger_where", "trigger_operations", "trigger_for", "trigger_occasion",
    "trigger_holds",
    "trigger_model", "trigger_within", "trigger_of", "trigger_after", "trigger_max_age", "trigger_consent",
    "trigger_cool_down", "trigger_paused", "trigger_activates", "trigger_leaf", "waiting_trigger",
    "source_event", "event_trigger", "source_absence", "absence_after", "source_refutes", "absence_of",
    "tag_enter", "enter_trigger", "tag_leave", "leave_trigger", "segment_enter", "segment_leave",
)  # fmt: skip
