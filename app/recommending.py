"""Keeps a shop's recommendation slots up to date, in a thread beside the engine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import redis

from app.shop import Shop
from rules.schema import Schema
from sinks.history.history import History
from sinks.recommendations.declaration import Recommendations
from sinks.recommendations.shelves import Shelves
from sinks.recommendations.trainer import Trainer
from sinks.store.store import is_away
from streams.errors import InputError

_LOOK_SECONDS = 0.2
_AGAIN_SECONDS = 5.0  # after an error that somebody has to mend


def make_trainer(
    folder: Path, shop: Shop, client: redis.Redis, history: History, now: Callable[[], float]
) -> Trainer:
    """Return what trains the slots of a shop that has some. history: to be asked by one thread."""
    assert shop.recommendations is not None
    schema = Schema.build(shop.sources, shop.metrics, shop.rfm, shop.tags)
    shelves = Shelves(client, shop.settings.name, shop.settings.partitions)
    return Trainer(folder, shop.recommendations, shop.sources, schema, history, shelves, now)


class _Stopping(Exception):
    """It is to end between two stages of a training."""


class Recommending:
    """One shop's. make: makes the trainer, in the thread; ready: whether history has all that was there when
    the shop was opened, and the store too; say: gets a line when something has to be mended."""

    def __init__(
        self, make: Callable[[], Trainer], ready: Callable[[], bool], declared: Recommendations,
        say: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._make, self._ready, self._say = make, ready, say
        self._every_seconds = float(declared.refresh_seconds)
        self._told = ""
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, fail: Callable[[BaseException], None]) -> None:
        """Begin. fail: gets what ended the thread, if it was not `stop`."""

        def run() -> None:
            try:
                self._run()
            except _Stopping:
                return
            except BaseException as error:  # noqa: BLE001 - whoever started this ends with it
                fail(error)

        self._thread = threading.Thread(target=run, name="recommendations")
        self._thread.start()

    def stop(self) -> None:
        """Let the stage at hand end; what is in force stays."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._ready():
            self._pause(_LOOK_SECONDS)
        trainer = self._make()
        while True:
            self._pause(self._turn(trainer))

    def _turn(self, trainer: Trainer) -> float:
        """Do a step; return how long to pause behind it."""
        try:
            trained = trainer.step(lambda _: self._pause(0.0))
        except redis.RedisError as error:
            if not is_away(error):
                raise
            return _AGAIN_SECONDS  # the service says that the store is away
        except InputError as error:
            if str(error) != self._told:
                self._told = str(error)
                self._say(f"recommendations: {error} (tried again every {_AGAIN_SECONDS:.0f} s)")
            return _AGAIN_SECONDS
        self._told = ""
        return self._every_seconds if trained else min(_AGAIN_SECONDS, self._every_seconds)

    def _pause(self, seconds: float) -> None:
        """Wait. Raises _Stopping."""
        if self._stopping.wait(seconds):
            raise _Stopping
