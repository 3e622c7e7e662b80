"""What drains the outbox: the channels and history, each in a thread of its own (semantics P5)."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import redis

from app.courier_relay import NAME, CourierRelay
from app.log_folder import data_folder, open_log
from app.shop import Shop
from sinks.channels.courier import Courier, open_channels
from sinks.channels.file import File
from sinks.channels.provider import Around, Provider
from sinks.deliveries.ledger import Ledger
from sinks.history.embedded import ChdbHistory
from sinks.history.history import EFFECTS
from sinks.history.relay import HistoryRelay, Lag
from sinks.store.beside import asynchronous
from sinks.store.effects import StoreEffects
from sinks.store.store import Store, is_away
from streams.errors import InputError
from streams.log.log import Log
from streams.personal.attributes import personal_metrics
from streams.personal.find import references_of
from streams.personal.seal import unseal

HISTORY_FOLDER = "history"
_PAUSE_SECONDS = 0.2
_AGAIN_SECONDS = 5.0  # after an error that somebody has to mend


class Relays:
    """One shop's relays.

    ``say``: gets a line when something has to be mended; it goes on when it is. Any other error is a defect.
    """

    def __init__(
        self, folder: Path, shop: Shop, store: Store, ledger: Ledger, partitions: int,
        say: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._folder, self._shop, self._store, self._ledger = folder, shop, store, ledger
        self._say = say
        self._stopping = threading.Event()
        self._sent = ledger.drained(NAME, partitions)
        self._copied: list[int] | None = None
        self.history: ChdbHistory | None = None
        if shop.settings.history:
            self.history = ChdbHistory(data_folder(folder, shop) / HISTORY_FOLDER, shop.settings.zone)
            last = self.history.drained(EFFECTS)
            self._copied = [last.get(partition, -1) + 1 for partition in range(partitions)]
        self.lag = Lag(0, 0.0)  # of history
        self._fail: Callable[[BaseException], None] = lambda _: None
        tasks = [self._carry] + ([self._copy] if self.history is not None else [])
        self._channels: Mapping[str, Provider] = {}
        self._threads = [
            threading.Thread(target=self._run, args=(task,), name=task.__name__) for task in tasks
        ]

    def drained(self) -> list[int]:
        """Return for each partition the number of the oldest effect that some relay still needs."""
        copied = self._copied or self._sent
        return [min(pair) for pair in zip(self._sent, copied, strict=True)]

    def start(self, fail: Callable[[BaseException], None]) -> None:
        """Begin to drain. fail: gets what ended a relay, from its thread, if it was not `stop`."""
        self._fail = fail
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
        files = [one for one in self._channels.values() if isinstance(one, File)]
        return sum(one.erase(references) for one in files)

    def _run(self, task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as error:  # noqa: BLE001 - whoever started this ends with it
            self._fail(error)

    def _carry(self) -> None:
        """Send what was decided, once."""
        with contextlib.closing(open_log(self._folder, self._shop)) as log:
            around = Around(
                data_folder(self._folder, self._shop), self._say, store=asynchronous(self._store.client)
            )
            channels = open_channels(self._shop, around)
            self._channels = channels
            courier = Courier(
                self._shop, channels, lambda customer: _name(log, customer),
                lambda customer, values: _readable(log, self._shop, customer, values),
            )  # fmt: skip
            relay = CourierRelay(self._store, self._ledger, courier, log.partitions)

            def step() -> int:
                for delivery in relay.step():
                    if delivery.unknown is not None:
                        self._say(f"decision {delivery.decision.id}: {delivery.unknown}")
                self._sent = relay.drained
                return 0

            with contextlib.closing(courier):
                self._drain(step)

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
                return done

            self._drain(step)

    def _drain(self, step: Callable[[], int]) -> None:
        """Do step after step, with a pause where there was nothing to do."""
        pause, told = 0.0, ""
        while not self._stopping.wait(pause):
            try:
                pause = 0.0 if step() else _PAUSE_SECONDS
                self._trim(self.drained())
                told = ""
            except redis.RedisError as error:
                if not is_away(error):
                    raise
                pause = _PAUSE_SECONDS  # the service says that the store is away
            except (InputError, sqlite3.OperationalError) as error:  # a disk that is full, most likely
                pause = _AGAIN_SECONDS
                if str(error) != told:
                    told = str(error)
                    self._say(f"{told} (tried again every {_AGAIN_SECONDS:.0f} s)")

    def _trim(self, drained: Sequence[int]) -> None:
        for partition, effects in enumerate(drained):
            self._store.trim(partition, effects)


def _name(log: Log, customer: str) -> str | None:
    """Return what a customer is called; None of one who is erased."""
    found = references_of(log, bytes.fromhex(customer))
    return found[0] if found else None


def _readable(log: Log, shop: Shop, customer: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the values of a decision with those of personal attributes readable."""
    sealed, whom = personal_metrics(shop.sources), [bytes.fromhex(customer)]
    return {
        text: unseal(log.vault, sealed[text], whom, [value])[0] if text in sealed else value
        for text, value in values.items()
    }
