"""One worker: what reads the sources, what owns partitions, and what goes between."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import redis
from aiokafka import TopicPartition

from app.shop import Shop
from app.worker.owning import Owning
from app.worker.partition import OwnedPartition, partition_folder
from app.worker.place import ClusterPlace, at_places_of
from app.worker.relays import PartitionRelays
from app.worker.reports import Reducer, encoded
from rfm.report import Report
from streams.changes.settings import Applied
from streams.control import SETTINGS, Control
from streams.errors import InputError
from streams.shared.index import Index
from streams.shared.lane import Lane
from streams.worker.intake import Intake
from streams.worker.keeper import Keeper
from streams.worker.log_reader import LogReader

log = logging.getLogger(__name__)


def applied_settings(place: ClusterPlace) -> Applied:
    """Return the settings that were applied last. Raises InputError where none were."""
    reader = LogReader(place.bootstrap, place.topics)
    try:
        found = reader.newest(place.topics.settings)
    finally:
        reader.close()
    if found is None:
        hint = "apply them: tintype apply SHOP"
        raise InputError(place.topics.settings, "no settings were applied yet", hint)
    return Applied.decoded(found)


class Worker:
    """Makes the parts; Faust runs them (`app.worker.application`). Two threads compute: one takes sources in,
    one follows partitions."""

    def __init__(self, place: ClusterPlace, shop: Shop, settings_body: Callable[[Shop], str]) -> None:
        """shop: the settings in force; settings_body: of a settings record."""
        self.place, self.shop = place, shop
        self._settings_body = settings_body
        self.ending = False
        self._taking = ThreadPoolExecutor(1, "intake")
        self._following = ThreadPoolExecutor(1, "engine")
        self._relaying = ThreadPoolExecutor(1, "history")
        self._reader = LogReader(place.bootstrap, place.topics)
        self._index = Index(place.client(), shop.settings.name)
        self._store = place.client()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.reports: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue(1000)
        self.reducer = Reducer(shop.settings.partitions)
        self.owning = Owning(
            place.bootstrap, place.topics.changes, place.owners, self._partition, self._relays,
            self._following,
        )  # fmt: skip
        self.intake = Intake(place.bootstrap, place.intake, place.sources, self._keeper, redis.RedisError)

    def _keeper(self, at: TopicPartition, committed: Any) -> Keeper:
        return Keeper(
            at, self.place.bootstrap, self.place.topics, self.place.intake, self._index, self._reader,
            self._lane, self._taking, committed,
        )  # fmt: skip

    def _lane(self, name: str) -> Lane:
        partitions = self.shop.settings.partitions
        return Lane(name, self._index, self.shop, partitions, self.place.secret, self._reader.recall)

    def _partition(self, number: int) -> OwnedPartition:
        return OwnedPartition(
            number, self.shop, self.place.data, self.place.secret, self._store, lambda: self.ending,
            lambda line: log.warning("partition %d: %s", number, line), self._report,
        )  # fmt: skip

    def _relays(self, number: int) -> PartitionRelays:
        folder = partition_folder(self.place.data, number)
        return PartitionRelays(
            number, self.shop, self.place.bootstrap, folder, self.place.client, self._relaying
        )

    def _report(self, number: int, minute: int, models: Mapping[str, tuple[str, Report]]) -> None:
        """Called in the engine's thread."""
        if models and self._loop is not None:
            message = encoded(number, minute, models)
            self._loop.call_soon_threadsafe(self._put_report, number, message)

    def _put_report(self, number: int, message: bytes) -> None:
        if self.reports.full():  # Kafka is away: an old minute's report is of no use later
            self.reports.get_nowait()
        self.reports.put_nowait((number, message))

    async def take_in(self) -> None:
        """Stage 1."""
        await self.intake.run()

    async def follow(self) -> None:
        """Stage 2."""
        self._loop = asyncio.get_running_loop()
        await self.owning.run()

    async def take_report(self, message: bytes) -> None:
        """Write the cuts record of a minute to all partitions, once all have reported."""
        made = await asyncio.to_thread(self.reducer.take, message, self.shop)
        if made is not None:
            await self._write_everywhere([made.record])

    async def take_settings(self, message: bytes) -> None:
        """Write settings that were applied into every partition's log, and take rows in by them."""
        shop = Shop.model_validate_json(Applied.decoded(message).shop)
        await self._write_everywhere([Control(SETTINGS, None, self._settings_body(shop))])

    def use(self, message: bytes) -> None:
        """Go on under settings that were applied."""
        applied = Shop.model_validate_json(Applied.decoded(message).shop)
        self.shop = at_places_of(applied, self.shop)
        for keeper in self.intake.keepers.values():
            if keeper.lane is not None:
                keeper.lane.use(self.shop)

    async def _write_everywhere(self, controls: list[Control]) -> None:
        for number in range(self.shop.settings.partitions):
            await self.owning.write(number, controls)

    def close(self) -> None:
        """Let go of threads and connections."""
        self.ending = True
        self._taking.submit(self._reader.close)
        self._taking.shutdown()
        self._following.shutdown()
        self._relaying.shutdown()
