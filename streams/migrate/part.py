"""One partition of a log as a log of its own, read-only: what a worker's copy of it would hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from streams.log.block import Block
from streams.log.log import Log


class Part(Log):
    """Partition ``number`` of a log that stays open and is the other's to close."""

    def __init__(self, whole: Log, number: int) -> None:
        super().__init__(whole.folder, whole.connection, whole.vault, None)
        self.partitions = 1
        self._number = number

    def next_step(self, partition: int) -> int:
        """Return the step of the next record; ``partition`` is 0, as everywhere here."""
        return super().next_step(self._number + partition)

    def clock(self, partition: int | None = None) -> int | None:
        """Return the largest append minute; None while empty."""
        return super().clock(self._number)

    def last_mode(self, partition: int) -> str | None:
        """Return the mode of the last block; None while empty."""
        return super().last_mode(self._number + partition)

    def blocks(
        self, partition: int, from_step: int = 0, to_step: int | None = None, holding: str | None = None
    ) -> Iterator[Block]:
        """Yield, in order, the blocks that hold a step of [from_step, to_step)."""
        for block in super().blocks(self._number + partition, from_step, to_step, holding):
            yield replace(block, partition=0)

    def close(self) -> None:
        """Leave it open."""
