"""The lanes of a worker: partitions of sources' topics on their way into the log, one batch after the other.

A batch has messages of any of them, and takes three steps; a crash between any two leaves nothing lost and
nothing double:

1. `take`: messages become blocks at the desk, with what the index knows of them. New references and keys are
   reserved in the index, so that no other worker gives them to somebody else, and rows that stand under each
   other are marked, so that no other worker moves them meanwhile; where one did, the batch is taken anew;
2. the caller sends blocks, keys, dead letters and the next offsets of the lanes' topics in one transaction,
   if the index still is whole;
3. `sent`: the index learns what the batch changed, and the marks go.

Who owns a lane anew brings the index up to the log first (`streams.shared.claim`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from streams.shared.asked import Standing
from streams.shared.delta import Delta, delta_of, seen_of, told, writes_of
from streams.shared.desk import Desk, Recall
from streams.shared.index import Index

if TYPE_CHECKING:
    from app.shop import Shop

MOST_LETTERS = 1_000_000
DIRECTORY = "directory"  # kind of the control record of a block that only tells the index something


@dataclass(frozen=True)
class Part:
    """What one lane has for a batch. following: the first offset of its topic behind the messages."""

    messages: Sequence[Message]
    following: int


@dataclass(frozen=True)
class Batch:
    """What is to be sent in one transaction. keys: (customer, number, wrapped key, or None where it is
    forgotten); next: by lane the first offset of its topic that is not in it."""

    blocks: list[Outgoing]
    keys: list[tuple[bytes, int, bytes | None]]
    dead: list[DeadLetter]
    next: Mapping[str, int]


class Lanes:
    """The lanes that one owner has. Use it from one thread at a time."""

    def __init__(
        self, owner: str, index: Index, shop: Shop, partitions: int, secret: bytes, recall: Recall
    ) -> None:
        """owner: a name that nobody else has, nor had before."""
        self.owner = owner
        self.index = index
        self.shop = self._following_shop = shop
        self._sources: Mapping[str, Source] = known_to(shop.sources, shop.tags)
        self.desk = Desk(shop.settings.name, partitions, index, secret, recall)
        self._arrivals = Arrivals(self.desk)
        self.standings: dict[str, Standing] = {}
        self._delta = Delta()
        self._after: dict[str, Standing] = {}

    def use(self, shop: Shop) -> None:
        """Go on under other settings from the next batch on. May be called from another thread."""
        self._following_shop = shop

    def own(self, lane: str, standing: Standing) -> None:
        """Begin: a lane (``topic/partition``) was claimed, and the index has all that the log says of it."""
        self.standings[lane] = standing

    def begin_again(self, owner: str) -> None:
        """Let go of all lanes, whatever became of the batch at hand, to claim some under another name."""
        self.owner = owner
        self.standings = {}
        self.desk.let_go()

    @property
    def sources(self) -> Mapping[str, Source]:
        """The sources of the settings in use, and those that every shop has."""
        return self._sources

    def take(self, parts: Mapping[str, Part], now_ms: int) -> Batch:
        """Take messages of some lanes in, by name. Raises Lost and Busy."""
        minute = now_ms // 60_000
        if self.shop is not self._following_shop:
            self.shop = self._following_shop
            self._sources = known_to(self.shop.sources, self.shop.tags)
        before = self._arrivals.freshness()
        mine = {name: self.standings[name] for name in parts}
        while True:
            self.desk.begin(mine)
            self._arrivals.set_freshness(before)
            self._arrivals.take(self.shop, [(part.messages, None) for part in parts.values()], minute)
            seen = seen_of(self.index, self.desk, self._sources)
            if self.index.reserve(self.owner, mine, seen):
                break
        return self._batch({name: part.following for name, part in parts.items()}, now_ms)

    def _batch(self, following: Mapping[str, int], now_ms: int) -> Batch:
        keys = self.desk.shared_vault.news()
        self._delta = delta_of(self.desk)
        says, rest = told(self.desk, self._delta, self._sources)
        if not rest.is_empty():
            says.append(rest)
            self._put_directory(now_ms // 60_000)
        offset, positions = self.desk.offset(), self.desk.lanes.positions
        self._after = {
            name: replace(
                self.standings[name], next=after, offset=offset, positions=positions[name], at=now_ms
            )
            for name, after in following.items()
        }
        origins = [Origin(name, one.next, offset, one.positions) for name, one in self._after.items()]
        blocks = [
            outgoing(put.block, put.holds, said, [] if at else origins)
            for at, (put, said) in enumerate(zip(self.desk.put, says, strict=True))
        ]
        dead = letters(self.desk, state=None, limit=MOST_LETTERS)
        return Batch(blocks, [(one, 1, key) for one, key in keys], dead, following)

    def _put_directory(self, minute: int) -> None:
        """Put a block down that carries what no other block can."""
        part = xxhash.xxh3_64_intdigest(self.owner.encode()) % self.desk.partitions
        step = self.desk.next_step(part)
        block = control_block([Control(DIRECTORY, None, "{}")], step, minute, part)
        self.desk.append(block, [f"!{DIRECTORY}"])

    def sent(self, offsets: Sequence[int]) -> None:
        """Tell the index: the blocks stand at these offsets of their partitions, and the transaction is
        committed. Raises `index.Lost`."""
        writes = writes_of(self.index, self.desk, self._delta, self._sources, offsets)
        before = {name: self.standings[name] for name in self._after}
        self.index.apply(self.owner, before, writes, self._after)
        self.standings.update(self._after)
