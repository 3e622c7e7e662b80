"""Decisions and changes of tags from their topics; a cursor has an offset for each partition of the topic."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from console.cluster.sender import away
from console.cluster.topic_bell import listen
from console.form import Changed, Concluded
from console.problems import refuse
from engine.outcome import Decision, Transition
from sinks.topics.names import topics_of
from sinks.topics.packing import partition_of
from streams.debezium import kafka
from streams.errors import InputError

_POLL_MS = 200
_SECONDS = 5.0  # of looking through, for one answer: it may find little of one customer
States = Callable[[Sequence[str]], Mapping[str, tuple[str, str]]]
Ringing = Callable[[Callable[[], None]], contextlib.AbstractContextManager[None]]
Effect = TypeVar("Effect", Decision, Transition)


@dataclass
class _Part(Generic[Effect]):
    """What one partition has behind a cursor: (offset, effect) in order; end: the cursor behind all of it."""

    found: list[tuple[int, Effect]]
    end: int


class TopicEffects:
    """A shop's; a `console.form.Effects`. Any thread may ask; one question is answered at a time."""

    def __init__(
        self, bootstrap: str, shop: str, states: States = lambda _: {},
        ringing: Ringing = lambda _: contextlib.nullcontext(),
    ) -> None:  # fmt: skip
        """states: gives (state, reason) of decisions that became deliveries, by id; ringing: lets what else
        brings news ring too, for a while."""
        self._ringing = ringing
        self._states = states
        self._bootstrap, self._topics = bootstrap, topics_of(shop)
        self._lock = threading.Lock()
        self._open: Any = None

    def decisions(
        self, cursor: str | None, limit: int, customer: bytes | None
    ) -> tuple[list[Concluded], str]:
        """Return decisions behind a cursor, and the cursor behind them. Raises Problem."""
        found, last = self._asked(Decision, self._topics.decisions, cursor, limit, customer)
        states = self._states([one.id for one, _ in found if one.outcome == "act"])
        return [_concluded(one, at, states) for one, at in found], last

    def tag_changes(
        self, cursor: str | None, limit: int, customer: bytes | None
    ) -> tuple[list[Changed], str]:
        """Return changes of tags and segments behind a cursor, and the cursor behind them. Raises Problem."""
        found, last = self._asked(Transition, self._topics.tag_changes, cursor, limit, customer)
        return [Changed(*one) for one in found], last

    def listen(self, ring: Callable[[], None], is_wanted: Callable[[], bool]) -> None:
        """Ring after each commit of effects, and where the ledger gains something, until nobody wants it.
        Raises KafkaError and InputError."""
        with self._ringing(ring):
            listen(self._bootstrap, list(self._topics.of_effects.values()), ring, is_wanted)

    def close(self) -> None:
        """Let go of the brokers."""
        with self._lock:
            self._let_go()

    def _asked(
        self, kind: type[Effect], topic: str, cursor: str | None, limit: int, customer: bytes | None
    ) -> tuple[list[tuple[Effect, str]], str]:
        with self._lock:
            try:
                return self._page(kind, topic, cursor, limit, customer)
            except InputError as error:
                raise away(error.problem) from error
            except KafkaError as error:
                self._let_go()
                raise away(f"Kafka does not tell ({type(error).__name__})") from error

    def _page(
        self, kind: type[Effect], topic: str, cursor: str | None, limit: int, customer: bytes | None
    ) -> tuple[list[tuple[Effect, str]], str]:
        consumer = self._consumer()
        every = kafka.partitions_of(consumer, [topic])
        if not every:
            refuse("not-ready", f"there is no topic {topic} yet", "start a worker: it makes the topic")
        at = _begin(consumer, every, cursor)
        asked, whose = every, None if customer is None else customer.hex().encode()
        if whose is not None:
            asked = [every[partition_of(whose, len(every))]]
        parts = _read(consumer, kind, {one: at[one.partition] for one in asked}, limit, whose)
        sequences: list[list[tuple[int, int, Effect]]] = [
            [(number, offset, effect) for offset, effect in part.found] for number, part in parts.items()
        ]
        page = []
        for number, offset, effect in itertools.islice(heapq.merge(*sequences, key=_minute), limit):
            at[number] = offset + 1
            page.append((effect, _cursor(at)))
        for number, part in parts.items():  # past what is nobody's, where all that was found is in the page
            if all(offset < at[number] for offset, _ in part.found):
                at[number] = part.end
        return page, _cursor(at)

    def _consumer(self) -> Any:
        if self._open is None:
            self._open = kafka.open_consumer(self._bootstrap, isolation_level="read_committed")
        return self._open

    def _let_go(self) -> None:
        open_, self._open = self._open, None
        if open_ is not None:
            with contextlib.suppress(KafkaError):
                open_.close()


