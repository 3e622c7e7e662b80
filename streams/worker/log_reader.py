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

_SCAN_BYTES = 16_000_000  # of one answer while a topic is read through
_ONE_BATCH = 1  # a broker sends the first batch whole, and no more than a consumer takes: here no byte more
_KEPT_BYTES = 32 << 20  # of blocks that were looked up lately


class LogReader:
    """One shop's. Use it from one thread at a time; it connects when it is first asked."""

    def __init__(self, bootstrap: str, topics: Topics) -> None:
        self._bootstrap, self._topics = bootstrap, topics
        self._open: dict[int, Any] = {}
        self._blocks: OrderedDict[tuple[int, int], Block] = OrderedDict()
        self._kept = 0

    def _consumer(self, most_bytes: int = _SCAN_BYTES) -> Any:
        if most_bytes not in self._open:
            self._open[most_bytes] = KafkaConsumer(
                bootstrap_servers=self._bootstrap.split(","), enable_auto_commit=False,
                auto_offset_reset="earliest", isolation_level="read_committed",
                max_partition_fetch_bytes=most_bytes, reconnect_backoff_max_ms=1000,
            )  # fmt: skip
        return self._open[most_bytes]

    def close(self) -> None:
        """Let go of the brokers."""
        while self._open:
            self._open.popitem()[1].close()

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
        block = self._blocks.pop((partition, place), None)
        if block is None:
            block = self._fetch(partition, place >> PLACE_BITS).block(place, -1)
            self._kept += len(block.payload)
        self._blocks[partition, place] = block
        while self._kept > _KEPT_BYTES and len(self._blocks) > 1:
            self._kept -= len(self._blocks.popitem(last=False)[1].payload)
        return block

    def _fetch(self, partition: int, offset: int) -> Incoming:
        consumer, at = self._consumer(_ONE_BATCH), TopicPartition(self._topics.changes, partition)
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
