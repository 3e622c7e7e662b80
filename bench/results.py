"""Results of a trigger, counted in history: what it costs, on customers whose behaviour is known.

    python -m bench.results [--customers 40000] [--rows 1000000]

A tenth of the customers is held out. Who is reached buys within a week with a chance of 9 %, who is held out
with 6 %; an order is 154.00 in the mean, 3 % of them are cancelled. The rows beside are of anybody, at other
times. It prints the page that `tintype results` would, and the time.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from app.life.goal import goal_of
from app.life.results import results_of
from app.pages.results import show_results
from app.shop import Settings, Shop
from sinks.history.embedded import ChdbHistory
from sinks.history.history import CHANGES, CONTROLS, EFFECTS, Page
from streams.contract.source import Source
from triggers.trigger import Trigger

DAY = 1440
BEGIN, ENDED = 29_538_000, 29_538_000 + 90 * DAY  # 2026-02-28 20:00 in Shanghai
REACHED, HELD_OUT = 0.09, 0.06
ORDERS = Source.model_validate({
    "name": "orders", "key": ["id"], "references": [{"type": "member", "column": "member"}],
    "event_time": {"column": "at"},
    "columns": {"amount": {"type": "decimal", "scale": 2, "currency": "CNY"}, "status": {"type": "text"}},
})  # fmt: skip
WIN_BACK = Trigger.model_validate({
    "name": "win_back", "when": {"event": {"source": "orders"}}, "guards": {"hold_out": 10},
    "goal": {"source": "orders", "where": 'status == "paid"', "within": "7d", "value": "amount"},
    "action": {"channel": "sms"},
})  # fmt: skip
SHOP = Shop(
    settings=Settings(name="results", zone="Asia/Shanghai"), sources={"orders": ORDERS},
    triggers={"win_back": WIN_BACK},
)  # fmt: skip


def fill(history: ChdbHistory, customers: int, rows: int, seed: int = 7) -> None:
    """Write decisions, orders and a clock into an empty history."""
    rnd = np.random.default_rng(seed)
    ids = np.array([f"{number:032x}" for number in range(customers)], dtype=object)
    held = rnd.random(customers) < 0.1
    at = np.sort(rnd.integers(BEGIN, ENDED - 6 * DAY, customers))
    history.write(EFFECTS, [_decisions(ids, at, held)])
    buys = rnd.random(customers) < np.where(held, HELD_OUT, REACHED)
    when = np.concatenate([
        at[buys] + rnd.integers(1, 7 * DAY + 1, buys.sum()),
        rnd.integers(BEGIN - 365 * DAY, BEGIN, rows),
    ])  # fmt: skip
    whose = np.concatenate([np.flatnonzero(buys), rnd.integers(0, customers, rows)])
    history.write(CHANGES + "orders", [_orders(ids[whose], when, rnd)])
    clock = {"partition": [0], "step": [10**9], "minute": [ENDED], "mode": ["live"], "kind": ["tick"],
             "customer": [""], "body": ["{}"]}  # fmt: skip
    kinds = {"partition": pa.int32(), "step": pa.int64(), "minute": pa.int32()}
    table = pa.table({name: pa.array(value, kinds.get(name)) for name, value in clock.items()})
    history.write(CONTROLS, [Page(0, 10**9, 10**9, table)])


def _decisions(ids: np.ndarray, at: np.ndarray, held: np.ndarray) -> Page:
    count = len(ids)
    numbers = pa.array(np.arange(count))
    texts = {"kind": "decision", "what": "win_back", "change": "", "mode": "", "id": "", "version": "v",
             "status": "live", "cause": "{}", "figures": "{}", "values": "{}"}  # fmt: skip
    return Page(0, 0, count - 1, pa.table({
        "partition": pa.array(np.zeros(count, np.int32)), "seq": numbers, "step": numbers,
        "minute": pa.array(at.astype(np.int32)), "customer": pa.array(ids, pa.utf8()),
        **{name: pa.array([text] * count, pa.utf8()) for name, text in texts.items()},
        "before": pa.nulls(count, pa.utf8()), "after": pa.nulls(count, pa.utf8()),
        "outcome": pa.array(np.where(held, "refused", "act"), pa.utf8()),
        "guard": pa.array(np.where(held, "hold_out", ""), pa.utf8()),
    }))  # fmt: skip


def _orders(whose: np.ndarray, when: np.ndarray, rnd: np.random.Generator) -> Page:
    count = len(when)
    numbers, nought = pa.array(np.arange(count)), pa.array(np.zeros(count, np.int32))
    amounts = np.maximum(100, rnd.normal(15_400, 4_000, count)).astype(np.int64)
    return Page(0, 0, count - 1, pa.table({
        "partition": nought, "step": numbers, "minute": pa.array(when.astype(np.int32)),
        "mode": pa.array(["live"] * count), "op": pa.array(["insert"] * count),
        "customer": pa.array(whose, pa.utf8()), "key_high": numbers, "key_low": numbers, "epoch": nought,
        "position": numbers, "offset": numbers, "event_us": pa.array(when * 60_000_000),
        "reference": pa.nulls(count, pa.utf8()), "amount": pa.array(amounts),
        "status": pa.array(np.where(rnd.random(count) < 0.97, "paid", "cancelled"), pa.utf8()),
    }))  # fmt: skip


def main() -> None:
    """Print the page, and the time that counting took."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--customers", type=int, default=40_000)
    given.add_argument("--rows", type=int, default=1_000_000)
    asked = given.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        history = ChdbHistory(Path(folder) / "history", SHOP.settings.zone)
        fill(history, asked.customers, asked.rows)
        results_of(history, SHOP, "win_back")  # libraries are loaded
        wall, spent = time.perf_counter(), time.process_time()
        found = results_of(history, SHOP, "win_back")
        wall, spent = time.perf_counter() - wall, time.process_time() - spent
        history.close()
    show_results(SHOP, "win_back", goal_of(SHOP, "win_back"), found)
    print(f"\n{asked.customers:,} customers, {asked.rows:,} rows beside: {wall:.2f} s, {spent:.2f} s of CPU")


if __name__ == "__main__":
    main()
