"""One life of a shop's sender: from fencing its predecessor off to its end (docs/decisions/0025).

The order of a beginning, which no crash may turn round:

1. whoever wrote the ledger before is fenced off;
2. the ledger is read to its end, and so are the consents and switches of the log;
3. what was claimed is unknown: that is a record of the ledger;
4. then it sends. Every claim and every end is committed to the topic before it counts.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec
import uvloop

from app.sending.answers import references_behind
from app.sending.deliveries import make_dispatcher, places_of, send_beside
from app.sending.forecasts import Forecasts
from app.sending.links import secret_of_cluster, shortener_of
from app.shop import Shop
from app.worker.addresses import Addresses
from app.worker.asking import Asking
from app.worker.coupons import FORM, TopicCoupons
from app.worker.place import ClusterPlace
from app.worker.revoking import TopicRevocations
from app.worker.switches import TopicSwitches
from app.worker.telling import MOST, Telling
from app.worker.telling_log import tell_log
from app.worker.topic_reading import reading
from engine.outcome import Decision
from sinks.channels.courier import Courier
from sinks.channels.file import File
from sinks.channels.provider import Around
from sinks.deliveries import answers, asked
from sinks.deliveries.delivery import Way
from sinks.deliveries.dispatch import Dispatcher
from sinks.deliveries.journal import TopicJournal
from sinks.deliveries.lane import Carried
from sinks.deliveries.life import State
from sinks.deliveries.logged import LoggedLedger
from sinks.deliveries.shadow import SHADOW
from sinks.deliveries.shadowed import counted
from sinks.deliveries.standing import Standing
from sinks.store.beside import asynchronous
from sinks.topics.names import DECISIONS, topics_of
from streams.changes.reading import fetches
from streams.shared.index import Index

FOLDER = "sender"
_MOST = 1000  # messages of a topic at a time
_UNSAID = 10_000  # of which nothing is to be sent, before it is written down that they were read
_POLL_MS = 200
_PAUSE_SECONDS = 0.2
_AWAIT_SECONDS = 0.05  # for the log
_ON_ITS_WAY_SECONDS = 5.0
log = logging.getLogger(__name__)
_decision = msgspec.json.Decoder(Decision).decode


@dataclass
class SenderFigures:
    """What a worker has done as the sender. at_work: whether it sends now; commits: of the ledger's topic;
    unknown: deliveries of which nobody knows whether they are out; off: how much is switched off."""

    at_work: bool = False
    commits: int = 0
    unknown: int = 0
    off: int = 0

    def count(self) -> None:
        """Count a commit."""
        self.commits += 1


class Sender:
    """`run` is one thread's; `stop` may come from any."""

    def __init__(
        self, place: ClusterPlace, shop: Shop, mine: Callable[[], bool], figures: SenderFigures
    ) -> None:  # fmt: skip
        """mine: whether this worker is still the one that is to send."""
        name, folder = shop.settings.name, place.data / FOLDER
        self._place, self._shop, self._folder, self._figures = place, shop, folder, figures
        self._client = place.client()
        self._journal = TopicJournal(place.bootstrap, place.topics, mine, log.warning, figures.count)
        self._ledger = LoggedLedger(folder, self._journal)
        self._revocations = TopicRevocations(
            folder, place.topics.changes, shop.settings.partitions, time.time,
            partial(answers.has_opted_out, self._ledger),
        )  # fmt: skip
        self._addresses = Addresses(Index(self._client, name), place.secret, shop.sources)
        self._switches = TopicSwitches(self._ledger, self._revocations, shop.settings.partitions)
        self._asking = Asking(self._switches)
        self._at_work: tuple[asyncio.AbstractEventLoop, Dispatcher] | None = None
        self._erased: list[str] = []  # customers, until they are out of files too
        self._stopping = False

    def run(self) -> None:
        """Send, until `stop`. Raises `sinks.topics.errors.Fenced` where another does now."""
        try:
            self._journal.begin(self._ledger.next, self._ledger.follow)
            changes = self._place.topics.changes
            for number, records in fetches(self._place.bootstrap, changes, self._revocations.next):
                self._erased += self._revocations.read({number: records})
            self._ledger.recover(time.time(), places_of(self._shop))
            self._ledger.do(self._switches.all_off())
            uvloop.run(self._carry())
        finally:
            self._figures.at_work = False
            self._journal.close()
            self._ledger.close()
            self._revocations.close()
            self._addresses.close()
            self._client.close()

    def stop(self) -> None:
        """Let what is on its way end, and `run` return."""
        self._stopping = True
        if self._at_work is not None:
            loop, dispatcher = self._at_work
            with contextlib.suppress(RuntimeError):  # it has ended
                loop.call_soon_threadsafe(dispatcher.stop)

    async def _carry(self) -> None:
        addresses, shop, place = self._addresses, self._shop, self._place
        partitions = shop.settings.partitions
        shorten = shortener_of(shop, secret_of_cluster(place.secret))
        courier = Courier(shop, addresses.address, addresses.readable, self._revocations.of, shorten)
        around = Around(
            self._folder, log.warning, environment=os.environ, store=asynchronous(self._client),
            shop=shop.settings.name, partitions=partitions,
        )  # fmt: skip
        dispatcher = make_dispatcher(
            shop, around, self._ledger, courier, told=_tell, prepare=addresses.prepare, form=FORM,
            behind=lambda channel, address: addresses.customers_at(references_behind(shop, channel, address)),
        )  # fmt: skip
        await dispatcher.open()
        forecasts = Forecasts(shop, self._ledger, self._switches, log.warning, FORM)
        coupons = TopicCoupons(place.topics.changes, self._ledger, shop.coupons, partitions, log.warning)
        forecasts.begin()  # before anything is sent
        self._at_work = asyncio.get_running_loop(), dispatcher
        if self._stopping:
            dispatcher.stop()
        self._forget(dispatcher, self._erased)
        self._figures.at_work = True
        await send_beside(dispatcher, [
            self._take_decisions(courier, dispatcher, forecasts), self._take_asked(dispatcher),
            self._follow_log(dispatcher), self._write_back(), self._tell_others(), self._show(dispatcher),
            *([coupons.follow(place.bootstrap)] if coupons.has_work else []),
        ])  # fmt: skip

    async def _take_decisions(self, courier: Courier, dispatcher: Dispatcher, forecasts: Forecasts) -> None:
        """Queue what was decided, and count what was in shadow: with how far the topic is read, in one
        message of the ledger."""
        topic = topics_of(self._shop.settings.name).decisions
        async with reading(self._place.bootstrap, topic, self._ledger.reached(DECISIONS)) as consumer:
            unsaid, following = 0, dict[int, int]()
            while True:
                made: list[tuple[Decision, Way]] = []
                shadow: list[Decision] = []
                fetched = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_MOST)
                while forecasts.awaits_log():
                    await asyncio.sleep(_AWAIT_SECONDS)
                forecasts.begin()
                for at, records in fetched.items():
                    for one in map(_decision, [record.value for record in records]):
                        route = forecasts.judge(one, courier.route(one))
                        if route is not None:
                            made.append((one, route))
                        elif one.status == SHADOW:
                            shadow.append(one)
                    following[at.partition] = records[-1].offset + 1
                    unsaid += len(records)
                if made or shadow or unsaid >= _UNSAID:
                    said = counted(self._ledger.connection, shadow)
                    self._ledger.take(DECISIONS, made, following, said)
                    unsaid, following = 0, {}
                forecasts.settle()  # before anything else can run
                if made:
                    dispatcher.wake()

    async def _take_asked(self, dispatcher: Dispatcher) -> None:
        """Do what is asked from outside."""
        topic, begin = self._place.topics.asked, self._ledger.reached(asked.ASKED)
        async with reading(self._place.bootstrap, topic, begin) as consumer:
            while True:
                fetched = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_MOST)
                for records in fetched.values():
                    self._asking.do([asked.decoded(one.value) for one in records], records[-1].offset + 1)
                    dispatcher.wake()

    async def _follow_log(self, dispatcher: Dispatcher) -> None:
        """Follow consents and erasures."""
        loop = asyncio.get_running_loop()
        changes, begin = self._place.topics.changes, self._revocations.next
        async with reading(self._place.bootstrap, changes, begin) as consumer:
            while True:
                fetched = await consumer.getmany(timeout_ms=_POLL_MS)
                erased = self._revocations.read({at.partition: records for at, records in fetched.items()})
                if erased:
                    self._forget(dispatcher, erased)
                    # and once more, for what was on its way
                    loop.call_later(_ON_ITS_WAY_SECONDS, self._forget, dispatcher, erased)

    def _forget(self, dispatcher: Dispatcher, customers: Sequence[str]) -> None:
        """Take the messages to these customers out of this worker's files."""
        files = [one.provider for one in dispatcher.lanes if isinstance(one.provider, File)]
        for customer in customers if files else ():
            ids = self._ledger.of_customer(customer)
            for one in files:
                one.erase((), ids)

    async def _write_back(self) -> None:
        """Tell the log what became of messages."""
        while True:
            told = tell_log(self._ledger, self._shop, self._revocations)
            await asyncio.sleep(0 if told else _PAUSE_SECONDS)

    async def _tell_others(self) -> None:
        """Tell whoever reads of it what becomes of deliveries."""
        telling = Telling(self._ledger, self._shop.settings.name)
        while True:
            await asyncio.sleep(0 if telling.step() == MOST else _PAUSE_SECONDS)

    async def _show(self, dispatcher: Dispatcher) -> None:
        """Let everybody see how the providers stand, and what else is to be seen."""

        def looked_at() -> list[dict[str, object]]:
            self._figures.unknown, self._figures.off = self._ledger.unknown(), len(self._revocations.off())
            return dispatcher.health()

        await Standing(self._client, self._shop.settings.name).keep(looked_at)


def _tell(carried: Carried) -> None:
    if carried.state is State.UNKNOWN:
        log.warning("decision %s: %s", carried.queued.decision.id, carried.reason)
