"""A migrated log replayed beside the former one: what both come to must be equal (semantics L4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from app.effects import of_number
from app.replay import Effects, Replay, first_version
from app.shop import Shop
from app.worker.place import ClusterPlace
from engine.documents import documents
from engine.engine import Engine
from engine.partition import IMPORT
from rfm.report import Report
from streams.changes.copy import Copy
from streams.changes.wire import Incoming, outgoing
from streams.errors import InputError
from streams.migrate.send import Said
from streams.worker.log_reader import LogReader

_SHOWN = 3


@dataclass
class Replayed:
    """Engines behind both logs. former: one, or one for each partition of a cluster."""

    former: list[Replay]
    copies: list[Copy]
    replays: list[Replay]
    reports: dict[int, tuple[int, Mapping[str, Report]]] = field(default_factory=dict)

    @staticmethod
    def of(
        former: list[Replay], reader: LogReader, place: ClusterPlace, partitions: int, work: Path,
        effects: Effects = lambda *_: None,
    ) -> Replayed:  # fmt: skip
        """Replay the new log, which is copied into a folder first, beside the former. effects: get what comes
        out of the new one."""
        name = place.topics.shop
        copies = [Copy(work / f"{one:03d}", name, one, place.secret) for one in range(partitions)]
        for one in reader.log(None):
            copies[one.partition].add([one])
        replays = []
        for number, copy in enumerate(copies):
            shop = Shop.model_validate_json(first_version(copy.log) or "")
            replay = Replay(copy.log, shop, of_number(effects, number), apart=True)
            replay.follow()
            replays.append(replay)
        return Replayed(former, copies, replays)

    @property
    def shop(self) -> Shop:
        """The settings in force at the logs' end."""
        return self.former[0].shop

    def effects(self) -> list[int]:
        """Return how many effects each partition has brought about."""
        return [one.engine.digests[0].count for one in self.replays]

    def feed(self, blocks: Sequence[Said]) -> None:
        """Let the new log go on with blocks that are about to be sent."""
        for block, holds, told in blocks:
            copy, one = self.copies[block.partition], outgoing(block, holds, told, keeps_minutes=True)
            headers = dict(one.headers)
            copy.add([Incoming(block.partition, copy.next_offset, block.last_minute, one.value, headers)])
        for replay in self.replays:
            replay.follow()

    def report(self, ticks: Sequence[Said], minute: int) -> list[Mapping[str, Report]]:
        """Let both logs open a minute, by ticks; return each new partition's populations there."""
        for number, replay in enumerate(self.replays):
            assert replay.engine.apart is not None  # they were made so
            replay.engine.apart.report = self._listener(number)
        self.feed(ticks)
        for replay in self.former:
            replay.engine.advance(minute, IMPORT)
        assert {at for at, _ in self.reports.values()} == {minute}
        return [self.reports[number][1] for number in range(len(self.replays))]

    def _listener(self, number: int) -> Any:
        def listen(_: int, minute: int, models: Mapping[str, Report]) -> None:
            self.reports[number] = minute, models

        return listen

    def close(self) -> None:
        """Close the copies."""
        for one in self.copies:
            one.close()


def compare(replayed: Replayed) -> int:
    """Return how many customers there are, if metrics, attributes, scores and tags are the former log's.

    Raises InputError, with the first that differ, where they are not.
    """
    there, here = (
        {id_: state for one in replays for id_, state in _states(one.engine)}
        for replays in (replayed.former, replayed.replays)
    )
    differ = sorted(id_ for id_ in there.keys() | here.keys() if there.get(id_) != here.get(id_))
    if differ:
        shown = "; ".join(f"{id_}: {there.get(id_)} became {here.get(id_)}" for id_ in differ[:_SHOWN])
        raise InputError(
            "the new log", f"{len(differ)} of {len(there)} customers come to something else: {shown}",
            "this is a defect of Tintype: keep the former log, and report it",
        )  # fmt: skip
    return len(here)


def _states(engine: Engine) -> Iterator[tuple[str, Any]]:
    """Yield (customer, what their profile says but for when it came to be so)."""
    for partition in engine.partitions:
        everybody = np.arange(partition.customers, dtype=np.int32)
        for customer, document in documents(partition, everybody):
            if document is not None:
                said = {**document, "tags": sorted(document["tags"])}
                yield customer.hex(), msgspec.json.decode(msgspec.json.encode(said))
