"""What drains the outbox: the channels and history, each in a thread of its own (semantics P5)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import redis

from app.addresses import address_of, readable_of
from app.courier_relay import NAME, CourierRelay
from app.deliveries import make_dispatcher
from app.forecasts import Forecasts
from app.links import own_secret, shortener_of
from app.log_folder import data_folder, open_log
from app.revocations import Revocations
from app.service import Stopped
from app.shop import Shop
from sinks.channels.courier import Courier
from sinks.channels.file import File
from sinks.channels.provider import Around, Receipt
from sinks.coupons.following import Following as Redeemed
from sinks.deliveries import clicks
from sinks.deliveries.clicks import untold
from sinks.deliveries.dispatch import Dispatcher, Heard
from sinks.deliveries.ended import ended, record_of, told
from sinks.deliveries.lane import Carried
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import State
from sinks.deliveries.switches import asked, in_log
from sinks.history.embedded import ChdbHistory
from sinks.history.history import EFFECTS
from sinks.history.relay import HistoryRelay, Lag
from sinks.links.following import Following
from sinks.store.beside import asynchronous
from sinks.store.effects import StoreEffects
from sinks.store.store import Store, is_away
from streams.control import Control, switch
from streams.errors import InputError
from streams.log.log import Log

Append = Callable[[Sequence[Control]], "Future[Any]"]
HISTORY_FOLDER = "history"
_TO_LOG = "log"  # names what tells the log, beside the relays
_REDEEMED = "coupons"
_TOLD_TOGETHER = 200  # records in one change of the log
_PAUSE_SECONDS = 0.2
_AGAIN_SECONDS = 5.0  # after an error that somebody has to mend


class Relays:
    """One shop's relays.

    ``say``: gets a line when something has to be mended; it goes on when it is. Any other error is a defect.
    now: the wall clock in seconds.
    """

    def __init__(
        self, folder: Path, shop: Shop, store: Store, ledger: Ledger, partitions: int,
        say: Callable[[str], None], now: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._folder, self._shop, self._store, self._ledger = folder, shop, store, ledger
        self._say, self._now = say, now
        self._told: dict[str, str] = {}
        self._stopping = threading.Event()
        self._sent = ledger.drained(NAME, partitions)
        self._copied: list[int] | None = None
        self.history: ChdbHistory | None = None
        if shop.settings.history:
            self.history = ChdbHistory(data_folder(folder, shop) / HISTORY_FOLDER, shop.settings.zone)
            last = self.history.drained(EFFECTS)
            self._copied = [last.get(partition, -1) + 1 for partition in range(partitions)]
        self.lag = Lag(0, 0.0)  # of history
        self.copied = threading.Event()  # once history had all there was
        self._fail: Callable[[BaseException], None] = lambda _: None
        self._revocations: list[Revocations] = []  # one, once it sends
        self._following: list[Following] = []  # so is this
        self._append: Append = lambda _: Future()  # nobody writes: it waits
        self._heard: Heard = lambda _channel, _receipt, _customer: None
        tasks = [self._carry] + ([self._copy] if self.history is not None else [])
        self._sender: tuple[Dispatcher, asyncio.AbstractEventLoop] | None = None
        self._threads = [
            threading.Thread(target=self._run, args=(task,), name=task.__name__) for task in tasks
        ]

    def drained(self) -> list[int]:
        """Return for each partition the number of the oldest effect that some relay still needs."""
        copied = self._copied or self._sent
        return [min(pair) for pair in zip(self._sent, copied, strict=True)]

    def start(
        self, fail: Callable[[BaseException], None], heard: Heard | None = None, append: Append | None = None
    ) -> None:
        """Begin to drain. fail: gets what ended a relay, from its thread, if it was not `stop`; heard: what
        customers answered to messages (`sinks.deliveries.dispatch`); append: writes records to the log."""
        self._fail, self._heard, self._append = fail, heard or self._heard, append or self._append
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let the step at hand end; what is not drained waits in the outbox."""
        self._stopping.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
        if self.history is not None:
            self.history.close()

    def erase(self, references: Sequence[str]) -> int:
        """Take the messages to whoever is called so out of the channels' files; return how many."""
        lanes = self._sender[0].lanes if self._sender else []
        files = [one.provider for one in lanes if isinstance(one.provider, File)]
        return sum(one.erase(references) for one in files)

    def providers(self) -> list[dict[str, object]]:
        """Return how each provider stands (`Dispatcher.health`)."""
        return self._sender[0].health() if self._sender else []

    def receive(self, provider: str, receipts: Sequence[Receipt]) -> Future[None]:
        """Take receipts that came from outside, of ``channel/provider``; done when they are on disk. From any
        thread. Raises Stopped where nothing is sent, not yet or not any more."""
        return self._in_loop(lambda dispatcher: dispatcher.receive(provider, receipts))

    def follow(self, code: str, now: float | None) -> Future[str | None]:
        """Follow a short link; done when it is known where it leads. From any thread. Raises Stopped."""
        return self._in_loop(lambda _: self._following[-1].follow(code, now))

    def _in_loop(self, act: Callable[[Dispatcher], Any]) -> Future[Any]:
        """Do something in the senders' own thread."""
        done: Future[Any] = Future()
        if self._sender is None:
            raise Stopped("the senders are not at work")
        dispatcher, loop = self._sender

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

    def off(self) -> list[str] | None:
        """Return what is switched off (names of the log), as the sender has it: only of what was turned last
        it may not know. None before it sends. From any thread."""
        return self._revocations[-1].off() if self._revocations else None

    def _run(self, task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as error:  # noqa: BLE001 - whoever started this ends with it
            self._fail(error)

    def _carry(self) -> None:
        """Send what was decided: queued from the outbox, and sent in an event loop of this thread."""
        with contextlib.closing(open_log(self._folder, self._shop)) as log:
            asyncio.run(self._carrying(log))

    async def _carrying(self, log: Log) -> None:
        revocations, key = Revocations(log, self._now), own_secret(self._folder, self._shop)
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
        self._ledger.recover(self._now())
        dispatcher = make_dispatcher(
            self._shop, around, self._ledger, courier, self._now, self._tell, heard=self._heard
        )
        await dispatcher.open()
        self._sender = dispatcher, asyncio.get_running_loop()
        redeemed = Redeemed(log, self._ledger, self._shop.coupons, self._say)
        forecasts = Forecasts(self._shop, self._ledger, revocations, self._say, self._now)
        relay = CourierRelay(
            self._store, self._ledger, lambda one: forecasts.judge(one, courier.route(one)), log.partitions
        )
        forecasts.begin()  # before anything is sent
        self._revocations.append(revocations)
        works = [dispatcher.run(), self._queue(relay, dispatcher, forecasts), self._write_back()]
        if redeemed.has_work:
            works.append(self._follow(redeemed))
        tasks = [asyncio.create_task(work) for work in works]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            dispatcher.stop()
            for task in tasks[1:]:  # where it is the dispatcher that has ended
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await dispatcher.close()

    async def _queue(self, relay: CourierRelay, dispatcher: Dispatcher, forecasts: Forecasts) -> None:
        """Take what was decided into the ledger, until `stop`."""

        def step() -> int:
            forecasts.begin()
            done = relay.step()
            forecasts.settle()
            self._sent = relay.drained
            if done:
                dispatcher.wake()
            return done

        while not self._stopping.is_set():
            await asyncio.sleep(self._turn(NAME, step))

    async def _follow(self, redeemed: Redeemed) -> None:
        """Write down what rows tell of redeemed codes, until `stop`."""
        while not self._stopping.is_set():
            await asyncio.sleep(self._turn(_REDEEMED, redeemed.step))

    async def _write_back(self) -> None:
        """Tell the log what people have switched, and what will reach nobody, until `stop`."""
        pause = _PAUSE_SECONDS
        while not self._stopping.is_set():
            await asyncio.sleep(pause)
            try:
                await self._tell_log()
                pause = _PAUSE_SECONDS
                self._told.pop(_TO_LOG, None)
            except Stopped:
                return  # it is on disk, and told at the next start
            except (InputError, sqlite3.OperationalError) as error:
                pause = self._wait_to_be_mended(_TO_LOG, error)

    async def _tell_log(self) -> None:
        turned, over = asked(self._ledger), ended(self._ledger, _TOLD_TOGETHER)
        clicked = untold(self._ledger, _TOLD_TOGETHER)
        controls = [switch(one.what, one.off, one.reason) for one in turned]
        controls += [record_of(one) for one in over] + [clicks.record_of(one) for one in clicked]
        if not controls:
            return
        await asyncio.wrap_future(self._append(controls))
        if turned:
            self._revocations[-1].refresh(turned)  # no moment may come at which nobody knows of them
            in_log(self._ledger, turned[-1].number)
        if over:
            told(self._ledger, [one.number for one in over])
        if clicked:
            clicks.told(self._ledger, [one.number for one in clicked])

    def _click(self, number: int, at: float) -> None:
        try:
            clicks.click(self._ledger, number, at)
        except sqlite3.OperationalError as error:
            self._say(f"a click is not counted: {error}")

    def _tell(self, carried: Carried) -> None:
        if carried.state is State.UNKNOWN:
            self._say(f"decision {carried.queued.decision.id}: {carried.reason}")

    def _copy(self) -> None:
        """Copy the log and what came out of it into history."""
        assert self.history is not None
        with contextlib.closing(open_log(self._folder, self._shop)) as log:
            relay = HistoryRelay(self.history, log, StoreEffects(self._store))

            def step() -> int:
                self.lag = relay.lag()  # also when the step fails
                done = relay.step()
                self._copied = relay.drained[1]
                if done:
                    self.lag = relay.lag()
                if self.lag.rows == 0:
                    self.copied.set()
                return done

            pause = 0.0
            while not self._stopping.wait(pause):
                pause = self._turn(HISTORY_FOLDER, step)

    def _turn(self, name: str, step: Callable[[], int]) -> float:
        """Do a step; return how long to pause: where there was nothing to do, or something to be mended."""
        try:
            pause = 0.0 if step() else _PAUSE_SECONDS
            self._trim(self.drained())
            self._told.pop(name, None)
            return pause
        except redis.RedisError as error:
            if not is_away(error):
                raise
            return _PAUSE_SECONDS  # the service says that the store is away
        except (InputError, sqlite3.OperationalError) as error:
            return self._wait_to_be_mended(name, error)

    def _wait_to_be_mended(self, name: str, error: Exception) -> float:
        """Say an error that somebody has to mend, a full disk most likely, once; return how long to pause."""
        if str(error) != self._told.get(name):
            self._told[name] = str(error)
            self._say(f"{error} (tried again every {_AGAIN_SECONDS:.0f} s)")
        return _AGAIN_SECONDS

    def _trim(self, drained: Sequence[int]) -> None:
        for partition, effects in enumerate(drained):
            self._store.trim(partition, effects)
