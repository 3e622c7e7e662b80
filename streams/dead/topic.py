"""The dead letters of a cluster: put aside by workers in one topic, what became of them in another.

A letter's number is its offset. Both topics are compacted: of each letter the newest record holds, and one
without a value behind it takes it out, when a customer is erased of whom it tells. A letter is sent back to
where it came from and noted as replayed in one transaction: once, or not at all.
"""

from __future__ import annotations

import base64
import contextlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kafka.errors import KafkaError

from streams.changes.reading import fetches
from streams.changes.topics import LARGEST_MESSAGE, Topics
from streams.dead.letters import DROPPED, REPLAYED, WAITING, DeadLetter
from streams.debezium import kafka
from streams.errors import InputError

KEY, EMPTY = "key", "empty"  # headers: the message's key; that it had no value
_SECONDS, _CLOSE_SECONDS = 30.0, 5.0


@dataclass(frozen=True)
class Noted:
    """What became of a letter. fixed: its value as somebody mended it; problem, hint: where it is refused
    again, why."""

    state: str = WAITING
    fixed: bytes | None = None
    problem: str | None = None
    hint: str | None = None

    def encoded(self) -> bytes:
        """Return it as a message."""
        fixed = None if self.fixed is None else base64.b64encode(self.fixed).decode()
        said = {"state": self.state, "fixed": fixed, "problem": self.problem, "hint": self.hint}
        return json.dumps(said, ensure_ascii=False).encode()

    @staticmethod
    def decoded(raw: bytes) -> Noted:
        """Return what `encoded` made a message of."""
        said = json.loads(raw)
        fixed = None if said["fixed"] is None else base64.b64decode(said["fixed"])
        return Noted(said["state"], fixed, said["problem"], said["hint"])


class TopicLetters:
    """A shop's dead letters in its topics. Every call reads, or writes, and connects to no more."""

    def __init__(self, bootstrap: str, topics: Topics) -> None:
        self._bootstrap, self._topics = bootstrap, topics
        self.times: dict[int, int] = {}  # when letters that were read were put aside, ms since 1970
        self.names: dict[int, bytes] = {}  # the keys of their records

    def letters(self, state: str | None = WAITING, ids: Sequence[int] = ()) -> list[DeadLetter]:
        """Return dead letters, the oldest first: of one state, or these ids. Raises InputError for an id that
        is not there, too."""
        states: dict[int, Noted] = {}
        for record in self._records(self._topics.dead_states):
            states[int(record.key)] = Noted.decoded(record.value) if record.value is not None else Noted()
        records = {record.key: record for record in self._records(self._topics.dead)}
        found = []
        for record in records.values():
            if record.value is None:
                continue
            letter = _with(_letter(record), states.get(record.offset))
            self.times[letter.id], self.names[letter.id] = record.timestamp, record.key
            if letter.id in ids if ids else state in (None, letter.state):
                found.append(letter)
        if missing := set(ids) - {one.id for one in found}:
            hint = "see: tintype dead SHOP list --cluster --all"
            raise InputError(f"dead letter {min(missing)}", "there is none with this number", hint)
        return found

    def _records(self, topic: str) -> list[Any]:
        with kafka.consumer(self._bootstrap) as consumer:
            parts = kafka.partitions_of(consumer, [topic])
            begin = {one.partition: offset for one, offset in consumer.beginning_offsets(parts).items()}
        if not begin:
            raise InputError(topic, "there is no such topic", "make the shop's topics: tintype apply SHOP")
        return [one for _, records in fetches(self._bootstrap, topic, begin) for one in records]

    def note(self, notes: Mapping[int, Noted], back: Sequence[tuple[DeadLetter, bytes | None]] = ()) -> None:
        """Note what became of letters, and send some back to where they came from, all or nothing.

        back: with another key, by which the partition is chosen anew, or None: to the very partition.

        Who does so at the same time is refused, or this is. Raises InputError; then nothing was done, unless
        Kafka has lost its answer.
        """
        producer = kafka.open_producer(
            self._bootstrap, transactional_id=f"{self._topics.dead}.replay", enable_idempotence=True,
            max_request_size=LARGEST_MESSAGE,
        )  # fmt: skip
        try:
            producer.init_transactions()
            producer.begin_transaction()
            sent = []
            for one, key in back:
                topic, partition = place_of(one)
                sent.append(
                    producer.send(topic, one.message.value, key=one.key, partition=partition)
                    if key is None else producer.send(topic, one.message.value, key=key)
                )  # fmt: skip
            sent += [
                producer.send(self._topics.dead_states, note.encoded(), key=str(number).encode())
                for number, note in notes.items()
            ]
            for one in sent:
                one.get(_SECONDS)
            producer.commit_transaction()
        except KafkaError as error:
            with contextlib.suppress(KafkaError):
                producer.close(timeout=_CLOSE_SECONDS)
            hint = "see what became of them: tintype dead SHOP list --cluster; then do it again"
            raise InputError(self._topics.dead, f"Kafka refuses ({type(error).__name__})", hint) from error
        producer.close()


    def mend(self, letter: DeadLetter, value: bytes) -> None:
        """Keep another value for a letter, beside the one it came with. Raises InputError."""
        if letter.state == REPLAYED:
            hint = "send a new change of the row"
            raise InputError(f"dead letter {letter.id}", "it has been replayed", hint)
        self.note({letter.id: Noted(fixed=value)})

    def drop(self, letters: Sequence[DeadLetter]) -> None:
        """Let letters wait no longer. Raises InputError."""
        self.note({one.id: Noted(DROPPED, one.fixed) for one in letters})


def place_of(letter: DeadLetter) -> tuple[str, int]:
    """Return topic and partition that a letter came from: its row's other changes are there too.

    Raises InputError for a letter that came from elsewhere.
    """
    topic, _, rest = letter.place.rpartition("/")[0].rpartition("/")
    if not topic or not rest.isdecimal():
        hint = "send its row anew"
        raise InputError(f"dead letter {letter.id}", f"its place is no topic: {letter.place}", hint)
    return topic, int(rest)


def packed(letter: DeadLetter) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    """Return key, value and headers of a letter's record. The key is the letter's own; that of its message,
    and whether that had no value, stand in headers."""
    headers = letter.headers()
    if letter.key is not None:
        headers.append((KEY, letter.key))
    if letter.value is None:
        headers.append((EMPTY, b""))
    return uuid.uuid4().bytes, letter.value or b"", headers


def _letter(record: Any) -> DeadLetter:
    headers = dict(record.headers)
    key, value = headers.pop(KEY, None), None if EMPTY in headers else record.value
    said = {name: text.decode() for name, text in headers.items()}
    return DeadLetter(
        record.offset, said["source"], said["place"], int(said["minute"]), said["problem"], said["hint"],
        key, value, None, WAITING, 0, 0, 0,
    )  # fmt: skip


def _with(letter: DeadLetter, note: Noted | None) -> DeadLetter:
    if note is None:
        return letter
    problem, hint = note.problem or letter.problem, note.hint or letter.hint
    return replace(letter, state=note.state, fixed=note.fixed, problem=problem, hint=hint)
