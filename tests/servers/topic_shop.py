"""A shop's topics on a real broker, and an outbox whose effects go there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from deploy.servers.places import Place
from sinks.topics.names import Topics, make_topics, topics_of
from sinks.topics.relay import TopicRelay
from tests.servers.topic_reader import Seen, seen
from tests.sinks.history_shop import Outbox

PARTITIONS = 3


@dataclass
class Shop:
    """A shop's topics and the outbox of its partitions."""

    bootstrap: str
    topics: Topics
    outbox: Outbox

    def relay(self, number: int = 1, **more: Any) -> TopicRelay:
        return TopicRelay(self.bootstrap, self.topics, number, self.outbox, **more)

    async def relayed(self, number: int = 1, **more: Any) -> int:
        """Start a relay, let it write everything, and return how many effects it wrote."""
        relay = self.relay(number, **more)
        total = 0
        try:
            await relay.start()
            while done := await relay.step():
                total += done
        finally:
            await relay.stop()
        return total

    async def seen(self) -> list[Seen]:
        return await seen(self.bootstrap, self.topics, PARTITIONS)

    def all_places(self) -> list[tuple[int, int]]:
        return [(number, effect["seq"]) for number, held in enumerate(self.outbox.effects) for effect in held]


def new_shop(kafka: Place, name: str) -> Shop:
    """Make the topics of a shop."""
    topics = topics_of(name)
    made = make_topics(kafka.address, topics, PARTITIONS)
    assert made == [topics.tag_changes, topics.decisions, topics.deliveries, topics.drained]
    return Shop(kafka.address, topics, Outbox(PARTITIONS))


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(work())
