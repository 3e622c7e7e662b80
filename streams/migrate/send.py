"""Writes what was regrouped into the topics of a cluster: a Kafka transaction a window, with how far it is.

A run that was killed is fenced off by the next, which goes on behind what was committed.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kafka import TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from streams.changes.keys import name_of
from streams.changes.topics import LARGEST_MESSAGE, Topics
from streams.changes.wire import Origin, outgoing
from streams.debezium import kafka
from streams.errors import InputError
from streams.log.block import Block
from streams.shared.delta import Told
from streams.worker.log_reader import LogReader

TRANSACTION_MS = 60_000
Said = tuple[Block, Sequence[str], Told]


@dataclass(frozen=True)
class Progress:
    """How far a migration is. log, steps: what names the former log, and its next steps, which may not change
    meanwhile; after: the last minute that is written; clocks, former, live: as of `regroup.Clocks`; records:
    of the former log; stage: windows, beside (what stands beside the blocks), end, done; drained: effects of
    each partition that the former shop has brought about already; carried: records of its ledger of
    deliveries that are written."""

    log: str
    steps: list[int]
    clocks: list[int]
    after: int = -1
    former: int = -1
    live: bool = False
    records: int = 0
    stage: str = "windows"
    drained: tuple[int, ...] = ()
    carried: int = 0

    def encoded(self) -> bytes:
        """Return it as a message."""
        return json.dumps(asdict(self)).encode()


def read_progress(reader: LogReader, topics: Topics) -> Progress | None:
    """Return how far a former run came; None where nothing was committed."""
    found = reader.newest(topics.migration)
    if found is None:
        return None
    said = json.loads(found)
    return Progress(**{**said, "drained": tuple(said["drained"])})


class Sender:
    """Writes into a shop's topics; use it in a ``with`` block. Raises InputError for what Kafka refuses."""

    def __init__(self, bootstrap: str, topics: Topics) -> None:
        self._topics = topics
        self._name = f"{topics.changes}.migrate"
        self._producer: Any = kafka.open_producer(
            bootstrap, transactional_id=self._name, transaction_timeout_ms=TRANSACTION_MS,
            max_request_size=LARGEST_MESSAGE,
        )  # fmt: skip
        self._producer.init_transactions()

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *_: object) -> None:
        self._producer.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all that is sent inside, or nothing."""
        self._producer.begin_transaction()
        try:
            yield
            self._producer.flush()
            self._producer.commit_transaction()
        except KafkaError as error:
            with contextlib.suppress(KafkaError):
                self._producer.abort_transaction()
            hint = "the same command goes on behind what was committed"
            raise InputError(self._topics.changes, f"Kafka refuses: {error}", hint) from error

    def blocks(self, blocks: Sequence[Said], origin: Origin | None = None) -> None:
        """Send blocks of the log."""
        for block, holds, told in blocks:
            one = outgoing(block, holds, told, [origin] if origin else [], keeps_minutes=True)
            self._send(self._topics.changes, one.value, partition=one.partition, headers=one.headers)

    def key(self, customer: bytes, number: int, wrapped: bytes) -> None:
        """Send a customer's wrapped key."""
        self._send(self._topics.keys, wrapped, key=name_of(customer, number))

    def message(self, topic: str, value: bytes | None, key: bytes | None = None, **more: Any) -> None:
        """Send anything else."""
        self._send(topic, value, key=key, **more)

    def offsets(self, offsets: Mapping[str, int], group: str) -> None:
        """Say behind which offset of each lane its group goes on. Whoever claims one of them ends first what
        this producer may have open."""
        if offsets:
            told = {_lane(name): OffsetAndMetadata(at, self._name, -1) for name, at in offsets.items()}
            self._producer.send_offsets_to_transaction(told, group)

    def progress(self, progress: Progress) -> None:
        """Say how far it is with what else is in the transaction."""
        self._send(self._topics.migration, progress.encoded(), partition=0)

    def _send(self, topic: str, value: bytes | None, **more: Any) -> None:
        self._producer.send(topic, value, **more)


def _lane(name: str) -> TopicPartition:
    topic, _, partition = name.rpartition("/")
    return TopicPartition(topic, int(partition))
