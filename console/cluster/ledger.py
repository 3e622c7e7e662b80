"""The ledger of deliveries as an API process has it: a copy that follows the topic, in its own thread."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from console.cluster.topic_follower import TopicFollower
from console.problems import refuse
from sinks.deliveries.asked import ASKED
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.listing import states_of
from sinks.deliveries.logged import LedgerCopy


class FollowedLedger:
    """Any thread may ask. folder: of the copy, which others may follow too."""

    def __init__(self, bootstrap: str, topic: str, folder: Path) -> None:
        self._copy = LedgerCopy(folder)
        self._seen = Ledger(folder, write=False)  # where nothing stands that is not committed
        self._whole = threading.Event()
        self._news = threading.Condition()
        self._rings: list[Callable[[], None]] = []
        self._follower = TopicFollower(
            bootstrap, topic, lambda: self._copy.next, self._take, self._whole.set
        )  # fmt: skip

    def start(self) -> None:
        """Begin to follow."""
        self._follower.start()

    def stop(self) -> None:
        """End, and wait for the end."""
        self._follower.stop()
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
                if left <= 0 or self._follower.has_ended:
                    return False
                self._news.wait(left)
        return True

    def _take(self, records: Sequence[Any]) -> None:
        self._copy.follow([(one.offset, one.value) for one in records])
        with self._news:
            self._news.notify_all()
        for ring in list(self._rings):
            ring()
