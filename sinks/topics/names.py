"""The topics of a shop's effects, and making them."""

from __future__ import annotations

from dataclasses import dataclass

from kafka.errors import TopicAlreadyExistsError

from streams.changes.topics import topic_name
from streams.debezium.kafka import admin

TAG_CHANGES, DECISIONS, DELIVERIES = "tag-changes", "decisions", "deliveries"
# Only the newest place of each partition counts; segments end soon, so that a start reads little.
_COMPACTED = {"cleanup.policy": "compact", "segment.ms": "600000", "min.cleanable.dirty.ratio": "0.1"}


@dataclass(frozen=True)
class Topics:
    """The names: of tag and segment changes, of decisions, of how far each partition is in these two, and of
    changes of deliveries' states."""

    shop: str
    tag_changes: str
    decisions: str
    drained: str
    deliveries: str

    @property
    def of_effects(self) -> dict[str, str]:
        """The topics of effects, by what they are called without the shop."""
        return {TAG_CHANGES: self.tag_changes, DECISIONS: self.decisions}

    @property
    def of_events(self) -> dict[str, str]:
        """Those that are for others to read."""
        return {**self.of_effects, DELIVERIES: self.deliveries}


def topics_of(shop: str) -> Topics:
    """Return the topics of a shop."""
    named = [topic_name(shop, what) for what in (TAG_CHANGES, DECISIONS, "drained", DELIVERIES)]
    return Topics(shop, *named)


def make_topics(bootstrap: str, topics: Topics, partitions: int) -> list[str]:
    """Make those that are not there, with a shop's number of partitions; return which were made.

    Raises InputError where no broker answers or refuses.
    """
    wanted = {
        topics.tag_changes: {"num_partitions": partitions},  # kept, and packed, as the broker is set
        topics.decisions: {"num_partitions": partitions},
        topics.deliveries: {"num_partitions": partitions},
        topics.drained: {"num_partitions": partitions, "configs": _COMPACTED},
    }
    made = []
    with admin(bootstrap) as client:
        for name, settings in wanted.items():
            try:
                client.create_topics({name: settings}, wait_for_metadata=True)
                made.append(name)
            except TopicAlreadyExistsError:
                continue
    return made
