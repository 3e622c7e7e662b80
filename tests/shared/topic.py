"""The topic ``changes`` in memory, with the next offsets of the lanes: what a transaction writes."""

from __future__ import annotations

from dataclasses import dataclass, field

from streams.changes.keys import KeyRecord, unforgotten
from streams.changes.wire import Incoming
from streams.log.block import Block
from streams.shared.lanes import Batch


class Fenced(Exception):
    """Somebody else has claimed a lane of the producer's since."""


@dataclass
class Topic:
    """A log of so many partitions. minute: the broker's clock; pace: transactions a minute, 0: it stands."""

    partitions: int
    minute: int
    pace: int = 0
    log: list[list[Incoming]] = field(default_factory=list)
    committed: dict[str, int] = field(default_factory=dict)
    key_records: list[KeyRecord] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)
    fenced: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.log = [[] for _ in range(self.partitions)]
        self._sent = 0

    @property
    def keys(self) -> list[tuple[bytes, int, bytes]]:
        """The keys that were not forgotten."""
        return list(unforgotten(lambda: self.key_records))

    def claim(self, lane: str, owner: str) -> int:
        """Make a lane somebody's, and refuse whoever had it from now on; return its next offset."""
        before = self.owners.get(lane, owner)
        if before != owner:
            self.fenced.add(before)
        self.owners[lane] = owner
        return self.committed.get(lane, 0)

    def send(self, owner: str, batch: Batch) -> list[int]:
        """Commit a transaction; return the offsets of its blocks. Raises Fenced."""
        if owner in self.fenced:
            raise Fenced(owner)
        self._sent += 1
        if self.pace and self._sent % self.pace == 0:
            self.minute += 1
        offsets = []
        for one in batch.blocks:
            held = self.log[one.partition]
            offsets.append(len(held))
            held.append(Incoming(one.partition, len(held), self.minute, one.value, dict(one.headers)))
        for customer, number, wrapped in batch.keys:
            self.key_records.append(KeyRecord(customer, number, len(self.key_records), wrapped))
        self.committed.update(batch.next)
        return offsets

    def recall(self, partition: int, place: int) -> Block:
        """Return the block at a place of the log."""
        return self.log[partition][place >> 12].block(place, -1)
