"""One worker: what reads the sources, what owns partitions, and what goes between."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import redis
from kafka.errors import KafkaError

from app.shop import Shop
from app.worker.answering import Answering
from app.worker.owning import Owning
from app.worker.partition import OwnedPartition, partition_folder
from app.worker.place import ClusterPlace, at_places_of
from app.worker.relays import PartitionRelays
from app.worker.reports import Reducer, encoded
from app.worker.sending import Sending
from app.worker.sharing import SharedPlace, Uploading, Uploads
from rfm.report import Report
from sinks.store.questions import Questions
from streams.changes.settings import Applied
from streams.changes.topics import topic_name
from streams.control import SETTINGS, Control
from streams.debezium import kafka
from streams.errors import InputError
from streams.shared.index import Index
from streams.shared.lanes import Lanes
from streams.worker.intake import Intake
from streams.worker.keeper import Keeper
from streams.worker.log_reader import LogReader

# What a lane meets while the store or the log cannot be read: it waits, and goes on where the log says. The
# log is read by kafka-python, whose errors are not those of the asyncio client.
AWAY = (redis.RedisError, KafkaError, InputError)
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


def _shared(place: ClusterPlace) -> SharedPlace | None:
    """Return where snapshots are shared; None where they are not."""
    if not place.snapshots:
        return None
    with kafka.admin(place.bootstrap) as admin:
        (topic,) = admin.describe_topics([place.topics.changes])
    shop = topic_name(place.topics.shop, "snapshots")
    return SharedPlace(place.snapshots, shop, str(topic["topic_id"]), place.snapshot_records)


class Worker:
    """Makes the parts; Faust runs them (`app.worker.application`). Two threads compute: one takes sources in,
    one follows partitions. Each partition has a thread that copies to history, for that may wait long."""

    def __init__(self, place: ClusterPlace, shop: Shop, settings_body: Callable[[Shop], str]) -> None:
        """shop: the settings in force; settings_body: of a settings record."""
        self.place, self.shop = place, shop
        self._settings_body = settings_body
        self.ending = False
        self._taking = ThreadPoolExecutor(1, "intake")
        self._following = ThreadPoolExecutor(1, "engine")
        self._copying: dict[int, ThreadPoolExecutor] = {}
        self._reader = LogReader(place.bootstrap, place.topics)
        self._index = Index(place.client(), shop.settings.name)
        self._store = place.client()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.reports: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue(1000)
        self.reducer = Reducer(shop.settings.partitions)
        shared = _shared(place)
        self.owning = Owning(
            place.bootstrap, place.topics.changes, place.owners, self._partition, self._relays,
            self._following, shared,
        )  # fmt: skip
        self.keeper = Keeper(
            place.bootstrap, place.topics, place.intake, self._reader, self._lanes, self._taking
        )
        self.intake = Intake(place.bootstrap, place.intake, place.sources, self.keeper, AWAY)
        self.answering = Answering(
            Questions(place.client(), shop.settings.name), lambda: self.owning.partitions, self._following
        )
        self.sending = Sending(place, lambda: self.shop)
        self._uploads = None if shared is None else Uploads(shared, self._uploading)

    def _lanes(self, owner: str) -> Lanes:
        partitions = self.shop.settings.partitions
        return Lanes(owner, self._index, self.shop, partitions, self.place.secret, self._reader.recall)

    def _partition(self, number: int) -> OwnedPartition:
        return OwnedPartition(
            number, self.shop, self.place.data, self.place.secret, self._store, lambda: self.ending,
            lambda line: log.warning("partition %d: %s", number, line), self._report,
            self.place.snapshot_records,
        )  # fmt: skip

    def _uploading(self) -> dict[int, Uploading]:
        return {number: one.uploading() for number, one in self.owning.partitions.copy().items()}

    def _relays(self, number: int) -> PartitionRelays:
        folder = partition_folder(self.place.data, number)
        if number not in self._copying:
            self._copying[number] = ThreadPoolExecutor(1, f"history-{number}")
        return PartitionRelays(
            number, self.shop, self.place.bootstrap, folder, self.place.client, self._copying[number]
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
        self.keeper.lanes.use(self.shop)

    async def _write_everywhere(self, controls: list[Control]) -> None:
        for number in range(self.shop.settings.partitions):
            await self.owning.write(number, controls)

    def close(self) -> None:
        """Let go of threads and connections."""
        self.ending = True
        if self._uploads is not None:
            self._uploads.close()
        self._taking.submit(self._reader.close)
        self._taking.shutdown()
        self._following.shutdown()
        for thread in self._copying.values():
            thread.shutdown()
