"""Rows and calls into the topics that the workers read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi.concurrency import run_in_threadpool
from prometheus_client import CollectorRegistry, Counter, Histogram

from app.shop import Shop
from app.worker.place import ClusterPlace
from console.cluster.sender import Sender
from console.problems import refuse
from streams.arrive import Arrived, Rejection
from streams.changes.foreseen import Foresight
from streams.contract.source import CHANGE_FORMATS
from streams.message import Message
from streams.segment import SOURCE as CALLS

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class ClusterWork:
    """A cluster's; a `console.form.Work`. shop: the settings in force, for `use` to change."""

    def __init__(
        self, place: ClusterPlace, shop: Shop, sender: Sender, now: Callable[[], float],
        registry: CollectorRegistry,
    ) -> None:  # fmt: skip
        self._place, self._sender, self._now = place, sender, now
        self._messages = Counter("tintype_messages", "Messages taken in", registry=registry)
        self._refused = Counter("tintype_messages_rejected", "Messages put aside", registry=registry)
        self._seconds = Histogram(
            "tintype_send_seconds", "Writing a request's messages to Kafka", registry=registry,
            buckets=_SECONDS,
        )  # fmt: skip
        self.use(shop)

    def use(self, shop: Shop) -> None:
        """Go by other settings from now on."""
        self._in_force = shop, Foresight(shop)

    def check_ready(self) -> None:
        """Return: whether Kafka takes rows is known when they are sent."""

    def check_current(self) -> None:
        """Raise Problem unless Kafka answers."""
        self._sender.check()

    def behind_since(self) -> float | None:
        """Return None: what waits in topics is not known here; the heads' clocks tell how late they are."""
        return None

    async def take(self, messages: Sequence[Message], request: str | None) -> Arrived:
        """Send messages; what their contract refuses too, for the workers to put it aside. Raises Problem.

        A request's name is of no use here: rows are known by their keys, calls by their ids.
        """
        return await run_in_threadpool(self._take, messages) if messages else Arrived()

    def _take(self, messages: Sequence[Message]) -> Arrived:
        shop, foresight = self._in_force
        topic = self._topic(shop, messages[0].source)
        found = foresight.look(messages, int(self._now() // 60))
        with self._seconds.time():
            self._sender.send(topic, [
                (one.key, message.value or b"") for one, message in zip(found, messages, strict=True)
            ])  # fmt: skip
        rejected = [
            Rejection(message.place, one.problem.problem, one.problem.hint, None)
            for one, message in zip(found, messages, strict=True) if one.problem is not None
        ]  # fmt: skip
        self._messages.inc(len(messages))
        self._refused.inc(len(rejected))
        return Arrived(len(messages) - len(rejected), {}, rejected)

    def _topic(self, shop: Shop, source: str) -> str:
        """Return where workers expect what comes over HTTP. Raises Problem where a feed fills the source."""
        if source == CALLS:
            return self._place.topics.calls
        topic = self._place.topics.incoming(source)
        if shop.sources[source].format.type in CHANGE_FORMATS:
            refuse("not-here", f"source '{source}' is filled by a change feed in Kafka",
                   "let its connector write to Kafka, not here: docs/connectors.md")  # fmt: skip
        if source not in self._place.sources.get(topic, ()):
            refuse("not-here", f"source '{source}' is not read from a topic of its own",
                   "[kafka.topics] names another: write its rows there; or the source is newer than this "
                   "process: start workers and API anew")  # fmt: skip
        return topic
