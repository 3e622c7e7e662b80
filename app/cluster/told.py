"""What a cluster has told of its decisions: their topic, in the order of the log, for whoever compares."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from app.worker.place import ClusterPlace
from engine.outcome import Decision
from sinks.topics.cursor import read_cursor
from sinks.topics.names import DECISIONS, topics_of
from streams.changes.reading import fetches
from streams.debezium import kafka

_CREATE = (
    "CREATE TABLE told (partition INTEGER, seq INTEGER, at INTEGER, offset INTEGER, body BLOB, "
    "PRIMARY KEY (partition, seq, at, offset)) WITHOUT ROWID"
)
_READ = "SELECT at, offset, body FROM told WHERE partition = ? ORDER BY seq, at, offset"


@dataclass(frozen=True)
class Told:
    """A decision as its topic has it. at, offset: the topic's partition, and the place there."""

    decision: Decision
    at: int
    offset: int


class ToldDecisions:
    """The topic, read into a file: a week of it may be large.

    parts: how many partitions it has; until: for each partition of the log the last effect that is there for
    certain, as far as the topic keeps it.
    """

    def __init__(self, file: Path, parts: int, until: Sequence[int]) -> None:
        self._file = sqlite3.connect(file, isolation_level=None)
        self._file.execute("PRAGMA journal_mode = OFF")
        self._file.execute("PRAGMA synchronous = OFF")
        self._file.execute(_CREATE)
        self.parts, self.until = parts, until

    @staticmethod
    def read(place: ClusterPlace, partitions: int, file: Path) -> ToldDecisions:
        """Read what is committed by now. Raises InputError where Kafka does not answer."""
        topics = topics_of(place.topics.shop)
        until = asyncio.run(_until(place, topics.drained, partitions))
        with kafka.consumer(place.bootstrap) as consumer:
            begins = consumer.beginning_offsets(kafka.partitions_of(consumer, [topics.decisions]))
        begin: Mapping[int, int] = {at.partition: offset for at, offset in begins.items()}
        made = ToldDecisions(file, len(begin), until)
        for at, records in fetches(place.bootstrap, topics.decisions, begin):
            made.take(at, [(one.offset, one.value) for one in records])
        return made

    def take(self, at: int, records: Sequence[tuple[int, bytes]]) -> None:
        """Take in records (offset, value) of a partition of the topic."""
        marks = [msgspec.json.decode(value, type=_Mark) for _, value in records]
        rows = [(mark.partition, mark.seq, at, *one) for mark, one in zip(marks, records, strict=True)]
        self._file.executemany("INSERT INTO told VALUES (?, ?, ?, ?, ?)", rows)

    def of(self, partition: int) -> Iterator[Told]:
        """Yield those of a partition of the log, in its order."""
        for at, offset, body in self._file.execute(_READ, (partition,)):
            yield Told(msgspec.json.decode(body, type=Decision), at, offset)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _Mark(msgspec.Struct):
    partition: int
    seq: int


async def _until(place: ClusterPlace, drained: str, partitions: int) -> list[int]:
    found = [await read_cursor(place.bootstrap, drained, one, [DECISIONS]) for one in range(partitions)]
    return [one[DECISIONS] for one in found]