def _concluded(one: Decision, at: str, states: Mapping[str, tuple[str, str]]) -> Concluded:
    state, reason = states.get(one.id, (None, "")) if one.outcome == "act" else (None, "")
    return Concluded(one, at, state, reason or None)


def _cursor(at: Sequence[int]) -> str:
    """Return the cursor of offsets, one a partition.

    >>> _cursor([42, 7, 0])
    '42.7.0'
    """
    return ".".join(map(str, at))


def _minute(one: tuple[int, int, Decision | Transition]) -> int:
    """Return the minute of (partition, offset, effect)."""
    return one[2].minute


def _begin(consumer: KafkaConsumer, parts: Sequence[TopicPartition], cursor: str | None) -> list[int]:
    """Return the offset that each partition is to be read from. Raises Problem."""
    begins = consumer.beginning_offsets(parts)
    firsts = [begins[one] for one in parts]
    if cursor is None:
        return firsts
    numbers = ["0"] * len(parts) if cursor == "0" else cursor.split(".")
    if len(numbers) != len(parts) or not all(0 < len(one) <= 18 for one in numbers):
        refuse("invalid-request", f"query.cursor: '{cursor}' is none of {len(parts)} partitions",
               "give `next` of the page before, or leave it out to begin")  # fmt: skip
    at, ends = [int(one) for one in numbers], consumer.end_offsets(parts)
    for one, first, offset in zip(parts, firsts, at, strict=True):
        if offset > ends[one]:
            refuse("cursor-gone", f"partition {one.partition} of {one.topic} has {ends[one]}, not {offset}",
                   "begin without a cursor; ids of events tell what you have had")  # fmt: skip
        if offset < first:
            refuse("cursor-gone", f"partition {one.partition} of {one.topic} begins at {first}, not {offset}",
                   "begin without a cursor; keep the topic longer: its retention.ms")  # fmt: skip
    return at


def _read(
    consumer: KafkaConsumer, kind: type[Effect], at: dict[TopicPartition, int], limit: int,
    whose: bytes | None,
) -> dict[int, _Part[Effect]]:  # fmt: skip
    """Read until each partition has enough, or is at its end."""
    decode = msgspec.json.Decoder(kind).decode
    ends = consumer.end_offsets(list(at))
    parts: dict[int, _Part[Effect]] = {one.partition: _Part([], offset) for one, offset in at.items()}
    open_ = {one for one, offset in at.items() if offset < ends[one]}
    consumer.assign(sorted(open_))
    consumer.resume(*open_)  # assigned anew they are paused still, as the last question left them
    for one in open_:
        consumer.seek(one, at[one])
    deadline = time.monotonic() + _SECONDS
    while open_ and time.monotonic() < deadline:
        for one, records in consumer.poll(_POLL_MS).items():
            part = parts[one.partition]
            for record in records:
                if len(part.found) < limit:
                    part.end = record.offset + 1
                    if whose in (None, record.key):
                        part.found.append((record.offset, decode(record.value)))
        for one in list(open_):
            part, position = parts[one.partition], consumer.position(one)
            if len(part.found) < limit:
                part.end = position  # past what ends a transaction, too
            if len(part.found) >= limit or position >= ends[one]:
                open_.discard(one)
                consumer.pause(one)
    return parts
