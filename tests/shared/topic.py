"""The topic ``changes`` in memory, with the next offsets of the lanes: what a transaction writes."""

from __future__ import annotations

from dataclasses import dataclass, field

from streams.changes.wire import Incoming, Outgoing
from streams.log.block import Block


@dataclass
class Topic:
    """A log of so many partitions; minute: the broker's clock."""

    partitions: int
    minute: int
    log: list[list[Incoming]] = field(default_factory=list)
    committed: dict[str, int] = field(default_factory=dict)
    keys: list[tuple[bytes, int, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.log = [[] for _ in range(self.partitions)]

    def send(
        self, lane: str, blocks: list[Outgoing], keys: list[tuple[bytes, int, bytes]], following: int
    ) -> list[int]:
        """Commit a transaction; return the offsets of the blocks."""
        offsets = []
        for one in blocks:
            held = self.log[one.partition]
            offsets.append(len(held))
            held.append(Incoming(one.partition, len(held), self.minute, one.value, dict(one.headers)))
        self.keys += keys
        self.committed[lane] = following
        return offsets

    def recall(self, partition: int, place: int) -> Block:
        """Return the block at a place of the log."""
        return self.log[partition][place >> 12].block(place, -1)
