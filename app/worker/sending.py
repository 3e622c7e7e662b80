"""Which worker sends: one at a time for the whole shop, the one that has the ledger's only partition."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import KafkaError

from app.shop import Shop
from app.worker.place import ClusterPlace
from app.worker.sender import Sender, SenderFigures
from sinks.topics.errors import Fenced
from streams.worker.intake import HEARTBEAT_MS, REBALANCE_MS, SESSION_MS

_LOOK_MS, _TOPIC_SECONDS = 200, 3.0
_AGAIN_SECONDS = 4.0  # one that was paused does not know yet that another sends
log = logging.getLogger(__name__)


class Sending:
    """One worker's part in it. Runs until it is cancelled."""

    def __init__(self, place: ClusterPlace, shop: Callable[[], Shop]) -> None:
        """shop: the settings in force."""
        self._place, self._shop = place, shop
        self._mine = False
        self._under: Shop | None = None
        self._sender: Sender | None = None
        self._ended: Future[None] | None = None
        self._not_before = 0.0
        self.figures = SenderFigures()

    async def run(self) -> None:
        """Send whenever it is this worker's turn."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._place.bootstrap, group_id=self._place.senders, enable_auto_commit=False,
            auto_offset_reset="latest", session_timeout_ms=SESSION_MS, heartbeat_interval_ms=HEARTBEAT_MS,
            max_poll_interval_ms=600_000, rebalance_timeout_ms=REBALANCE_MS,
            partition_assignment_strategy=(StickyPartitionAssignor,),
        )  # fmt: skip
        await consumer.start()
        try:
            await self._wait_for_topic(consumer)
            consumer.subscribe([self._place.topics.ledger])
            while True:
                await self._look(consumer)
        finally:
            await asyncio.shield(self._end())
            await consumer.stop()  # only now may another begin without fencing anything off

    async def _wait_for_topic(self, consumer: AIOKafkaConsumer) -> None:
        """Return once the ledger's topic is there; to ask for it before could make one that is unlike it."""
        topic, told = self._place.topics.ledger, False
        while topic not in await consumer.topics():
            if not told:
                log.warning("nothing is sent: there is no topic %s; make it: tintype apply SHOP", topic)
            told = True
            await asyncio.sleep(_TOPIC_SECONDS)

    async def _look(self, consumer: AIOKafkaConsumer) -> None:
        try:
            consumer.pause(*consumer.assignment())  # it is read elsewhere, this is whose turn it is
            await consumer.getmany(timeout_ms=_LOOK_MS)
        except (KafkaError, OSError) as error:
            log.warning("whose turn it is to send: %s: %s", type(error).__name__, error)
            await asyncio.sleep(1.0)
        self._mine = bool(consumer.assignment())
        if self._ended is not None and self._ended.done():
            self._note_end(self._ended)
        if self._sender is not None and (not self._mine or self._shop() != self._under):
            self._sender.stop()
        elif self._sender is None and self._mine and time.monotonic() >= self._not_before:
            self._begin()

    def _begin(self) -> None:
        self._under, self._ended = self._shop(), Future()
        try:
            self._sender = Sender(self._place, self._under, lambda: self._mine, self.figures)
        except Exception as error:  # noqa: BLE001 - a disk that is full, most likely
            self._ended.set_exception(error)
            return
        log.info("this worker sends now")
        Thread(target=self._send, args=(self._sender, self._ended), name="sender", daemon=True).start()

    def _send(self, sender: Sender, ended: Future[None]) -> None:
        try:
            sender.run()
            ended.set_result(None)
        except BaseException as error:  # noqa: BLE001 - it is told by `_note_end`
            ended.set_exception(error)

    def _note_end(self, ended: Future[Any]) -> None:
        error = ended.exception()
        self._sender, self._ended = None, None
        if error is not None:
            told = str(error) if isinstance(error, Fenced) else f"{type(error).__name__}: {error}"
            log.warning("sending has ended: %s", told, exc_info=None if isinstance(error, Fenced) else error)
            self._not_before = time.monotonic() + _AGAIN_SECONDS

    async def _end(self) -> None:
        """Let what is on its way end."""
        if self._sender is not None and self._ended is not None:
            self._sender.stop()
            self._mine = False
            while not self._ended.done():
                await asyncio.sleep(0.05)
