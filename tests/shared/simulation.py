"""Lanes of one shop under a seeded scheduler: their steps interleave, owners end between any two, the index
loses everything."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import redis

from app.inspect import held_at
from app.replay import Replay
from app.shop import Shop
from reference.pieces import Pieces
from streams.arrive import Arrivals
from streams.change import DELETE, MOVE_OUT
from streams.changes.wire import Incoming
from streams.log.block import CONTROL, Block
from streams.log.log import Log
from streams.shared.claim import check_life, claim
from streams.shared.index import Busy, Index, Lost, Seen, Standing
from streams.shared.lane import Batch, Lane
from tests.called import SECRET
from tests.shared.small_shop import START_MS, Feed
from tests.shared.topic import Topic

INTERRUPTS = 0.4  # how often another lane works in the middle of a batch
Rows = dict[
    tuple[str, ...], int
]  # (source, key, customer, values) of living rows, and how often each is there
ENVELOPE = {"ordinal", "minute", "op", "epoch", "position", "offset", "key_high", "key_low", "customer"}


@dataclass
class Worker:
    """One lane's owner: between `take`, `send` and `tell` it may end."""

    lane: Lane
    at: int  # messages taken
    batch: Batch | None = None
    offsets: list[int] | None = None


class Interrupted(Index):
    """An index in whose moments others work: not while one of them does."""

    meanwhile: Callable[[str], None]
    _is_interrupted = False

    def reserve(self, lane: str, standing: Standing, seen: Seen) -> bool:
        if not self._is_interrupted:
            self._is_interrupted = True
            try:
                self.meanwhile(lane)
            finally:
                self._is_interrupted = False
        return super().reserve(lane, standing, seen)


class Simulation:
    """Runs a feed through its lanes. What a run does follows from its seed alone."""

    def __init__(self, shop: Shop, feed: Feed, client: redis.Redis, seed: int, partitions: int = 4) -> None:
        self.shop, self.feed, self.client = shop, feed, client
        self.random = random.Random(seed)
        self.index = Interrupted(client, shop.settings.name)
        self.index.meanwhile = self._meanwhile
        self.topic = Topic(partitions, START_MS // 60_000)
        self.counts = {"crash": 0, "lost": 0, "busy": 0, "taken": 0}
        self.workers = {name: self._start(name) for name in sorted(feed.topics)}

    def _start(self, name: str) -> Worker:
        lane = Lane(name, self.index, self.shop, self.topic.partitions, SECRET, self.topic.recall)
        committed = self.topic.committed.get(name, 0)
        lane.own(claim(self.index, name, committed, self._log, lambda: list(self.topic.keys)))
        return Worker(lane, committed)

    def _log(self, since: int | None) -> Iterable[Incoming]:
        return [one for partition in self.topic.log for one in partition]

    def run(self, crashes: float = 0.0, losses: float = 0.0) -> Simulation:
        """Take everything in; crashes, losses: how likely each is before a step."""
        while open_ := [name for name, one in self.workers.items() if self._has_work(name, one)]:
            name = self.random.choice(open_)
            if self.random.random() < losses:
                self.client.flushall()
            if self.random.random() < crashes:
                self.counts["crash"] += 1
                self.workers[name] = self._start(name)
                continue
            try:
                self._step(name, self.workers[name])
            except Lost:
                self.counts["lost"] += 1
                self.workers[name] = self._start(name)
        return self

    def _meanwhile(self, lane: str) -> None:
        """Between what a lane looks up and what it reserves, another one's batch may go all the way."""
        others = [name for name, one in self.workers.items() if name != lane and one.batch is None]
        ready = [name for name in others if self._has_work(name, self.workers[name])]
        if not ready or self.random.random() > INTERRUPTS:
            return
        name = self.random.choice(ready)
        with contextlib.suppress(Lost):  # it is claimed anew when its turn comes
            for _ in range(3):
                self._step(name, self.workers[name])

    def _has_work(self, name: str, one: Worker) -> bool:
        return bool(one.batch or one.at < len(self.feed.topics[name]))

    def _step(self, name: str, one: Worker) -> None:
        if one.batch is None:
            check_life(self.index, one.lane.standing)
            messages = self.feed.topics[name][one.at : one.at + self.random.randrange(1, 6)]
            try:
                one.batch = one.lane.take(messages, one.at + len(messages), START_MS)
            except Busy:
                self.counts["busy"] += 1
                return
            one.at += len(messages)
            self.counts["taken"] += 1
        elif one.offsets is None:
            check_life(self.index, one.lane.standing)
            one.offsets = self.topic.send(name, one.batch.blocks, one.batch.keys, one.batch.next)
        else:
            one.lane.sent(one.offsets)
            one.batch = one.offsets = None

    def rows(self) -> Rows:
        """Return what the log's partitions come to."""
        blocks = [[one.block(0, -1) for one in partition] for partition in self.topic.log]
        return rows_of(blocks)


def embedded(shop: Shop, feed: Feed, folder: Path) -> Rows:
    """Return what a log comes to that took the same messages in, one topic after the other."""
    with taken_in(shop, feed, folder) as log:
        return rows_of([list(log.blocks(0))])


def held(shop: Shop, feed: Feed, folder: Path) -> dict[str, pd.DataFrame]:
    """Return what an engine holds behind such a log."""
    with taken_in(shop, feed, folder) as log:
        replay = Replay(log, shop, lambda *_: None)
        replay.follow()
        found = held_at(replay.engine, Pieces.of(shop, shop.triggers))
        return {name: frame.sort_index() for name, frame in found.items()}


def taken_in(shop: Shop, feed: Feed, folder: Path) -> Log:
    """Return a log that took a feed's messages in."""
    log = Log.create(folder, shop.settings.name, 1, SECRET)
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
