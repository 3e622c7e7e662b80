"""``python -m bench.waits``: what a change waits for between due and readable, in process CPU, one by one.

The parts of `bench.latency` that can be measured by themselves: a batch into the log by its size, a
document, a full garbage collection, the birth of a snapshot's child and what the changes after it cost.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import msgspec
import numpy as np

from app.embedded import spare_the_collector
from bench.at_work import at_work
from bench.figures import cpu
from bench.load import Loaded
from bench.messages import debezium_shop
from bench.offer import messages_of
from bench.outcome import markdown
from bench.shops import small_shop
from bench.stream import Stream
from engine.documents import documents
from streams.arrive import Arrivals
from streams.log.log import Log

CUSTOMERS, FEW = 30_000, 2_000
TIMES = 9
CHANGES = 4_000


def main() -> None:
    """Print the rows."""
    rows = [*_batches(), *_documents(), *_forks(), *_collections()]
    print(markdown(["what", "process CPU", "unit"], rows))


def _batches() -> list[list[object]]:
    """Take batches of several sizes into a log; the first ones, which teach the scanner, are not counted."""
    shop = debezium_shop(small_shop())
    stream = Stream(shop, FEW)
    sources = stream.loaded.plan.metric.sources
    rows: list[list[object]] = []
    with TemporaryDirectory(prefix="tintype-bench-") as name, Log.create(Path(name), "bench", 1) as log:
        arrivals = Arrivals(log)

        def take(size: int) -> float:
            minute = stream.minute(size)
            names = [sources[number] for number in minute.batch.source.tolist()]
            messages = messages_of(list(zip(names, minute.messages, strict=True)))
            return cpu(partial(arrivals.take, shop, [(messages, None)], stream.loaded.engine.clock)) * 1e3

        take(200)
        for size in (1, 20, 200, 1_000):
            found = median(take(size) for _ in range(3))
            rows.append([f"a batch of {size:,} messages into the log", found, "ms"])
    return rows


def _documents() -> list[list[object]]:
    loaded = Loaded(small_shop(), FEW)
    partition = loaded.engine.partitions[0]
    encode = msgspec.json.Encoder().encode

    def write(customers: int) -> None:
        for _, document in documents(partition, np.arange(customers, dtype=np.int32)):
            encode(document)

    rows: list[list[object]] = [
        [f"a document, of {count:,} written together", _median(partial(write, count)) / count * 1e6, "us"]
        for count in (20, 1_000)
    ]
    declared = partition.plan.declared  # every expression of this shop is one metric and nothing more
    declared |= {name: (spec, -1) for name, (spec, _) in declared.items()}
    rows.append(["the same, metrics read as columns", _median(partial(write, 1_000)) / 1_000 * 1e6, "us"])
    return rows


def _forks() -> list[list[object]]:
    loaded = Loaded(small_shop(), CUSTOMERS)
    forks, after, usual = [], [], []
    for _ in range(TIMES // 3):
        usual.append(loaded.pass_over(1_000, CHANGES))
        children: list[int] = []
        forks.append(cpu(lambda: children.append(_sleeper())) * 1e3)  # noqa: B023 - called at once
        after.append(loaded.pass_over(1_000, CHANGES))
        os.kill(children[0], signal.SIGKILL)
        os.waitpid(children[0], 0)
    return [
        [f"birth of a snapshot's child, {CUSTOMERS:,} customers", median(forks), "ms"],
        ["a change in the engine, batch 1,000", median(usual), "us"],
        [f"the same, {CHANGES:,} of them right after the birth", median(after), "us"],
    ]


def _sleeper() -> int:
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    return child


def _collections() -> list[list[object]]:
    """A full collection in a shop at work, before and after what stays is frozen."""
    with (
        TemporaryDirectory(prefix="tintype-bench-") as name,
        at_work(Path(name), FEW, 28, 0),
    ):
        frozen = _median(gc.collect) * 1e3
        gc.unfreeze()
        count, usual = len(gc.get_objects()), _median(gc.collect) * 1e3
        spare_the_collector()
    return [
        [f"a full garbage collection, {count:,} objects", usual, "ms"],
        ["the same once they are frozen, as `tintype run` does", frozen, "ms"],
    ]


def _median(work: Callable[[], object]) -> float:
    """Return the median of some calls' seconds of process CPU."""
    return median(cpu(work) for _ in range(TIMES))


if __name__ == "__main__":
    main()
