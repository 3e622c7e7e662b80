"""Decisions of a trigger and orders behind them, by chance, and what came of them, counted one by one."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from rules.schema import Schema
from sinks.history.history import CONTROLS, EFFECTS, History, Page
from sinks.history.pages import of_effects
from tests.sinks.history_shop import decision
from tests.streams.small_shop import source
from triggers.trigger import Goal

WITHIN = 60
GOAL = Goal(source="订单", where='status == "已付款"', within="60m", value="amount")
SOURCE: dict[str, Any] = {
    "key": ["id"], "references": [{"type": "member", "column": "member"}], "event_time": {"column": "at"},
    "columns": {"amount": {"type": "decimal", "scale": 2}, "status": {"type": "text"}},
}  # fmt: skip
SCHEMA = Schema.build({"订单": source("订单", SOURCE)})
EXPOSING = ("", "hold_out", "quiet_hours", "cool_down", "once", "cap")
ENDED = 500  # the clock


@dataclass
class World:
    """``decided``: (partition, customer, minute, outcome, guard, status, trigger); ``orders``: by key the
    states that came one after the other, (partition, customer, minute, amount, status, op)."""

    decided: list[tuple[int, str, int, str, str, str, str]] = field(default_factory=list)
    orders: dict[int, list[tuple[int, str, int, int | None, str, str]]] = field(default_factory=dict)
    erased: dict[str, int] = field(default_factory=dict)  # customer to step

    @classmethod
    def of(cls, seed: int) -> World:
        rnd, made = random.Random(seed), cls()
        for _ in range(150):
            who = rnd.randrange(30)
            guard = rnd.choice((*EXPOSING, "", "", "late", "consent", "kill_switch", "if"))
            outcome = "act" if not guard else "held" if guard == "quiet_hours" else "refused"
            made.decided.append((
                who % 2, f"{who:032x}", rnd.randrange(1, ENDED), outcome, guard,
                rnd.choice(("live", "live", "live", "shadow")), rnd.choice(("hello", "hello", "other")),
            ))  # fmt: skip
        made.decided.sort(key=lambda one: one[2])
        for key in range(600):
            who = rnd.randrange(30)
            states = made.orders[key] = []
            for turn in range(rnd.choice((1, 1, 1, 2))):
                op = "delete" if turn and rnd.random() < 0.5 else "insert"
                worth, status = rnd.choice((None, 100, 250, -40)), rnd.choice(("已付款", ""))
                states.append((who % 2, f"{who:032x}", rnd.randrange(1, ENDED), worth, status, op))
        return made

    def write(self, history: History) -> None:
        """Put all of it into a history, of two partitions."""
        for partition in (0, 1):
            effects = [
                decision(partition, seq, minute, customer=who, outcome=outcome, guard=guard, status=status,
                         trigger=trigger)
                for seq, (_, who, minute, outcome, guard, status, trigger) in enumerate(
                    one for one in self.decided if one[0] == partition)
            ]  # fmt: skip
            history.write(EFFECTS, [of_effects(effects)])
            history.write("changes_订单", [self._orders(partition)])
            last = 100_000 + partition
            rows = [(last + 10, ENDED + 7 * partition, "tick", "")]
            rows = [(step, 1, "erase", who) for who, step in sorted(self.erased.items())
                    if int(who, 16) % 2 == partition] + rows  # fmt: skip
            history.write(CONTROLS, [Page(partition, rows[0][0], rows[-1][0], pa.table({
                "partition": pa.array([partition] * len(rows), pa.int32()),
                "step": pa.array([one[0] for one in rows], pa.int64()),
                "minute": pa.array([one[1] for one in rows], pa.int32()),
                "mode": ["live"] * len(rows), "kind": [one[2] for one in rows],
                "customer": [one[3] for one in rows], "body": ["{}"] * len(rows),
            }))])  # fmt: skip

    def _orders(self, partition: int) -> Page:
        rows = [
            (turn, key, *state[1:]) for key, states in self.orders.items()
            for turn, state in enumerate(states) if state[0] == partition
        ]  # fmt: skip
        rows.sort(key=lambda one: one[0])  # each later state in a later step
        steps = pa.array(range(len(rows)), pa.int64())
        number = pa.array([one[1] for one in rows], pa.int64())
        return Page(partition, 0, len(rows) - 1, pa.table({
            "partition": pa.array([partition] * len(rows), pa.int32()), "step": steps,
            "minute": pa.array([1] * len(rows), pa.int32()), "mode": ["live"] * len(rows),
            "op": [one[6] for one in rows], "customer": [one[2] for one in rows], "key_high": number,
            "key_low": number, "epoch": pa.array([0] * len(rows), pa.int32()), "position": steps,
            "offset": steps, "event_us": pa.array([one[3] * 60_000_000 + 7 for one in rows], pa.int64()),
            "reference": pa.array([None] * len(rows), pa.utf8()),
            "amount": pa.array([one[4] for one in rows], pa.int64()), "status": [one[5] for one in rows],
        }))  # fmt: skip

    def counted(self, since: int = 0, until: int = 1 << 30) -> dict[str, Any]:
        """Count as semantics D8 has it, one customer after the other."""
        paid = [
            (state[1], state[2], state[3] or 0) for state in (states[-1] for states in self.orders.values())
            if state[5] != "delete" and state[4] == "已付款"
        ]  # fmt: skip
        mine = [one for one in self.decided if one[5] == "live" and one[6] == "hello"
                and since <= one[2] < until and one[1] not in self.erased]  # fmt: skip
        first: dict[str, tuple[int, bool]] = {}
        for _, who, minute, _, guard, _, _ in mine:
            if guard in EXPOSING:
                first.setdefault(who, (minute, guard == "hold_out"))
        groups = {False: [0, 0, 0, 0], True: [0, 0, 0, 0]}
        waiting = 0
        for who, (minute, held) in first.items():
            if minute + WITHIN >= ENDED:
                waiting += 1
                continue
            inside = [worth for one, at, worth in paid if one == who and minute < at <= minute + WITHIN]
            for at, more in enumerate((1, bool(inside), len(inside), sum(inside))):
                groups[held][at] += more
        acts = [(at, one[1], one[2]) for at, one in enumerate(mine) if one[3] == "act"]
        followed = set()
        for who, at, _ in paid:
            before = [one for one in acts if one[1] == who and one[2] < at]
            if before and at - max(before, key=lambda one: (one[2], one[0]))[2] <= WITHIN:
                followed.add(max(before, key=lambda one: (one[2], one[0]))[0])
        return {"reached": groups[False], "held_out": groups[True], "open": waiting, "acts": len(acts),
                "converted": len(followed)}  # fmt: skip
