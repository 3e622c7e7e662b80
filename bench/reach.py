"""What it costs to count whom a broadcast would reach now: ``python -m bench.reach [CUSTOMERS]``.

There are 500,000 when absent, of whom each has an order and half agree to messages.

`waits` is how long the engine's thread is kept: a child of the process does the rest, with CPU of its own.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from app.life.reach import read_reach
from app.life.reach_now import begin_reach
from app.replay import new_engine
from app.shop import Shop
from bench.deliveries import resident
from bench.guards import GUARDS, MINUTE, OWN
from engine.batch import Batch
from engine.plan import build

CUSTOMERS = 500_000
CONSENT, BATCH, TIMES = 3, 10_000, 3


def shop_of() -> Shop:
    """Return a shop with one broadcast and every guard."""
    source = {
        "name": "orders", "key": ["id"], "references": [{"type": "member", "column": "m"}],
        "event_time": {"column": "at"}, "columns": {"amount": {"type": "int"}},
    }  # fmt: skip
    spring = {
        "name": "spring", "when": {"schedule": {"at": "10:00", "on": ["2099-12-31"]}}, "guards": OWN,
        "if": 'count(orders, "365d") > 0', "action": {"channel": "sms"},
    }  # fmt: skip
    parts = {"settings": {"name": "reach", "guards": GUARDS}, "sources": {"orders": source}}
    return Shop.model_validate(parts | {"triggers": {"spring": spring}, "channels": {"sms": {}}})


def main(customers: int, say: Callable[[str], None] = print) -> None:
    """Count three times, and say what it took."""
    shop = shop_of()
    plan = build(shop)
    engine = new_engine(shop, plan, 1, lambda *_: None)
    ids = np.random.default_rng(7).integers(-(2**63), 2**63, (customers, 2), dtype=np.int64)
    step = 0
    for kind in (0, CONSENT):
        for first in range(0, customers // (2 if kind else 1), BATCH):
            size = min(BATCH, customers - first)
            batch = Batch.zeros(size, plan.dimensions["row_values"])
            batch.kind[:], batch.mode[:], batch.minute[:] = kind, 1, MINUTE
            batch.customer_high[:], batch.customer_low[:] = ids[first : first + size].T
            if kind:
                batch.arg_a[:], batch.arg_b[:] = 1, 1
            else:
                batch.op[:], batch.event_us[:] = 1, MINUTE * 60_000_000
                batch.key_high[:], batch.key_low[:] = -(2**63), np.arange(first, first + size)
                batch.position[:] = np.arange(first, first + size) + 1
            engine.feed(0, batch, step)
            step += size
            engine.run()
    owner: Any = SimpleNamespace(engine=engine)
    for _ in range(TIMES):
        used, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        child = begin_reach(owner, "spring")
        waits = time.perf_counter() - begun
        found = read_reach(child.result(600))
        seconds, now = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
        say(
            f"{found.audience:,} customers: waits {1000 * waits:.1f} ms, {cpu:.2f} s of CPU, {seconds:.2f} s "
            f"in all; the process has {resident() / 1e6:.0f} MB; {found.outcomes}, {found.guards}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS)
