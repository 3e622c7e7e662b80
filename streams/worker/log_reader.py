"""Reads what is committed of a shop's topics, without a group: to claim a lane, to look a row up."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from streams.changes.keys import KeyRecord, named, unforgotten
from streams.changes.reading import POLL_MS, SILENT, messages, polled_until
from streams.changes.topics import Topics
from streams.changes.wire import Incoming
from streams.errors import InputError
from streams.log.block import Block
from streams.shared.desk import PLACE_BITS

_KEPT = 64  # blocks that were looked up lately


class LogReader:
    """One shop's. Use it from one thread at a time; it connects when it is first asked."""

    def __init__(self, bootstrap: str, topics: Topics) -> None:
        self._bootstrap, self._topics = bootstrap, topics
        self._open: Any = None
        self._blocks: OrderedDict[tuple[int, int], Block] = OrderedDict()

    def _consumer(self) -> Any:
        if self._open is None:
            self._open = KafkaConsumer(
                bootstrap_servers=self._bootstrap.split(","), enable_auto_commit=False,
                auto_offset_reset="earliest", isolation_level="read_committed",
                max_partition_fetch_bytes=16_000_000, reconnect_backoff_max_ms=1000,
            )  # fmt: skip
        return self._open

    def close(self) -> None:
        """Let go of the brokers."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def log(self, since_ms: int | None) -> Iterator[Incoming]:
        """Yield the log's messages appended since a time (ms since 1970; None: all), up to its end now."""
        for record in self._records(self._topics.changes, since_ms):
            yield from messages(record.topic, record.partition, [record])

    def kept_keys(self) -> Iterator[tuple[bytes, int, bytes]]:
        """Yield (customer, number, wrapped key) of every key that was not forgotten."""
        return unforgotten(self._key_records)

    def _key_records(self) -> Iterator[KeyRecord]:
        for record in self._records(self._topics.keys, None):
            yield KeyRecord(*named(record.key), record.offset, record.value)

    def records(self, topic: str) -> Iterator[Any]:
        """Yield all records of a topic, up to its end now."""
        return self._records(topic, None)

    def newest(self, topic: str) -> bytes | None:
        """Return the value of a topic's last message; None while it has none."""
        found = None
        for record in self._records(topic, None):
            found = record.value
        return found

    def recall(self, partition: int, place: int) -> Block:
        """Return the block whose first record has this place. Raises InputError where it is gone."""
        if (partition, place) not in self._blocks:
            self._blocks[partition, place] = self._fetch(partition, place >> PLACE_BITS).block(place, -1)
        self._blocks.move_to_end((partition, place))
        while len(self._blocks) > _KEPT:
            self._blocks.popitem(last=False)
        return self._blocks[partition, place]

    def _fetch(self, partition: int, offset: int) -> Incoming:
        consumer, at = self._consumer(), TopicPartition(self._topics.changes, partition)
        consumer.assign([at])
        consumer.seek(at, offset)
        for _ in range(SILENT):
            for record in consumer.poll(POLL_MS, max_records=1).get(at, []):
                if record.offset == offset:
                    return messages(at.topic, partition, [record])[0]
                hint = "restore the topic; it must keep what rows in use refer to"
                raise InputError(
                    f"{at.topic}/{partition}/{offset}", "the log does not have this any more", hint
                )
        raise InputError(self._bootstrap, "no Kafka broker answers", "start it; the worker goes on by itself")

    def _records(self, topic: str, since_ms: int | None) -> Iterator[Any]:
        consumer = self._consumer()
        parts = [TopicPartition(topic, one) for one in sorted(consumer.partitions_for_topic(topic) or ())]
        if not parts:
            raise InputError(topic, "there is no such topic", "make the shop's topics: tintype apply SHOP")
        consumer.assign(parts)
        ends = consumer.end_offsets(parts)
        consumer.seek_to_beginning(*parts)
        if since_ms is not None:
            for at, found in consumer.offsets_for_times(dict.fromkeys(parts, since_ms)).items():
                consumer.seek(at, ends[at] if found is None else found.offset)
        for at, records in polled_until(consumer, ends):
            yield from (one for one in records if one.offset < ends[at])
