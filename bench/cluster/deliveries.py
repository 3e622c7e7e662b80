"""What a delivery costs whose ledger is a topic: ``python -m bench.cluster.deliveries [COUNT]``.

Decisions are queued, claimed, sent to a provider that accepts at once, and settled; every record is a
committed transaction of a real Kafka, which is started here where none runs.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import sys
import tempfile
import time
import uuid
from pathlib import Path

from bench.cluster.measure import servers
from bench.deliveries import PAGE, Ready, make, queue, tell
from sinks.deliveries.dispatch import Dispatcher
from sinks.deliveries.journal import TopicJournal
from sinks.deliveries.lane import Lane, Surroundings
from sinks.deliveries.life import State
from sinks.deliveries.limits import Limits
from sinks.deliveries.logged import LedgerCopy, LoggedLedger
from streams.changes.reading import fetches
from streams.changes.topics import Topics, make_topics

COUNT = 100_000
MINUTE = 29_540_000


def main(count: int) -> None:
    """Measure on a Kafka; end it where it was started for this."""
    with servers() as found:
        measure(found.kafka.address, count)


def measure(kafka: str, count: int) -> None:
    """Queue and drain so many, then read the topic into a copy; print the rates."""
    topics = Topics(f"bench-{uuid.uuid4().hex[:8]}")
    make_topics(kafka, topics, 1, {})
    folder = Path(tempfile.mkdtemp(prefix="tintype-deliveries-"))
    commits: list[int] = []
    journal = TopicJournal(kafka, topics, lambda: True, print, lambda: commits.append(1))
    ledger = LoggedLedger(folder / "own", journal)
    try:
        journal.begin(ledger.next, ledger.follow)
        began, cpu = time.perf_counter(), time.process_time()
        for at in range(0, count, PAGE):
            queue(ledger, at, min(at + PAGE, count))
        tell(print, "queued", count, time.perf_counter() - began, time.process_time() - cpu)
        commits.clear()
        began, cpu, provider = time.perf_counter(), time.process_time(), Ready()
        asyncio.run(_drain(ledger, provider, count))
        tell(print, "claimed, sent, settled", count, time.perf_counter() - began, time.process_time() - cpu)
        print(f"in {len(commits):,} transactions")
        assert provider.sent == ledger.count(State.SENT) == count
        _copy(kafka, topics, folder, count)
    finally:
        journal.close()
        ledger.close()
        shutil.rmtree(folder)


async def _drain(ledger: LoggedLedger, provider: Ready, count: int) -> None:
    around = Surroundings(
        ledger, make, lambda _: None, lambda: MINUTE * 60.0, random.Random(1), lambda _: None, print
    )  # fmt: skip
    lane = Lane(around, "sms", "sms/0", provider, Limits([]), 0, 1)
    dispatcher = Dispatcher(around, {"sms": [lane]})
    running = asyncio.create_task(dispatcher.run())
    while provider.sent < count or lane.sending:
        await asyncio.sleep(0.01)
    dispatcher.stop()
    await running


def _copy(kafka: str, topics: Topics, folder: Path, count: int) -> None:
    copy = LedgerCopy(folder / "copy")
    began, cpu, size = time.perf_counter(), time.process_time(), 0
    for _, records in fetches(kafka, topics.ledger, {0: 0}):
        copy.follow([(one.offset, one.value) for one in records])
        size += sum(len(one.value) for one in records)
    tell(print, "read into a copy", count, time.perf_counter() - began, time.process_time() - cpu)
    print(f"{size / count:,.0f} bytes of the topic each")
    copy.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT)
