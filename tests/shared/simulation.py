"""Workers of one shop under a seeded scheduler: their steps interleave, they end between any two, lanes
change hands while a batch is on its way, the index loses everything."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import redis

from app.inspect import held_at
from app.replay import Replay
from app.runtime import keep_settings
from app.shop import Shop
from reference.pieces import Pieces
from streams.arrive import Arrivals
from streams.change import DELETE, MOVE_OUT
from streams.changes.copy import Copy
from streams.changes.wire import Incoming
from streams.live import append_ticks
from streams.log.block import CONTROL, Block
from streams.log.log import Log
from streams.shared.asked import Seen, Standing
from streams.shared.claim import bring_up, check_life
from streams.shared.index import Busy, Index, Lost
from streams.shared.lanes import Batch, Lanes, Part
from tests.called import SECRET
from tests.shared.small_shop import START_MS, Feed
from tests.shared.topic import Fenced, Topic

INTERRUPTS = 0.4  # how often another lane works in the middle of a batch
Rows = dict[
    tuple[str, ...], int
]  # (source, key, customer, values) of living rows, and how often each is there
ENVELOPE = {"ordinal", "minute", "op", "epoch", "position", "offset", "key_high", "key_low", "customer"}


@dataclass
class Worker:
    """Has some lanes. Between `take`, `send` and `tell` it may end, or lose some of them.

    at: by lane, messages taken; batch: on its way; offsets: of its blocks, once it is committed; claiming: a
    lane, as the index has it, and its committed offset, once nobody else can move that.
    """

    lanes: Lanes
    at: dict[str, int] = field(default_factory=dict)
    batch: Batch | None = None
    offsets: list[int] | None = None
    claiming: tuple[str, Standing, int | None] | None = None

    def begin_again(self, owner: str) -> None:
        """Forget what was claimed."""
        self.lanes.begin_again(owner)
        self.at, self.batch, self.offsets, self.claiming = {}, None, None, None


class Interrupted(Index):
    """An index in whose moments others work: not while one of them does."""

    meanwhile: Callable[[str], None]
    is_interrupted = False

    def reserve(self, owner: str, lanes: Mapping[str, Standing], seen: Seen) -> bool:
        if not self.is_interrupted:
            self.is_interrupted = True
            try:
                self.meanwhile(owner)
            finally:
                self.is_interrupted = False
        return super().reserve(owner, lanes, seen)


class Simulation:
    """Runs a feed through lanes that workers share. What a run does follows from its seed alone."""

    def __init__(
        self, shop: Shop, feed: Feed, client: redis.Redis, seed: int, partitions: int = 4, pace: int = 0
    ) -> None:  # fmt: skip
        self.shop, self.feed, self.client = shop, feed, client
        self.random = random.Random(seed)
        self.index = Interrupted(client, shop.settings.name)
        self.index.meanwhile = self._meanwhile
        self.topic = Topic(partitions, START_MS // 60_000, pace)
        self.counts = {"crash": 0, "lost": 0, "fenced": 0, "moved": 0, "busy": 0, "taken": 0}
        self._names = 0
        self.workers = [self._worker() for _ in range(self.random.randrange(1, 4))]
        self.assigned = {name: self.random.choice(self.workers) for name in sorted(feed.topics)}

    def _name(self) -> str:
        self._names += 1
        return f"owner-{self._names}"

    def _worker(self) -> Worker:
        partitions = self.topic.partitions
        return Worker(Lanes(self._name(), self.index, self.shop, partitions, SECRET, self.topic.recall))

    def _log(self, since: int | None) -> Iterable[Incoming]:
        assert since is None or since >= 0  # Kafka refuses what lies before 1970
        return [one for partition in self.topic.log for one in partition]

    def run(self, crashes: float = 0.0, losses: float = 0.0, moves: float = 0.0) -> Simulation:
        """Take everything in; crashes, losses, moves: how likely each is before a step."""
        while ready := [one for one in self.workers if self._has_work(one)]:
            worker = self.random.choice(ready)
            if self.random.random() < losses:
                self.client.flushall()
            if self.random.random() < moves:
                self.counts["moved"] += 1
                self.assigned[self.random.choice(sorted(self.assigned))] = self.random.choice(self.workers)
            if self.random.random() < crashes:
                self.counts["crash"] += 1
                worker.begin_again(self._name())
                continue
            self._try(worker)
        return self

    def _try(self, worker: Worker) -> None:
        try:
            self._step(worker)
        except (Lost, Fenced) as error:
            self.counts["lost" if isinstance(error, Lost) else "fenced"] += 1
            worker.begin_again(self._name())

    def _meanwhile(self, owner: str) -> None:
        """Between what a batch looks up and what it reserves, another one may go all the way."""
        others = [one for one in self.workers if one.lanes.owner != owner and one.batch is None]
        ready = [one for one in others if self._has_work(one)]
        if ready and self.random.random() < INTERRUPTS:
            worker = self.random.choice(ready)
            for _ in range(3):
                self._try(worker)

    def _open(self, worker: Worker) -> list[str]:
        """Return the worker's lanes that have messages which are not in the log."""
        mine = [name for name, whose in self.assigned.items() if whose is worker]
        return [name for name in mine if self.topic.committed.get(name, 0) < len(self.feed.topics[name])]

    def _has_work(self, worker: Worker) -> bool:
        return bool(worker.batch or self._open(worker) or self._unclaimed(worker))

    def _unclaimed(self, worker: Worker) -> list[str]:
        mine = [name for name, whose in self.assigned.items() if whose is worker]
        return [name for name in mine if name not in worker.lanes.standings]

    def _step(self, worker: Worker) -> None:
        if worker.batch is None:
            self._take(worker)
        elif worker.offsets is None:
            check_life(self.index, [worker.lanes.standings[name] for name in worker.batch.next])
            worker.offsets = self.topic.send(worker.lanes.owner, worker.batch)
        else:
            worker.lanes.sent(worker.offsets)
            worker.batch = worker.offsets = None

    def _claim(self, worker: Worker, unclaimed: list[str]) -> None:
        """Go one of three steps: others may claim the lane between them."""
        if worker.claiming is None:
            name = self.random.choice(unclaimed)
            worker.claiming = name, self.index.claim(name), None
            return
        name, standing, committed = worker.claiming
        if committed is None:
            worker.claiming = name, standing, self.topic.claim(name, worker.lanes.owner)
            return
        worker.claiming = None
        stands = bring_up(self.index, name, standing, committed, self._log, lambda: self.topic.keys)
        worker.lanes.own(name, stands)
        worker.at[name] = committed

    def _take(self, worker: Worker) -> None:
        lanes = worker.lanes
        if unclaimed := self._unclaimed(worker):
            self._claim(worker, unclaimed)
            return
        open_ = self._open(worker)
        if not open_:
            return
        names = self.random.sample(open_, self.random.randrange(1, len(open_) + 1))
        check_life(self.index, [lanes.standings[name] for name in names])
        parts = {}
        for name in names:
            messages = self.feed.topics[name][worker.at[name] : worker.at[name] + self.random.randrange(1, 6)]
            parts[name] = Part(messages, worker.at[name] + len(messages))
        try:
            worker.batch = lanes.take(parts, START_MS)
        except Busy:
            self.counts["busy"] += 1
            return
        worker.at.update(worker.batch.next)
        self.counts["taken"] += 1

    def rows(self) -> Rows:
        """Return what the log's partitions come to."""
        blocks = [[one.block(0, -1) for one in partition] for partition in self.topic.log]
        return rows_of(blocks)

    def held(self, minute: int, folder: Path) -> dict[str, pd.DataFrame]:
        """Return what engines behind the partitions hold at a minute."""
        found = []
        for number, messages in enumerate(self.topic.log):
            copy = Copy(folder / str(number), self.shop.settings.name, number, SECRET)
            copy.add(messages)
            append_ticks(copy.log, minute)
            found.append(held_behind(copy.log, self.shop, apart=True))
            copy.close()
        return {name: pd.concat([one[name] for one in found]).sort_index() for name in found[0]}


