"""The ledger of deliveries as an API process has it: a copy that follows the topic, in its own thread."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from console.problems import refuse
from sinks.deliveries.asked import ASKED
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.listing import states_of
from sinks.deliveries.logged import LedgerCopy

_POLL_MS = 200
_AGAIN_SECONDS = 1.0
log = logging.getLogger(__name__)


class FollowedLedger:
    """Any thread may ask. folder: of the copy, which others may follow too."""

    def __init__(self, bootstrap: str, topic: str, folder: Path) -> None:
        self._bootstrap, self._at = bootstrap, TopicPartition(topic, 0)
        self._copy = LedgerCopy(folder)
        self._seen = Ledger(folder, write=False)  # where nothing stands that is not committed
        self._ended, self._whole = threading.Event(), threading.Event()
        self._news = threading.Condition()
        self._rings: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for the end."""
        self._ended.set()
        self._thread.join()
        self._copy.close()
        self._seen.close()

    @property
    def seen(self) -> Ledger:
        """The ledger, to look at. Raises Problem until all of the topic is in it for the first time."""
        if not self._whole.is_set():
            hint = "try again in a moment; where it stays so the topics are missing: tintype apply SHOP"
            refuse("not-ready", "the ledger of deliveries is still being read", hint)
        return self._seen

    def states(self, decisions: Sequence[str]) -> Mapping[str, tuple[str, str]]:
        """Return (state, reason) of decisions that became deliveries, by id, as far as is known now."""
        return states_of(self._seen.connection, decisions)

    @contextlib.contextmanager
    def ringing(self, ring: Callable[[], None]) -> Iterator[None]:
        """Ring whenever the ledger has gained something, while this lasts."""
        self._rings.append(ring)
        try:
            yield
        finally:
            self._rings.remove(ring)

    def wait(self, offset: int, seconds: float) -> bool:
        """Return once the sender has done what stands at an offset of the topic ``asked``; False where it did
        not in this time."""
        deadline = time.monotonic() + seconds
        with self._news:
            while self._seen.reached(ASKED).get(0, 0) <= offset:
                left = deadline - time.monotonic()
                if left <= 0 or self._ended.is_set():
                    return False
                self._news.wait(left)
        return True

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._follow()
            except KafkaError as error:
                log.warning("the ledger: %s: %s; it is read on", type(error).__name__, error)
                self._ended.wait(_AGAIN_SECONDS)

    def _follow(self) -> None:
        consumer = KafkaConsumer(
            bootstrap_servers=self._bootstrap.split(","), enable_auto_commit=False,
            auto_offset_reset="earliest", isolation_level="read_committed",
        )  # fmt: skip
        try:
            while self._at.topic not in consumer.topics():  # to ask for it could make one that is unlike it
                if self._ended.wait(_AGAIN_SECONDS):
                    return
            consumer.assign([self._at])
            consumer.seek(self._at, self._copy.next)
            end = consumer.end_offsets([self._at])[self._at]
            while not self._ended.is_set():
                records = consumer.poll(_POLL_MS).get(self._at, [])
                self._copy.follow([(one.offset, one.value) for one in records])
                if records:
                    with self._news:
                        self._news.notify_all()
                    for ring in list(self._rings):
                        ring()
                if not self._whole.is_set() and consumer.position(self._at) >= end:
                    self._whole.set()
        finally:
            consumer.close()
