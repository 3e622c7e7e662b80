"""What a decision in shadow costs the ledger: ``python -m bench.shadow [COUNT] [CUSTOMERS]``.

In a cluster one was kept, without its values; it is counted only. Prints the bytes of the topic's messages
and of the file that follows them, and the CPU, of both ways.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from engine.outcome import Decision
from sinks.deliveries.logged import LoggedLedger
from sinks.deliveries.records import Record, Taken, reached
from sinks.deliveries.shadow import to_count
from sinks.deliveries.shadowed import counted
from sinks.deliveries.tables import FILE_NAME
from sinks.topics.events import Event
from streams.changes.wire import Outgoing

COUNT, CUSTOMERS = 200_000, 50_000
PAGE = 1000  # decisions of one fetch, as the sender has them
MINUTE = 29_540_000
Way = Callable[[LoggedLedger, list[Decision]], Record | None]


class Topic:
    """A topic of which only the length matters."""

    def __init__(self) -> None:
        self.messages = self.bytes = 0

    def commit(
        self, message: bytes, outgoing: Sequence[Outgoing] = (), events: Sequence[Event] = ()
    ) -> int:
        self.messages += 1
        self.bytes += len(message)
        return self.messages


def kept(_: LoggedLedger, made: list[Decision]) -> Record | None:
    """Return what senders of former releases noted of decisions in shadow."""
    return Taken([(to_count(one), None) for one in made])


def count_only(ledger: LoggedLedger, made: list[Decision]) -> Record | None:
    """Return what is noted now."""
    return counted(ledger.connection, made)


def main(count: int, customers: int) -> None:
    """Measure both ways and print them."""
    for name, way in (("kept", kept), ("counted", count_only)):
        topic, size, used = measure(way, count, customers)
        print(f"{name}: {topic / count:.1f} bytes of the topic, {size / count:.1f} of the file a decision, "
              f"{count / used:,.0f} decisions a second of CPU")  # fmt: skip


def measure(way: Way, count: int, customers: int) -> tuple[int, int, float]:
    """Return the bytes of the topic and of the file, and seconds of CPU."""
    folder, topic = Path(tempfile.mkdtemp(prefix="tintype-shadow-")), Topic()
    ledger = LoggedLedger(folder, topic)
    try:
        began = time.process_time()
        for at in range(0, count, PAGE):
            record = way(ledger, [decided(one, customers) for one in range(at, min(at + PAGE, count))])
            ledger.do(*([] if record is None else [record]), reached("decisions", {0: at + PAGE}))
        used = time.process_time() - began
        ledger.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return topic.bytes, (folder / FILE_NAME).stat().st_size, used
    finally:
        ledger.close()
        shutil.rmtree(folder)


def decided(number: int, customers: int) -> Decision:
    """Return a decision in shadow: every fourth is refused by a cap; a minute has a thousand."""
    refused = number % 4 == 0
    return Decision(
        f"{number:032x}", number % 16, number, MINUTE + number // 1000, f"{number * 7919 % customers:032x}",
        "win_back", "9f86d081884c7d65", "refused" if refused else "act", "cap" if refused else "", "shadow",
        {"minute": MINUTE}, {"acted": 2} if refused else {}, {"count(orders)": number}, number,
    )  # fmt: skip


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:3]]
    main(*given, *(COUNT, CUSTOMERS)[len(given) :])
