"""Lanes of one shop under a seeded scheduler: their steps interleave, owners end between any two, the index
loses everything."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import redis

from app.inspect import held_at
from app.replay import Replay
from app.shop import Shop
from reference.pieces import Pieces
from streams.arrive import Arrivals
from streams.changes.copy import Copy
from streams.changes.wire import Incoming
from streams.log.log import Log
from streams.shared.claim import check_life, claim
from streams.shared.index import Busy, Index, Lost
from streams.shared.lane import Batch, Lane
from tests.called import SECRET
from tests.shared.small_shop import START_MS, Feed
from tests.shared.topic import Topic


@dataclass
class Worker:
    """One lane's owner: between `take`, `send` and `tell` it may end."""

    lane: Lane
    at: int  # messages taken
    batch: Batch | None = None
    offsets: list[int] | None = None


class Simulation:
    """Runs a feed through its lanes. What a run does follows from its seed alone."""

    def __init__(self, shop: Shop, feed: Feed, client: redis.Redis, seed: int, partitions: int = 4) -> None:
        self.shop, self.feed, self.client = shop, feed, client
        self.random = random.Random(seed)
        self.index = Index(client, shop.settings.name)
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

    def held(self, folder: Path) -> dict[str, pd.DataFrame]:
        """Return what engines behind the log hold."""
        parts = []
        for partition, messages in enumerate(self.topic.log):
            copy = Copy(folder / str(partition), self.shop.settings.name, partition, SECRET)
            copy.add(messages)
            replay = Replay(copy.log, self.shop, lambda *_: None)
            replay.follow()
            parts.append(held_at(replay.engine, Pieces.of(self.shop, self.shop.triggers)))
            copy.close()
        return {name: pd.concat([part[name] for part in parts]).sort_index() for name in parts[0]}


def embedded(shop: Shop, feed: Feed, folder: Path) -> dict[str, pd.DataFrame]:
    """Return what an engine holds behind a log that took the same messages in, one topic after the other."""
    with Log.create(folder, shop.settings.name, 1, SECRET) as log:
        arrivals = Arrivals(log)
        for name in sorted(feed.topics):
            arrivals.take(shop, [(feed.topics[name], None)], feed.start_ms // 60_000)
        replay = Replay(log, shop, lambda *_: None)
        replay.follow()
        held = held_at(replay.engine, Pieces.of(shop, shop.triggers))
        return {name: frame.sort_index() for name, frame in held.items()}
