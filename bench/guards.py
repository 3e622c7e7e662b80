"""What a decision costs, with no guards and with all of them, in one process.

``python -m bench.guards [--json]`` prints the rows: live orders of customers who are known, each an occasion
of eight triggers, so that nearly all that is measured is deciding. CPU of this process.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import numpy as np

from app.replay import new_engine
from app.shop import Shop
from bench.figures import cpu
from engine.batch import Batch
from engine.plan import build

CUSTOMERS, TRIGGERS, ROWS, BATCH = 50_000, 8, 200_000, 1000
MINUTE = 29_540_000
GOAL = 200_000  # decisions a second a core, with all guards
GUARDS: dict[str, Any] = {
    "hold_out": 5, "quiet_hours": {"from": "22:00", "until": "08:00", "then": "hold"},
    "caps": {"day": {"most": 2, "within": "1d"}, "week": {"most": 4, "within": "7d", "channels": ["sms"]}},
}
OWN: dict[str, Any] = {"consent": "sms/marketing", "cool_down": "30d", "hold_out": 10}


def shop_of(guarded: bool) -> Shop:
    """Return a shop of triggers on each order."""
    source = {
        "name": "orders", "key": ["id"], "references": [{"type": "member", "column": "m"}],
        "event_time": {"column": "at"}, "columns": {"amount": {"type": "int"}},
    }  # fmt: skip
    trigger = {"when": {"event": {"source": "orders"}}, "action": {"channel": "sms"}}
    triggers = {
        f"t{n}": {"name": f"t{n}", **trigger} | ({"guards": OWN, "priority": n} if guarded else {})
        for n in range(TRIGGERS)
    }
    settings = {"name": "guards", "guards": GUARDS if guarded else {}}
    parts = {"settings": settings, "sources": {"orders": source}, "triggers": triggers}
    return Shop.model_validate(parts | {"channels": {"sms": {}}})


def batches(width: int, consents: bool) -> list[Batch]:
    """Return the log: everybody's consent, then orders of one minute after the other."""
    rng = np.random.default_rng(7)
    made, ids = [], rng.integers(-(2**63), 2**63, (CUSTOMERS, 2), dtype=np.int64)
    if consents:
        batch = Batch.zeros(CUSTOMERS, width)
        batch.kind[:], batch.mode[:], batch.minute[:] = 3, 1, MINUTE
        batch.customer_high[:], batch.customer_low[:] = ids.T
        batch.arg_a[:], batch.arg_b[:] = 1, 1
        made.append(batch)
    for first in range(0, ROWS, BATCH):
        batch = Batch.zeros(BATCH, width)
        minute = MINUTE + 1 + first // BATCH
        batch.mode[:], batch.minute[:], batch.op[:] = 1, minute, 1
        batch.customer_high[:], batch.customer_low[:] = ids[rng.integers(0, CUSTOMERS, BATCH)].T
        batch.key_high[:], batch.key_low[:] = -(2**63), np.arange(first, first + BATCH)
        batch.position[:], batch.event_us[:] = np.arange(first, first + BATCH) + 1, minute * 60_000_000
        made.append(batch)
    return made


def measure(guarded: bool) -> dict[str, Any]:
    """Return decisions a second of CPU, and what became of them."""
    shop = shop_of(guarded)
    plan = build(shop)
    counts = np.zeros(16, dtype=np.int64)

    def take(_: int, __: object, raw: Any) -> None:
        counts[:] += np.bincount(raw.decisions["guard"], minlength=16)

    engine = new_engine(shop, plan, 1, take)
    steps, seconds = 0, 0.0
    for batch in batches(plan.dimensions["row_values"], guarded):
        engine.feed(0, batch, steps)
        took = cpu(engine.run)
        if batch.kind[0] == 0:
            seconds += took
        steps += len(batch)
    made = int(counts.sum())
    return {
        "guards": "all" if guarded else "none", "decisions": made, "per_second": round(made / seconds),
        "microseconds": round(seconds / made * 1e6, 2), "acted": int(counts[0]),
        "refused_by": {i: int(n) for i, n in enumerate(counts) if i and n},
    }  # fmt: skip


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description="What a decision costs.")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    measure(True)  # what is compiled and allocated once
    rows = [measure(False), measure(True)]
    if asked.json:
        sys.stdout.write(json.dumps(rows) + "\n")
        return
    for row in rows:
        sys.stdout.write(
            f"guards {row['guards']:>4}: {row['per_second']:>9,} decisions a second of CPU, "
            f"{row['microseconds']} us each; {row['acted']:,} of {row['decisions']:,} act\n"
        )
    verdict = "reached" if rows[1]["per_second"] >= GOAL else "missed"
    sys.stdout.write(f"goal, with all guards: {GOAL:,} a second: {verdict}\n")


if __name__ == "__main__":
    main()
