"""What keeping changes of tags costs: ``python -m bench.tag_changes [COUNT]``.

Pages as an import leaves them in the outbox (500 changes each, a million when COUNT is absent) are taken into
a ledger, on a disk that syncs, then read back by a consumer; then the changes of one customer are looked for.
CPU of the process. ``passed over``: the same pages taken over as they were before changes were kept. ``as
rows``: what was not chosen, a row for each change and an index by customer.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import msgspec

from app.commit import PAGE
from app.sending.courier_relay import NAME, PAGES, CourierRelay
from engine.outcome import Transition
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.tables import FILE_NAME
from sinks.deliveries.tag_changes import tag_changes_after
from sinks.store.store import Page

COUNT = 1_000_000
MINUTE = 29_540_000
MINUTES = 20 * 1440  # of the log, over which they are spread: all are kept
CUSTOMERS = 100_000
READ = 100  # at once, as a stream does
_SPREAD = 0x9E3779B97F4A7C15F39CC0605CEDC835  # odd: ids are as good as random, and no two are one
TAGS = ("高价值客户", "沉默客户", "rfm", "普通客户")


class Made:
    """An outbox whose pages are made as they are asked for. seconds: of CPU that it took to make them."""

    def __init__(self, count: int) -> None:
        self._pages, self.seconds = pages(count), 0.0

    def pages(self, partition: int, after: int, limit: int) -> list[Page]:
        began = time.process_time()
        found = list(islice(self._pages, limit))
        self.seconds += time.process_time() - began
        return found


def pages(count: int) -> Iterator[Page]:
    """Yield so many changes, in pages."""
    chance = random.Random(7)
    for first in range(0, count, PAGE):
        changes = [_change(chance, seq, count) for seq in range(first, min(first + PAGE, count))]
        yield Page(first, first + len(changes) - 1, 0, msgspec.json.encode(changes))


def _change(chance: random.Random, seq: int, count: int) -> Transition:
    what, customer = chance.choice(TAGS), f"{chance.randrange(CUSTOMERS) * _SPREAD % 2**128:032x}"
    place = (0, seq * 3, MINUTE + seq * MINUTES // count, customer, what)
    if what == "rfm":
        return Transition(*place, "segment", "import", "新近客户", "忠诚客户", {}, seq)
    values = {'sum(orders.amount, "365d", status != "cancelled")': chance.randrange(1_000_000),
              'count(orders, "365d")': chance.randrange(40)}  # fmt: skip
    return Transition(*place, chance.choice(("enter", "leave")), "import", values=values, seq=seq)


def main(count: int, say: Callable[[str], None] = print) -> float:
    """Take over so many and read them; return microseconds of CPU that one costs to keep."""
    folder = Path(tempfile.mkdtemp(prefix="tintype-tag-changes-"))
    ledger = Ledger(folder)
    try:
        before, kept = _pass_over(ledger, count), _take(ledger, count)
        size = _size(folder, ledger)
        each, read = (kept - before) / count * 1e6, _cpu(lambda: _read(ledger, count)) / count * 1e6
        say(f"passed over    {before / count * 1e6:6.2f} us a change")
        say(f"kept           {each:6.2f} us a change more, {size / count:.0f} bytes on disk")
        say(f"read           {read:6.2f} us a change, {READ} at once")
        say(f"one customer's {_cpu(lambda: _of_one(ledger)) * 1e3:6.0f} ms, of {count:,}")
        rows, size = (_as_rows(ledger, count) - before) / count * 1e6, _size(folder, ledger) - size
        say(f"as rows        {rows:6.2f} us a change more, {size / count:.0f} bytes on disk")
        return each
    finally:
        ledger.close()
        shutil.rmtree(folder)


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _pass_over(ledger: Ledger, count: int) -> float:
    outbox, began = Made(count), time.process_time()
    while found := outbox.pages(0, 0, PAGES):
        for page in found:
            ledger.take("passed over", [], {0: page.last + 1})
    return time.process_time() - began - outbox.seconds


def _take(ledger: Ledger, count: int) -> float:
    outbox, began = Made(count), time.process_time()
    relay = CourierRelay(outbox, ledger, lambda _: None, 1)  # type: ignore[arg-type]  # all that it asks
    while relay.step():
        pass
    assert ledger.drained(NAME, 1) == [count]
    return time.process_time() - began - outbox.seconds


def _as_rows(ledger: Ledger, count: int) -> float:
    connection = ledger.connection
    connection.executescript(
        "CREATE TABLE each (number INTEGER PRIMARY KEY, minute INTEGER, customer TEXT, body BLOB);"
        "CREATE INDEX each_customer ON each (customer, number);"
    )
    outbox, began = Made(count), time.process_time()
    while found := outbox.pages(0, 0, PAGES):
        for page in found:
            raws = msgspec.json.decode(page.body, type=list[msgspec.Raw])
            marks = msgspec.json.decode(page.body, type=list[_Of])
            rows = [(None, mark.minute, mark.customer, bytes(raw))
                    for raw, mark in zip(raws, marks, strict=True)]  # fmt: skip
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO each VALUES (?, ?, ?, ?)", rows)
            connection.execute("INSERT OR REPLACE INTO drained VALUES ('as rows', 0, ?)", (page.last + 1,))
            connection.execute("COMMIT")
    return time.process_time() - began - outbox.seconds


class _Of(msgspec.Struct):
    minute: int
    customer: str


def _size(folder: Path, ledger: Ledger) -> int:
    ledger.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return (folder / FILE_NAME).stat().st_size


def _read(ledger: Ledger, count: int) -> None:
    at, read = None, 0
    while read < count:
        found, at = tag_changes_after(ledger.connection, at, READ)
        read += len(found)


def _of_one(ledger: Ledger) -> None:
    whose = next(pages(1)).body.partition(b'"customer":"')[2][:32].decode()
    at: int | None = None
    while True:
        _, end = tag_changes_after(ledger.connection, at, READ, whose)
        if end == at:
            return
        at = end


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT)
