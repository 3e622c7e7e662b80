"""Reading what is committed of a topic, from outside of any group, up to its end by now."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc
from kafka import TopicPartition
from kafka.errors import KafkaError

from streams.changes.wire import Incoming, incoming
from streams.debezium import kafka
from streams.errors import InputError
from streams.log.block import Block, decode_tables

POLL_MS = 1000
SILENT = 30  # polls without an answer before it is an error


def fetches(bootstrap: str, topic: str, begin: Mapping[int, int]) -> Iterator[tuple[int, list[Any]]]:
    """Yield (partition, records) of some partitions, each from an offset on, fetch by fetch.

    Raises InputError where the topic cannot be read, or begins behind an offset, or ends before it.
    """
    try:
        consumer = kafka.open_consumer(
            bootstrap, isolation_level="read_committed", max_partition_fetch_bytes=16_000_000
        )
        with contextlib.closing(consumer):
            yield from _fetches(consumer, topic, begin)
    except KafkaError as error:
        hint = "look after the brokers, and do it again"
        raise InputError(topic, f"Kafka does not tell ({error})", hint) from error


def _fetches(consumer: Any, topic: str, begin: Mapping[int, int]) -> Iterator[tuple[int, list[Any]]]:
    there = consumer.partitions_for_topic(topic) or set()
    if missing := sorted(begin.keys() - there):
        hint = "make the shop's topics: tintype apply SHOP"
        raise InputError(topic, f"there is no partition {missing[0]}", hint)
    parts = {TopicPartition(topic, number): offset for number, offset in begin.items()}
    consumer.assign(list(parts))
    ends = consumer.end_offsets(list(parts))
    for one, offset in parts.items():
        if offset > ends[one]:
            problem = f"partition {one.partition} ends at {ends[one]}, before {offset}"
            raise InputError(topic, problem, "this is not the topic that was read before: delete its copies")
        consumer.seek(one, offset)
    for at, records in polled_until(consumer, ends):
        yield at.partition, records


def polled_until(
    consumer: Any, ends: Mapping[TopicPartition, int]
) -> Iterator[tuple[TopicPartition, list[Any]]]:
    """Yield what a consumer reads from where it stands, fetch by fetch, until it has come to these ends.

    A fetch may hold records behind its end. Raises InputError where it does not get there.
    """
    silent = 0
    while behind := [at for at in ends if consumer.position(at) < ends[at]]:
        polled = consumer.poll(POLL_MS)
        silent = 0 if polled else silent + 1
        if silent == SILENT:
            hint = "look after the brokers: a transaction hangs"
            raise InputError(behind[0].topic, "it ends before its end", hint)
        yield from polled.items()


def messages(topic: str, partition: int, records: Iterable[Any]) -> list[Incoming]:
    """Return records of the topic ``changes`` as messages."""
    return [
        incoming(topic, partition, one.offset, one.timestamp, one.value, one.headers) for one in records
    ]


def log_from(bootstrap: str, topic: str, partition: int, offset: int) -> Iterator[Incoming]:
    """Yield the messages of a partition of the topic ``changes`` from an offset on."""
    for number, records in fetches(bootstrap, topic, {partition: offset}):
        yield from messages(topic, number, records)


@dataclass(frozen=True)
class Appended:
    """When a record came into the log. ms: its message's time of appending, since 1970; minute: its own,
    where a migration wrote it."""

    ms: int
    minute: int | None


def appended(bootstrap: str, topic: str, partition: int, offset: int, ordinal: int) -> Appended | None:
    """Return when a record of a message came; None where the topic does not have it any more."""
    for _, records in fetches(bootstrap, topic, {partition: offset}):
        for one in records:
            if one.offset != offset:
                return None
            (message,) = messages(topic, partition, [one])
            return Appended(int(one.timestamp), own_minute(message, ordinal))
    return None


def own_minute(message: Incoming, ordinal: int) -> int | None:
    """Return the minute of a message's record where it has one of its own; None where the broker says it."""
    if not message.keeps_minutes:
        return None
    for table in decode_tables(message.value).values():
        found = table.filter(pc.equal(table["ordinal"], ordinal))
        if found.num_rows:
            return int(found["minute"][0].as_py())
    return None


def blocks(bootstrap: str, topic: str, partition: int) -> Iterator[Block]:
    """Yield the blocks of a whole partition of the topic ``changes``, with minutes as a copy of it has them.
    """
    step, clock = 0, -1
    for one in log_from(bootstrap, topic, partition, 0):
        block = one.block(step, clock)
        step, clock = step + block.count, max(clock, block.last_minute)
        yield block
