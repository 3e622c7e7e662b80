"""What the settings of a log say of its triggers' past: which rules have run in shadow, and which were live.

On it rests that nothing goes live which has not run in shadow (semantics D6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from triggers.life import State
from triggers.trigger import Trigger
from triggers.version import rule_of, version_of


@dataclass(frozen=True)
class Run:
    """How one rule of a trigger has run. shadow: the minute from which it first did in shadow, None where it
    never has; versions: of the decisions that it made there; live: whether it ever was.
    """

    shadow: int | None = None
    versions: tuple[str, ...] = ()
    live: bool = False


@dataclass(frozen=True)
class Past:
    """One trigger's. status, rule: in force at the end, unbroken since that minute; runs: by rule."""

    status: str
    rule: str
    since: int
    runs: Mapping[str, Run] = field(default_factory=dict)


def follow(past: Mapping[str, Past], minute: int, triggers: Mapping[str, Trigger]) -> dict[str, Past]:
    """Return the past behind settings that come into force at a minute.

    The archive ends it: a trigger that comes back from there has to run in shadow anew.
    """
    found = dict(past)
    for name, trigger in triggers.items():
        status, rule, before = State(trigger.status), rule_of(trigger), past.get(name)
        runs = dict(before.runs) if before else {}
        run = runs.get(rule, Run())
        if status is State.SHADOW:
            since = minute if run.shadow is None else run.shadow
            versions = tuple(dict.fromkeys((*run.versions, version_of(trigger))))
            runs[rule] = replace(run, shadow=since, versions=versions)
        elif status is State.LIVE:
            runs[rule] = replace(run, live=True)
        elif status is State.ARCHIVED:
            runs = {}
        goes_on = before is not None and (before.status, before.rule) == (status, rule)
        found[name] = Past(status.value, rule, before.since if before and goes_on else minute, runs)
    return found


def past_of(settings: Iterable[tuple[int, Mapping[str, Trigger]]]) -> dict[str, Past]:
    """Return the past of triggers behind all settings of a log: (minute, triggers), in order."""
    past: dict[str, Past] = {}
    for minute, triggers in settings:
        past = follow(past, minute, triggers)
    return past


def unproven(past: Mapping[str, Past], triggers: Mapping[str, Trigger]) -> list[str]:
    """Return the live triggers whose rule has run neither in shadow nor live."""
    return [
        name for name, trigger in triggers.items()
        if trigger.status == "live" and run_of(past, name, trigger) is None
    ]  # fmt: skip


def rising(past: Mapping[str, Past], triggers: Mapping[str, Trigger]) -> dict[str, Run]:
    """Return the live triggers whose rule has run in shadow and was never live, with how it ran."""
    runs = {
        name: run_of(past, name, trigger)
        for name, trigger in triggers.items()
        if trigger.status == "live"
    }
    return {name: run for name, run in runs.items() if run is not None and not run.live}


def run_of(past: Mapping[str, Past], name: str, trigger: Trigger) -> Run | None:
    """Return how a trigger's rule has run; None where it has not."""
    return past[name].runs.get(rule_of(trigger)) if name in past else None