def embedded(shop: Shop, feed: Feed, folder: Path) -> Rows:
    """Return what a log comes to that took the same messages in, one topic after the other."""
    with taken_in(shop, feed, folder) as log:
        return rows_of([list(log.blocks(0))])


def held(shop: Shop, feed: Feed, folder: Path, minute: int | None = None) -> dict[str, pd.DataFrame]:
    """Return what an engine holds behind such a log, at a minute (None: the log's last)."""
    with taken_in(shop, feed, folder) as log:
        if minute is not None:
            append_ticks(log, minute)
        return held_behind(log, shop)


def held_behind(log: Log, shop: Shop, apart: bool | None = None) -> dict[str, pd.DataFrame]:
    """Return what an engine holds behind a log; apart: as of `Replay`."""
    replay = Replay(log, shop, lambda *_: None, apart=apart)
    replay.follow()
    found = held_at(replay.engine, Pieces.of(shop, shop.triggers))
    return {name: frame.sort_index() for name, frame in found.items()}


def taken_in(shop: Shop, feed: Feed, folder: Path, settings: bool = False) -> Log:
    """Return a log that took a feed's messages in; settings: with a record of them before."""
    log = Log.create(folder, shop.settings.name, 1, SECRET)
    if settings:
        keep_settings(log, shop)
    arrivals = Arrivals(log)
    for name in sorted(feed.topics):
        arrivals.take(shop, [(feed.topics[name], None)], feed.start_ms // 60_000)
    return log


def rows_of(partitions: Iterable[Iterable[Block]]) -> Rows:
    """Read rows off the records of each partition: an older or equal position is passed over (W1)."""
    found: Rows = {}
    for blocks in partitions:
        last: dict[tuple[str, bytes], tuple[tuple[int, ...], tuple[str, ...] | None]] = {}
        for block in blocks:
            for name, table in block.tables().items():
                if name != CONTROL:
                    _apply(last, name, table.to_pylist())
        for (source, _), (_, row) in last.items():
            if row is not None:
                place = (source, *row)
                found[place] = found.get(place, 0) + 1
    return found


def _apply(last: dict[tuple[str, bytes], Any], source: str, records: list[dict[str, Any]]) -> None:
    for one in records:
        key = (
            source,
            one["key_high"].to_bytes(8, "big", signed=True) + one["key_low"].to_bytes(8, "big", signed=True),
        )
        position = one["epoch"], one["position"], one["offset"]
        if key in last and position <= last[key][0]:
            continue
        gone = one["op"] in (DELETE, MOVE_OUT)
        told = {name: value for name, value in one.items() if name not in ENVELOPE}
        last[key] = (
            position,
            None if gone else (key[1].hex(), one["customer"].hex(), str(sorted(told.items()))),
        )
