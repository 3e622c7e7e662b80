"""The Faust application that a worker is: services for the high rate, agents and timers for the low one.

Faust's own streams cost a tenth of a millisecond an event and may lose one that raises; so whatever comes in
great numbers goes past them, in services that read whole fetches with the client that Faust itself uses. An
agent here works until an event is done, whatever raises, one event at a time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from app.worker.worker import Worker
from streams.changes.topics import LARGEST_MESSAGE

_AGAIN_SECONDS = 1.0
_TICK_SECONDS = 1.0
log = logging.getLogger(__name__)


def application(worker: Worker) -> faust.App:
    """Return the application of a worker; its group is the shop's."""
    place, topics = worker.place, worker.place.topics
    own = place.data / "faust"  # nothing is kept there, but Faust wants a folder, and would make one here
    own.mkdir(parents=True, exist_ok=True)
    app = faust.App(
        f"{topics.changes}.worker", broker=[f"kafka://{one.strip()}" for one in place.bootstrap.split(",")],
        store="memory://", datadir=str(own), web_enabled=False, topic_disable_leader=True,
        topic_allow_declare=False, autodiscover=False, stream_wait_empty=False, broker_session_timeout=10.0,
        broker_heartbeat_interval=3.0, broker_max_poll_interval=600.0, consumer_auto_offset_reset="earliest",
        producer_max_request_size=LARGEST_MESSAGE,  # a report of some 600,000 customers has a megabyte
    )  # fmt: skip
    _add_services(app, worker)

    reports = app.topic(topics.reports, value_serializer="raw", key_serializer="raw")
    settings = app.topic(topics.settings, value_serializer="raw", key_serializer="raw")

    @app.agent(reports, concurrency=1, name="cut points")
    async def reduce(stream: Any) -> None:
        async for message in stream:
            await _until_done(worker.take_report, message)

    @app.agent(settings, concurrency=1, name="settings")
    async def apply(stream: Any) -> None:
        async for message in stream:
            await _until_done(worker.take_settings, message)

    @app.timer(_TICK_SECONDS, name="ticks")  # type: ignore[untyped-decorator]
    async def tick() -> None:
        try:
            await worker.owning.tick()
        except (KafkaError, OSError) as error:  # the next second it is tried again
            log.warning("ticks: %s: %s", type(error).__name__, error)

    return app


def _add_services(app: faust.App, worker: Worker) -> None:
    topics = worker.place.topics

    @app.service
    class TakingIn(faust.Service):
        """Stage 1."""

        @faust.Service.task
        async def _run(self) -> None:
            await worker.take_in()

    @app.service
    class Following(faust.Service):
        """Stage 2."""

        @faust.Service.task
        async def _run(self) -> None:
            await worker.follow()

        async def on_stop(self) -> None:
            worker.ending = True

    @app.service
    class Answering(faust.Service):
        """Answers what the API asks of engines."""

        @faust.Service.task
        async def _run(self) -> None:
            await worker.answering.run()

    @app.service
    class Sending(faust.Service):
        """Sends what was decided, when it is this worker's turn."""

        @faust.Service.task
        async def _run(self) -> None:
            await worker.sending.run()

    @app.service
    class Reporting(faust.Service):
        """Sends the partitions' reports to whoever makes cut points of them."""

        @faust.Service.task
        async def _run(self) -> None:
            while True:
                number, message = await worker.reports.get()
                await app.send(topics.reports, key=str(number).encode(), value=message,
                               key_serializer="raw", value_serializer="raw")  # fmt: skip

    @app.service
    class Settings(faust.Service):
        """Lets every worker take rows in by the settings that were applied last."""

        @faust.Service.task
        async def _run(self) -> None:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=worker.place.bootstrap,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
            )
            await consumer.start()
            try:
                consumer.assign([TopicPartition(topics.settings, 0)])
                async for one in consumer:
                    worker.use(one.value)
            finally:
                await consumer.stop()


async def _until_done(work: Callable[[bytes], Awaitable[None]], message: bytes) -> None:
    """Do it again until it is done: Faust would pass over an event whose agent raised."""
    while True:
        try:
            await work(message)
        except Exception as error:  # noqa: BLE001 - whatever it is, the event must not be lost
            log.warning("%s: %s: %s; it is tried again", work.__name__, type(error).__name__, error)
            await asyncio.sleep(_AGAIN_SECONDS)
        else:
            return
