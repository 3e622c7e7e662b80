"""What drains the outbox: what sends, and history, each in a thread of its own (semantics P5)."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

from app.history_folder import HISTORY_FOLDER
from app.log_folder import data_folder, open_log
from app.sending.sender import Append, Sender
from app.sending.turns import Turns
from app.shop import Shop
from sinks.deliveries.ledger import Ledger
from sinks.history.embedded import ChdbHistory
from sinks.history.history import EFFECTS
from sinks.history.relay import HistoryRelay, Lag
from sinks.store.effects import StoreEffects
from sinks.store.store import Store


class Relays:
    """One shop's relays.

    ``say``: gets a line when something has to be mended; it goes on when it is. Any other error is a defect.
    now: the wall clock in seconds.
    """

    def __init__(
        self, folder: Path, shop: Shop, store: Store, ledger: Ledger, partitions: int,
        say: Callable[[str], None], now: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._folder, self._shop, self._store = folder, shop, store
        self._turns = Turns(say, self._trim)
        self.sender = Sender(folder, shop, store, ledger, partitions, self._turns, say, now)
        self._stopping = threading.Event()
        self._copied: list[int] | None = None
        self.history: ChdbHistory | None = None
        if shop.settings.history:
            self.history = ChdbHistory(data_folder(folder, shop) / HISTORY_FOLDER, shop.settings.zone)
            last = self.history.drained(EFFECTS)
            self._copied = [last.get(partition, -1) + 1 for partition in range(partitions)]
        self.lag = Lag(0, 0.0)  # of history
        self.copied = threading.Event()  # once history has all that was there when this began
        self._fail: Callable[[BaseException], None] = lambda _: None
        tasks = {"_carry": self.sender.run} | ({"_copy": self._copy} if self.history is not None else {})
        self._threads = [
            threading.Thread(target=self._run, args=(task,), name=name) for name, task in tasks.items()
        ]

    def drained(self) -> list[int]:
        """Return for each partition the number of the oldest effect that some relay still needs."""
        copied = self._copied or self.sender.sent
        return [min(pair) for pair in zip(self.sender.sent, copied, strict=True)]

    def start(
        self, fail: Callable[[BaseException], None], append: Append | None = None
    ) -> None:
        """Begin to drain. fail: gets what ended a relay, from its thread, if it was not `stop`; append:
        writes records to the log."""
        self._fail = fail
        self.sender.append = append or self.sender.append
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let the step at hand end; what is not drained waits in the outbox."""
        self.sender.stop()
        self._stopping.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
        if self.history is not None:
            self.history.close()

    def _run(self, task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as error:  # noqa: BLE001 - whoever started this ends with it
            self._fail(error)

    def _copy(self) -> None:
        """Copy the log and what came out of it into history."""
        assert self.history is not None
        with contextlib.closing(open_log(self._folder, self._shop)) as log:
            relay = HistoryRelay(self.history, log, StoreEffects(self._store))
            wanted: int | None = None

            def step() -> int:
                nonlocal wanted
                self.lag = relay.lag()  # also when the step fails
                if wanted is None:
                    wanted = sum(map(sum, relay.drained)) + self.lag.rows
                done = relay.step()
                self._copied = relay.drained[1]
                if done:
                    self.lag = relay.lag()
                if sum(map(sum, relay.drained)) >= wanted:
                    self.copied.set()
                return done

            pause = 0.0
            while not self._stopping.wait(pause):
                pause = self._turns.take(HISTORY_FOLDER, step)

    def _trim(self) -> None:
        for partition, effects in enumerate(self.drained()):
            self._store.trim(partition, effects)
