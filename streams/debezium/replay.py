"""A group reads again from a moment: its offsets are set by the messages' time."""

from __future__ import annotations

from dataclasses import dataclass

from kafka.admin import OffsetTimestamp
from kafka.errors import NoError

from streams.debezium import kafka
from streams.errors import InputError

IDLE = ("Empty", "Dead")


@dataclass(frozen=True)
class Moved:
    """Where a group goes on in one partition, before and after."""

    topic: str
    partition: int
    before: int | None
    after: int


def replay_from(bootstrap: str, group: str, topics: list[str], since_ms: int) -> list[Moved]:
    """Set a group to each partition's first message written at or after ``since_ms`` (Unix milliseconds).

    A partition without such a message goes to its end. The group must have no members: a running one would
    go on where it is, and Kafka would say so in its answer's values only, which are looked at here.
    Raises InputError where the group is at work, a topic does not exist, or nothing was set.
    """
    with kafka.consumer(bootstrap) as consumer:
        partitions = kafka.partitions_of(consumer, topics)
    lacking = sorted(set(topics) - {one.topic for one in partitions})
    if lacking:
        raise InputError(lacking[0], "there is no such topic", "tintype connectors SHOP lag shows the topics")
    with kafka.admin(bootstrap) as admin:
        state = admin.describe_groups([group])[group]["group_state"]
        if state not in IDLE:
            raise InputError(group, f"the group is at work ({state})", "stop its members first")
        before = admin.list_group_offsets(group)[group]
        wanted = {one: OffsetTimestamp(since_ms) for one in partitions}
        done = admin.reset_group_offsets(group, wanted)
    refused = [
        f"{one.topic}[{one.partition}]: {answer['error'].__name__}"
        for one, answer in done.items()
        if answer["error"] is not NoError
    ]
    if refused:
        raise InputError(group, f"Kafka did not set {', '.join(refused)}", "stop the group's members first")
    return [
        Moved(one.topic, one.partition, before[one].offset if one in before else None, answer["offset"])
        for one, answer in sorted(done.items())
    ]
