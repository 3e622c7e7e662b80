"""How fast history is copied, against a bare insert of the same columns. ``python -m bench.history``."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bench.figures import figure
from sinks.history.embedded import ChdbHistory
from sinks.history.history import EFFECTS, Page
from sinks.history.pages import of_blocks, of_effects
from sinks.history.relay import ROWS, HistoryRelay
from sinks.outbox import Effect
from streams.log.log import Log
from streams.log.write import Stretch, append_stretch

CHANGES = 1_000_000
COUNT = 200_000  # effects
CUSTOMERS = 100_000
MINUTE = 29_538_000
MINUTE_US = 60_000_000


def measure() -> list[dict[str, Any]]:
    """Return the figures: changes, effects, small steps, memory."""
    with tempfile.TemporaryDirectory() as folder, make_log(Path(folder) / "log") as log:
        history = ChdbHistory(Path(folder) / "history")
        try:
            rows = [*changes(history, log), effects(history, log)]
            rows += [small_step(history, log, count) for count in (1, 1000)]
        finally:
            history.close()
    return rows


def make_log(folder: Path) -> Log:
    """Return a log of orders and views, half of each, by Zipf of 100,000 customers."""
    log = Log.create(folder, "bench", 1)
    append(log, CHANGES, MINUTE)
    return log


def append(log: Log, count: int, minute: int) -> None:
    """Append so many changes to the log, ten thousand a minute."""
    random = np.random.default_rng(7)
    weights = np.cumsum(1.0 / np.arange(1, CUSTOMERS + 1))
    ids = random.integers(0, 256, (CUSTOMERS, 16)).astype(np.uint8)
    half = -(-count // 2)
    tables = {}
    for name in ("orders", "views"):
        who = ids[np.searchsorted(weights, random.random(half) * weights[-1])]
        tables[name] = rows(random, half, who.tobytes(), minute)
    table = np.arange(count) % 2
    minutes = minute + np.arange(count) // 10_000
    names = ["orders", "views"]
    with log.transaction():
        append_stretch(log, Stretch("live", np.zeros(count, dtype=np.int64), minutes, table, names, tables))


def rows(random: np.random.Generator, count: int, customers: bytes, minute: int) -> pa.Table:
    """Return records without ordinal and minute: four numbers and three texts declared."""
    numbers = np.arange(count)
    texts = [
        pa.array([f"{word}{n:03}" for n in range(size)]) for word, size in (("s", 4), ("c", 40), ("p", 900))
    ]
    given = {
        "op": pa.array(np.ones(count, dtype=np.int8)),
        "customer": pa.Array.from_buffers(pa.binary(16), count, [None, pa.py_buffer(customers)]),
        "key_high": pa.array(random.integers(-(2**62), 2**62, count)),
        "key_low": pa.array(random.integers(-(2**62), 2**62, count)),
        "epoch": pa.array(np.zeros(count, dtype=np.int32)),
        "position": pa.array(numbers),
        "offset": pa.array(numbers),
        "event_us": pa.array((minute - random.integers(0, 60, count)) * MINUTE_US),
        "reference": pa.array([f"member:{n % CUSTOMERS}" for n in range(count)]),
        **{f"number{k}": pa.array(random.integers(0, 100_000, count)) for k in range(4)},
    }
    for k, words in enumerate(texts):
        given[f"text{k}"] = words.take(pa.array(random.integers(0, len(words), count))).cast(pa.large_utf8())
    return pa.table(given)


def changes(history: ChdbHistory, log: Log) -> list[dict[str, Any]]:
    """Copy a million changes; the peer inserts the same columns, ready made, in as many inserts."""
    relay, held = HistoryRelay(history, log), memory()
    taken, added = wall(relay.catch_up), memory() - held
    batches: list[dict[str, Page]] = []
    step = 0
    while step < log.next_step(0):
        blocks = []
        for block in log.blocks(0, step):
            blocks.append(block)
            if sum(one.count for one in blocks) >= ROWS:
                break
        batches.append(of_blocks(blocks))
        step = blocks[-1].first_step + blocks[-1].count

    def insert() -> None:
        for batch in batches:
            for name, page in batch.items():
                history.write(f"{name}_bare", [page])

    bare = wall(insert)
    return [
        against_bare("history: copy a change from the log", taken, bare, CHANGES),
        figure(
            "history: most memory while they are copied", added, "MB", f"{held:,.0f} MB before", None, None
        ),
    ]


def effects(history: ChdbHistory, log: Log) -> dict[str, Any]:
    """Copy effects, against an insert of the same columns."""
    source = Effects([effect(seq) for seq in range(COUNT)])
    taken = wall(HistoryRelay(history, log, source).catch_up)
    page = of_effects([{**one, "partition": 1} for one in source.effects])
    bare = wall(lambda: history.write(EFFECTS, [page]))
    return against_bare("history: copy an effect from the outbox", taken, bare, COUNT)


def small_step(history: ChdbHistory, log: Log, count: int) -> dict[str, Any]:
    """Copy a few changes at a time: what an insert costs."""
    relay = HistoryRelay(history, log)
    taken = []
    for number in range(1, 11):
        append(log, count, MINUTE + 1000 * number)
        taken.append(wall(relay.catch_up))
    return figure(f"history: a step of {count:,} changes", sorted(taken)[5] * 1e3, "ms", "", None, None)


def against_bare(what: str, taken: float, bare: float, count: int) -> dict[str, Any]:
    """Return microseconds a row, against those of the bare insert."""
    micro = 1e6 / count
    against = f"bare insert of the same columns: {bare * micro:.2f} us"
    return figure(what, taken * micro, "us", against, taken / bare, None)


def wall(work: Callable[[], object]) -> float:
    """Return the seconds that a call takes: the engine works with threads and waits for the disk."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def memory() -> float:
    """Return the most memory this process has had resident, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def effect(seq: int) -> Effect:
    """Return a transition, or every tenth time a decision."""
    place = {"partition": 0, "seq": seq, "step": seq, "minute": MINUTE, "customer": f"{seq % 5000:032x}"}
    both = {**place, "values": {'sum(orders.amount, "365d")': seq, 'count(views, "10m")': 3}}
    if seq % 10:
        return {**both, "what": f"tag{seq % 20}", "change": "enter", "mode": "live"}
    cause = {"source": "orders", "key": f"{seq:032x}", "position": [0, 0, seq]}
    what = {"id": f"{seq:032x}", "trigger": f"trigger{seq % 5}", "version": "v1", "outcome": "act"}
    return {**both, **what, "guard": "", "status": "live", "cause": cause, "figures": {}}


class Effects:
    """An outbox in memory."""

    def __init__(self, effects: Sequence[Effect]) -> None:
        self.effects = effects

    def read(self, partition: int, after_seq: int, limit: int) -> Sequence[Effect]:
        return self.effects[after_seq + 1 : after_seq + 1 + limit]

    def last_seq(self, partition: int) -> int:
        return len(self.effects) - 1


if __name__ == "__main__":
    for row in measure():
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
        print(f"{row['what']:42} {row['value']:9,.2f} {row['unit']:3} {ratio:>6}  {row['against']}")
