"""A lane: one partition of a source's topic on its way into the log, one batch after the other.

A batch takes three steps, and a crash between any two leaves nothing lost and nothing double:

1. `take`: messages become blocks at the desk, with what the index knows of them. New references and keys are
   reserved in the index, so that no other lane gives them to somebody else, and rows that stand under each
   other are marked, so that no other lane moves them meanwhile; where one did, the batch is taken anew;
2. the caller sends blocks, keys, dead letters and the next offset of the lane's topic in one transaction, if
   the index still is whole;
3. `sent`: the index learns what the batch changed, and the marks go.

Who owns a lane anew brings the index up to the log first (`streams.shared.recover`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import xxhash

from streams.arrive import Arrivals
from streams.changes.controls import control_block
from streams.changes.wire import Origin, Outgoing, outgoing
from streams.contract.columns import known_to
from streams.contract.source import Source
from streams.control import Control
from streams.dead.letters import DeadLetter, letters
from streams.message import Message
from streams.shared.delta import Delta, delta_of, seen_of, told, writes_of
from streams.shared.desk import Desk, Recall
from streams.shared.index import Index, Standing

if TYPE_CHECKING:
    from app.shop import Shop

MOST_LETTERS = 1_000_000
DIRECTORY = "directory"  # kind of the control record of a block that only tells the index something


@dataclass(frozen=True)
class Batch:
    """What is to be sent in one transaction. keys: (customer, number, wrapped key); next: the first offset of
    the lane's topic that is not in it."""

    blocks: list[Outgoing]
    keys: list[tuple[bytes, int, bytes]]
    dead: list[DeadLetter]
    next: int


class Lane:
    """Owns one lane. Use it from one thread at a time."""

    def __init__(
        self, name: str, index: Index, shop: Shop, partitions: int, secret: bytes, recall: Recall
    ) -> None:
        """name: ``topic/partition``."""
        self.name = name
        self.index = index
        self.shop = self._following_shop = shop
        self._sources: Mapping[str, Source] = known_to(shop.sources, shop.tags)
        self.desk = Desk(shop.settings.name, partitions, index, secret, recall)
        self._arrivals = Arrivals(self.desk)
        self.standing = Standing(0, 0, 0, {}, 0)
        self._delta = Delta()
        self._after = self.standing

    def use(self, shop: Shop) -> None:
        """Go on under other settings from the next batch on. May be called from another thread."""
        self._following_shop = shop

    def own(self, standing: Standing) -> None:
        """Begin: the lane was claimed, and the index has all that the log says of it."""
        self.standing = standing

    def take(self, messages: Sequence[Message], following: int, now_ms: int) -> Batch:
        """Take messages in; following: the offset behind the last of them. Raises Lost and Busy."""
        minute = now_ms // 60_000
        if self.shop is not self._following_shop:
            self.shop = self._following_shop
            self._sources = known_to(self.shop.sources, self.shop.tags)
        before = self._arrivals.freshness()

        def work() -> None:
            self._arrivals.set_freshness(before)
            self._arrivals.take(self.shop, [(messages, None)], minute)

        return self._batch(work, following, now_ms)

    def _batch(self, work: Callable[[], None], following: int, now_ms: int) -> Batch:
        while True:
            self.desk.begin(self.standing.offset, dict(self.standing.positions))
            work()
            if self.index.reserve(self.name, self.standing, seen_of(self.index, self.desk, self._sources)):
                break
        keys = self.desk.shared_vault.news()
        self._delta = delta_of(self.desk)
        says, rest = told(self.desk, self._delta, self._sources)
        if not rest.is_empty():
            says.append(rest)
            self._put_directory(now_ms // 60_000)
        positions = {**self.standing.positions, **self.desk.positions()}
        self._after = replace(
            self.standing, next=following, offset=self.desk.offset(), positions=positions, at=now_ms
        )
        origin = Origin(self.name, following, self._after.offset, positions)
        blocks = [
            outgoing(put.block, put.holds, said, origin)
            for put, said in zip(self.desk.put, says, strict=True)
        ]
        dead = letters(self.desk, state=None, limit=MOST_LETTERS)
        return Batch(blocks, [(one, 1, key) for one, key in keys], dead, following)

    def _put_directory(self, minute: int) -> None:
        """Put a block down that carries what no other block can."""
        part = xxhash.xxh3_64_intdigest(self.name.encode()) % self.desk.partitions
        step = self.desk.next_step(part)
        block = control_block([Control(DIRECTORY, None, "{}")], step, minute, part)
        self.desk.append(block, [f"!{DIRECTORY}"])

    def sent(self, offsets: Sequence[int]) -> None:
        """Tell the index: the blocks stand at these offsets of their partitions, and the transaction is
        committed. Raises `index.Lost`."""
        writes = writes_of(self.index, self.desk, self._delta, self._sources, offsets)
        self.index.apply(self.name, self.standing, writes, self._after)
        self.standing = self._after
