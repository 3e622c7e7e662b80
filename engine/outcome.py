"""Effects as records: transitions and decisions by name, and decision ids (D2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xxhash

from engine.effects import ACT, CONTRADICTED, ENTERED, HELD, REFUSED, SEGMENT
from engine.memory import Array
from engine.partition import Partition, RawEffects
from engine.plan import Plan
from triggers.guards import NAMES as GUARDS

MODES = ("import", "live", "history", "activation")
OUTCOMES = {ACT: "act", REFUSED: "refused", CONTRADICTED: "contradicted", HELD: "held"}
JOIN = b"\x1f"
FIGURES = {
    "late": ("age", "max_age"),
    "cool_down": ("acted_at", "cool_down"),
    "source_stale": ("fresh_until", "stale_after"),
    "quiet_hours": ("until",),
    "once": ("acted_at",),
    "hold_out": ("percent",),
    "cap": ("acted",),
}
STOPPED = ("everything", "channel", "trigger")  # triggers.guards: what a switch stops


@dataclass(frozen=True)
class Transition:
    """A tag entered or left, or a segment changed. ``values``: the rule's metrics at that step (G5).

    ``seq``: dense number of the effect in its partition, transitions and decisions together (P3).
    """

    partition: int
    step: int
    minute: int
    customer: str
    what: str  # tag or RFM model
    change: str  # enter, leave or segment
    mode: str
    before: str | None = None
    after: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    seq: int = 0


@dataclass(frozen=True)
class Decision:
    """What a trigger concluded. ``outcome``: act, refused, held or contradicted; ``figures``: of the guard,
    minutes, percent, counts and names; ``seq``: as of `Transition`.
    """

    id: str
    partition: int
    step: int
    minute: int
    customer: str
    trigger: str
    version: str
    outcome: str
    guard: str
    status: str
    cause: dict[str, Any]
    figures: dict[str, int | str]
    values: dict[str, Any]
    seq: int = 0


def transitions(partition: Partition, number: int, raw: RawEffects) -> list[Transition]:
    """Return the transitions of raw effects, by name."""
    t, plan = raw.transitions, partition.plan
    found = []
    for i, customer in enumerate(partition.ids(t["customer"])):
        common = (number, int(t["step"][i]), int(t["minute"][i]), customer.hex())
        seq = int(t["seq"][i])
        mode, what = MODES[int(t["mode"][i])], int(t["object"][i])
        if t["kind"][i] == SEGMENT:
            names = plan.segments[what]
            before, after = (names[k] if k >= 0 else None for k in (int(t["from"][i]), int(t["to"][i])))
            model = plan.models[what].model.name
            found.append(Transition(*common, model, "segment", mode, before, after, {}, seq))
        else:
            change = "enter" if t["kind"][i] == ENTERED else "leave"
            leaves = plan.columns["tag_leaf"].reshape(-1, t["leaf"].shape[1])[what]
            values = _values(partition, leaves, t["leaf"][i], int(t["null"][i]))
            found.append(Transition(*common, plan.tag.names[what], change, mode, None, None, values, seq))
    return found


def decisions(partition: Partition, number: int, raw: RawEffects) -> list[Decision]:
    """Return the decisions of raw effects, by name, with their ids."""
    d, plan = raw.decisions, partition.plan
    found = []
    for i, whose in enumerate(partition.ids(d["customer"])):
        customer, name = whose.hex(), plan.trigger.names[int(d["trigger"][i])]
        declared, version = plan.trigger.declared[name], plan.trigger.version(name)
        cause = _cause(partition, d["cause"][i])
        outcome = OUTCOMES[int(d["outcome"][i])]
        guard = GUARDS[int(d["guard"][i])]
        leaves = plan.columns["trigger_leaf"].reshape(-1, d["leaf"].shape[1])[int(d["trigger"][i])]
        found.append(Decision(
            decision_id(name, version, customer, cause), number, int(d["step"][i]), int(d["minute"][i]),
            customer, name, version, outcome, guard, declared.status, cause,
            _figures(plan, guard, d["figure"][i]),
            _values(partition, leaves, d["leaf"][i], int(d["null"][i])), int(d["seq"][i]),
        ))  # fmt: skip
    return found


def decision_id(trigger: str, version: str, customer: str, cause: dict[str, Any]) -> str:
    """Return xxh3_128 of (trigger, version, customer, cause), 32 hex digits (D2)."""
    parts = [trigger, version, customer]
    if "source" in cause:
        parts += [cause["source"], cause["key"], *(str(number) for number in cause["position"])]
    else:
        parts += [str(cause["minute"])]
    return xxhash.xxh3_128(JOIN.join(part.encode() for part in parts)).hexdigest()


def _cause(partition: Partition, numbers: Array) -> dict[str, Any]:
    source, high, low, epoch, position, offset, minute = (int(n) for n in numbers)
    if source < 0:
        return {"minute": minute}
    key = np.array([high, low], dtype=">i8").tobytes().hex()
    return {
        "source": partition.plan.metric.sources[source],
        "key": key,
        "position": [epoch, position, offset],
    }


def _figures(plan: Plan, guard: str, figures: Array) -> dict[str, int | str]:
    first, second = (int(figure) for figure in figures)
    found: dict[str, int | str] = dict(zip(FIGURES.get(guard, ()), (first, second), strict=False))
    if guard == "kill_switch":
        found["stopped"] = STOPPED[first]
    elif guard == "hold_out":
        found["of"] = STOPPED[2] if second else "shop"
    elif guard == "cap":
        cap = plan.guards.declared.caps[plan.guards.caps[second]]
        found |= {"cap": plan.guards.caps[second], "most": cap.most, "within": cap.within}
    return found


def _values(partition: Partition, leaves: Array, values: Array, nulls: int) -> dict[str, Any]:
    """Return metric text -> value; of avg the sum, and under '... count' how many."""
    found: dict[str, Any] = {}
    for k, leaf in enumerate(leaves.tolist()):
        if leaf < 0:
            continue
        spec = partition.plan.metric.specs[leaf >> 1]
        value: Any = None if nulls >> k & 1 else int(values[k])
        if value is not None and leaf >> 1 in partition.plan.texts:
            value = partition.texts[value]
        found[spec.key + (" count" if leaf & 1 else "")] = value
    return found
