"""The settings in force, as they are applied while the API runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from console.cluster.topic_follower import TopicFollower
from streams.changes.settings import Applied


class Following:
    """Reads the topic of settings in a thread of its own, and hands over each that is newer."""

    def __init__(self, bootstrap: str, topic: str, first: Applied, use: Callable[[Applied], None]) -> None:
        """first: those that are used already; use: gets newer ones, in that thread."""
        self._use, self._number = use, first.number
        self._follower = TopicFollower(bootstrap, topic, lambda: 0, self._take)

    def start(self) -> None:
        """Begin."""
        self._follower.start()

    def stop(self) -> None:
        """End, and wait for the end."""
        self._follower.stop()

    def _take(self, records: Sequence[Any]) -> None:
        for record in records:
            applied = Applied.decoded(record.value)
            if applied.number > self._number:
                self._number = applied.number
                self._use(applied)
