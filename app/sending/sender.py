"""What sends an embedded shop's messages: from the outbox to the ledger, and on to the providers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from app.log_folder import data_folder, open_log
from app.sending.addresses import address_of, customers_at, readable_of
from app.sending.courier_relay import NAME, CourierRelay
from app.sending.deliveries import make_dispatcher, places_of, send_beside
from app.sending.forecasts import Forecasts
from app.sending.ledger_switches import LedgerSwitches
from app.sending.links import own_secret, shortener_of
from app.sending.revocations import Revocations
from app.sending.turns import MENDED, PAUSE_SECONDS, Turns
from app.sending.untold import untold
from app.service import Stopped
from app.shop import Shop
from sinks.channels.courier import Courier
from sinks.channels.file import File
from sinks.channels.provider import Around, Receipt
from sinks.coupons.following import Following as Redeemed
from sinks.deliveries import answers, clicks
from sinks.deliveries.dispatch import Dispatcher
from sinks.deliveries.lane import Carried
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import State
from sinks.deliveries.standing import Standing
from sinks.deliveries.switches import asked, in_log
from sinks.links.following import Following
from sinks.store.beside import asynchronous
from sinks.store.store import Store
from streams.control import Control, switch
from streams.log.log import Log

Append = Callable[[Sequence[Control]], "Future[Any]"]
_TO_LOG, _REDEEMED = "log", "coupons"  # names of turns, beside the relay's


class Sender:
    """One shop's. `run` is one thread's; all else may come from any.

    append: writes records to the log; it is set before `run`. sent: for each partition how many effects are
    in the ledger.
    """

    def __init__(
        self, folder: Path, shop: Shop, store: Store, ledger: Ledger, partitions: int, turns: Turns,
        say: Callable[[str], None], now: Callable[[], float],
    ) -> None:  # fmt: skip
        self._folder, self._shop, self._store, self._ledger = folder, shop, store, ledger
        self._turns, self._say, self._now = turns, say, now
        self.append: Append = lambda _: Future()  # nobody writes: it waits
        self.sent = ledger.drained(NAME, partitions)
        self._stopping = threading.Event()
        self._revocations: list[Revocations] = []  # one, once it sends
        self._following: list[Following] = []  # so is this
        self._at_work: tuple[Dispatcher, asyncio.AbstractEventLoop] | None = None
        self._answered = asyncio.Event()
        self._awaiting: list[Future[None]] = []  # until what is on disk now has been told to the log

    def run(self) -> None:
        """Send what was decided, until `stop`: queued from the outbox, sent in this thread's event loop."""
        with contextlib.closing(open_log(self._folder, self._shop)) as log:
            uvloop.run(self._carry(log))

    def stop(self) -> None:
        """Let `run` end with what it has at hand."""
        self._stopping.set()

    def erase(self, references: Sequence[str]) -> int:
        """Take the messages to whoever is called so out of the channels' files; return how many."""
        lanes = self._at_work[0].lanes if self._at_work else []
        files = [one.provider for one in lanes if isinstance(one.provider, File)]
        return sum(one.erase(references) for one in files)

    def providers(self) -> list[dict[str, object]]:
        """Return how each provider stands (`Dispatcher.health`)."""
        return self._at_work[0].health() if self._at_work else []

    def receive(self, provider: str, receipts: Sequence[Receipt]) -> Future[None]:
        """Take receipts that came from outside, of ``channel/provider``; done when they are on disk. Raises
        Stopped where nothing is sent, not yet or not any more."""
        return self._in_loop(lambda dispatcher: dispatcher.receive(provider, receipts))

    def told(self) -> Future[None]:
        """Return what is done once the log was told of what was on disk when this was called, or could not be
        told: it is tried again then. Raises Stopped."""
        done: Future[None] = Future()

        def wait(_: Dispatcher) -> None:
            self._awaiting.append(done)
            self._answered.set()

        self._in_loop(wait)
        return done

    def follow(self, code: str, now: float | None) -> Future[str | None]:
        """Follow a short link; done when it is known where it leads. Raises Stopped."""
        return self._in_loop(lambda _: self._following[-1].follow(code, now))

    def off(self) -> dict[str, str] | None:
        """Return what is switched off (names of the log) and why, as far as is known here: only of what was
        turned last it may not be. None before it sends."""
        return self._revocations[-1].reasons() if self._revocations else None

    def _in_loop(self, act: Callable[[Dispatcher], Any]) -> Future[Any]:
        """Do something in the sender's own thread."""
        done: Future[Any] = Future()
        if self._at_work is None:
            raise Stopped("the senders are not at work")
        dispatcher, loop = self._at_work

        def take() -> None:
            try:
                done.set_result(act(dispatcher))
            except Exception as error:  # noqa: BLE001 - whoever waits is told
                done.set_exception(error)

        try:
            loop.call_soon_threadsafe(take)
        except RuntimeError:  # the loop has ended
            raise Stopped("the senders have stopped") from None
        return done

    async def _carry(self, log: Log) -> None:
        key = own_secret(self._folder, self._shop)
        revocations = Revocations(log, self._now, partial(answers.has_opted_out, self._ledger))
        courier = Courier(
            self._shop, lambda customer, kind: address_of(log, customer, kind),
            lambda customer, values: readable_of(log, self._shop, customer, values), revocations.of,
            shortener_of(self._shop, key),
        )  # fmt: skip
        self._following.append(
            Following(self._ledger, courier.leads_to, key, self._shop.settings.name, self._click)
        )
        around = Around(
            data_folder(self._folder, self._shop), self._say, environment=os.environ,
            store=asynchronous(self._store.client), shop=self._shop.settings.name, partitions=log.partitions,
        )  # fmt: skip
        self._ledger.recover(self._now(), places_of(self._shop))
        dispatcher = make_dispatcher(
            self._shop, around, self._ledger, courier, self._now, self._tell,
            behind=partial(customers_at, log, self._shop), heard=self._answered.set,
            look=lambda: revocations.know(asked(self._ledger)),
        )  # fmt: skip
        await dispatcher.open()
        self._at_work = dispatcher, asyncio.get_running_loop()
        redeemed = Redeemed(log, self._ledger, self._shop.coupons, self._say)
        switches = LedgerSwitches(self._ledger, revocations, self._now)
        forecasts = Forecasts(self._shop, self._ledger, switches, self._say)
        relay = CourierRelay(
            self._store, self._ledger, lambda one: forecasts.judge(one, courier.route(one)), log.partitions
        )
        forecasts.begin()  # before anything is sent
        self._revocations.append(revocations)
        shown = Standing(self._store.client, self._shop.settings.name).keep(dispatcher.health)
        works = [self._queue(relay, dispatcher, forecasts), self._write_back(), shown]
        if redeemed.has_work:
            works.append(self._follow_rows(redeemed))
        await send_beside(dispatcher, works)

    async def _queue(self, relay: CourierRelay, dispatcher: Dispatcher, forecasts: Forecasts) -> None:
        """Take what was decided into the ledger, until `stop`."""

        def step() -> int:
            forecasts.begin()
            done = relay.step()
            forecasts.settle()
            self.sent = relay.drained
            if done:
                dispatcher.wake()
            return done

        while not self._stopping.is_set():
            await asyncio.sleep(self._turns.take(NAME, step))

    async def _follow_rows(self, redeemed: Redeemed) -> None:
        """Write down what rows tell of redeemed codes, until `stop`."""
        while not self._stopping.is_set():
            await asyncio.sleep(self._turns.take(_REDEEMED, redeemed.step))

    async def _write_back(self) -> None:
        """Tell the log what people have switched, what customers answered, what arrived or will reach nobody,
        and whose links were followed, until `stop`."""
        pause = PAUSE_SECONDS
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):  # an answer is told at once
                await asyncio.wait_for(self._answered.wait(), pause)
            self._answered.clear()
            waiting, self._awaiting = self._awaiting, []
            try:
                pause = 0.0 if await self._tell_log() else PAUSE_SECONDS
                self._turns.is_well(_TO_LOG)
            except Stopped:
                return  # it is on disk, and told at the next start
            except MENDED as error:
                pause = self._turns.wait_to_be_mended(_TO_LOG, error)
            finally:
                for one in waiting:
                    one.set_result(None)

    async def _tell_log(self) -> bool:
        """Tell the log; return whether there is most likely more to tell."""
        turned, found = asked(self._ledger), untold(self._ledger, self._shop)
        switches = [switch(one.what, one.off, one.reason) for one in turned]
        controls = [*switches, *found.answers, *found.others]
        if not controls:
            return False
        await asyncio.wrap_future(self.append(controls))
        if turned or found.answers:
            self._revocations[-1].refresh(turned)  # no moment may come at which nobody knows of them
        if found.told:
            self._ledger.do(*found.told)
        if turned:
            in_log(self._ledger, turned[-1].number)
        return found.is_full

    def _click(self, number: int, at: float) -> None:
        try:
            clicks.click(self._ledger, number, at)
        except sqlite3.OperationalError as error:
            self._say(f"a click is not counted: {error}")

    def _tell(self, carried: Carried) -> None:
        if carried.state is State.UNKNOWN:
            self._say(f"decision {carried.queued.decision.id}: {carried.reason}")
