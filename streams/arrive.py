"""Messages as they arrive: decoded, checked, taken into the log or put aside, all in one transaction."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from streams.cdc.change import ChangeDecoder, Counted, Refused, RowChange
from streams.cdc.open import open_decoder
from streams.cdc.special import TOMBSTONE
from streams.change import NO_POSITION
from streams.contract.columns import check_source, known_to, names_of
from streams.contract.numbers import ValueProblem
from streams.contract.partial import check_partial
from streams.contract.source import CHANGE_FORMATS, Source
from streams.dead.letters import put_aside
from streams.decode.json_row import as_text, parse_row
from streams.errors import InputError
from streams.freshness import Freshness
from streams.live import append_freshness
from streams.log.log import Log
from streams.message import Message
from streams.report import ImportReport
from streams.scan.arriving import Scans
from streams.segment import SOURCE as CALLS
from streams.segment import Calls
from streams.taking import Row, take_rows

if TYPE_CHECKING:
    from app.shop import Shop

REQUEST_MINUTES = 7 * 1440  # a repeated request is known for as long as a repeated row (duplicate_horizon)


@dataclass(frozen=True)
class Rejection:
    """A message that became a dead letter; dead_letter: its number, None where it has none yet."""

    place: str
    problem: str
    hint: str
    dead_letter: int | None


@dataclass
class Arrived:
    """What became of the messages of one request.

    accepted: messages whose rows are in the log, or were known already; counted: messages that change no
    row, by kind (heartbeat, tombstone ...); rejected: those put aside.
    """

    accepted: int = 0
    counted: dict[str, int] = field(default_factory=dict)
    rejected: list[Rejection] = field(default_factory=list)


Request = tuple[Sequence[Message], str | None]


class Arrivals:
    """Takes messages into one log. Decoders are kept: they know the shape of their source's messages."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._shop: Shop | None = None
        self._sources: Mapping[str, Source] = {}
        self._decoders: dict[str, ChangeDecoder | None] = {}
        self._scans = Scans({}, ZoneInfo("UTC"))
        self._calls = Calls({})
        self._freshness = Freshness({})
        self._heard: list[tuple[Message, str, int | None]] = []  # message, source, written (ms)

    def freshness(self) -> Freshness:
        """Return what was heard of the sources so far, to come back to."""
        return copy.deepcopy(self._freshness)

    def set_freshness(self, freshness: Freshness) -> None:
        """Come back to what was heard before: what came since is taken again."""
        self._freshness = copy.deepcopy(freshness)

    def take(self, shop: Shop, requests: Sequence[Request], minute: int, mode: str = "live") -> list[Arrived]:
        """Take the messages of some requests, in their order, with one append minute; on disk on return.

        A request named like one before it gets that one's answer and changes nothing. What cannot be taken
        becomes a dead letter; nothing is dropped. Behind the rows stands, once a minute and source,
        until when the source was heard of (semantics D4).
        """
        self._use(shop)
        with self._log.transaction():
            answers = self._take(shop, requests, minute, mode)
            news = self._freshness.news(minute) if mode == "live" else {}
            if news:
                append_freshness(self._log, news, minute)
        self._freshness.told(news)
        return answers

    def _use(self, shop: Shop) -> None:
        if shop is self._shop:
            return
        self._shop, self._sources, self._decoders = shop, known_to(shop.sources, shop.tags), {}
        self._calls = Calls(self._sources)
        self._freshness = Freshness(self._sources)
        self._scans = Scans(self._sources, ZoneInfo(shop.settings.zone))

    def _take(self, shop: Shop, requests: Sequence[Request], minute: int, mode: str) -> list[Arrived]:
        answers: list[Arrived] = []
        fresh: dict[str, Arrived] = {}
        arriving: list[tuple[Message, Arrived]] = []
        rows: list[Row | None] = []
        origins: list[tuple[Message, Arrived]] = []
        begins: list[int] = []  # of each request, at which message
        self._heard.clear()
        for messages, name in requests:
            known = fresh.get(name) if name else None
            known = known or (self._answered(name) if name else None)
            answers.append(known or Arrived())
            begins.append(len(arriving))
            if known is not None:
                continue
            if name:
                fresh[name] = answers[-1]
            arriving += [(message, answers[-1]) for message in messages]
        scanned = self._scans.read([message for message, _ in arriving], minute)
        is_scanned = np.zeros(len(arriving), dtype=bool)
        for name, (_, places) in scanned.items():
            is_scanned[places] = True
            lanes = begins[1:] if self._log.lanes.are_requests else []
            for last in np.unique(np.searchsorted(places, [*lanes, len(arriving)])) - 1:
                if last >= 0:
                    self._hear_last(name, arriving[places[last]][0])
        first = np.zeros(len(arriving), dtype=np.int64)  # each message's first row
        for at, (message, answer) in enumerate(arriving):
            first[at] = len(rows)
            if is_scanned[at]:
                answer.accepted += 1
                found: list[Row | None] = [None]
            else:
                found = [*self._read(message, answer, minute)]
            rows += found
            origins += [(message, answer)] * len(found)
        ends = np.append(first, len(rows))
        self._log.lanes.begin(ends[begins])
        taken = {name: (changes, first[places]) for name, (changes, places) in scanned.items()}
        refused = take_rows(self._log, shop, rows, minute, mode, ImportReport(), taken)
        aside: set[tuple[int, str]] = set()  # messages of several rows are put aside once
        for at, problem in sorted(refused.items()):
            message, answer = origins[at]
            if (id(answer), message.place) not in aside:
                answer.accepted -= 1
            aside.add((id(answer), message.place))
            self._reject(message, answer, problem.problem, problem.hint, minute)
        without = {id(origins[at][0]) for at in refused}  # put aside: what they said is not in the log
        for message, source, written_ms in self._heard:
            if id(message) not in without:
                self._freshness.hear(source, written_ms)
        for name, answer in fresh.items():
            self._remember(name, answer, minute)
        return answers

    def _hear_last(self, source: str, message: Message) -> None:
        """Note when the last of the messages that were scanned was written: its decoder tells."""
        decoder = self._decoder(source)
        found = decoder.decode(message.key, message.value) if decoder is not None else ()
        if isinstance(found, tuple) and found:
            self._freshness.hear(source, found[-1].event_ms)

    def _read(self, message: Message, answer: Arrived, minute: int) -> list[Row]:
        """Return a message's rows; what is none is counted, or put aside."""
        try:
            found = self._decode(message)
        except (Refused, ValueProblem, InputError) as problem:
            self._reject(message, answer, problem.problem, problem.hint, minute)
            return []
        if isinstance(found, Counted):
            answer.counted[found.kind] = answer.counted.get(found.kind, 0) + 1
            return []
        answer.accepted += 1
        return found

    def read(self, shop: Shop, message: Message) -> list[Row] | Counted:
        """Return a message's rows, before their contract. Raises Refused, ValueProblem or InputError."""
        self._use(shop)
        return self._decode(message)

    def _decode(self, message: Message) -> list[Row] | Counted:
        decoder = None if message.source == CALLS else self._decoder(message.source)
        if message.is_too_large:
            raise ValueProblem("this is larger than 10 MB", "send the row without its large columns")
        if message.source == CALLS:
            calls = self._calls.rows(message.value)
            self._heard += [(message, call.source, None) for call in calls]
            return calls
        if decoder is None:
            if not message.value:
                raise ValueProblem("this is empty", "write one JSON object for each row")
            row = parse_row(message.value, names_of(self._sources[message.source]))
            values = {name: as_text(value) for name, value in row.items()}
            self._heard.append((message, message.source, None))
            return [Row(message.source, "upsert", values)]
        found = decoder.decode(message.key, message.value)
        if isinstance(found, Counted):
            if found != TOMBSTONE:  # which says no time, and only follows its delete
                self._heard.append((message, message.source, found.at_ms))
            return found
        self._scans.learn(message, found)
        rows = [_row(self._sources[message.source], change) for change in found]
        if found:
            self._heard.append((message, message.source, found[-1].event_ms))
        return rows

    def _decoder(self, source: str) -> ChangeDecoder | None:
        if source not in self._sources:
            known = ", ".join(sorted(self._sources)) or "none"
            raise InputError(source, "there is no such source", f"the shop's sources are {known}")
        if source not in self._decoders:
            declared = self._sources[source]
            check_source(declared, self._sources)
            is_change = declared.format.type in CHANGE_FORMATS
            self._decoders[source] = open_decoder(declared) if is_change else None
        return self._decoders[source]

    def _reject(self, message: Message, answer: Arrived, problem: str, hint: str, minute: int) -> None:
        number = put_aside(self._log, message, problem, hint, minute)
        answer.rejected.append(Rejection(message.place, problem, hint, number))

    def _answered(self, name: str) -> Arrived | None:
        query = "SELECT answer FROM request WHERE name = ?"
        found = self._log.connection.execute(query, (name,)).fetchone()
        return msgspec.json.decode(found[0], type=Arrived) if found else None

    def _remember(self, name: str, answer: Arrived, minute: int) -> None:
        connection = self._log.connection
        connection.execute("DELETE FROM request WHERE minute < ?", (minute - REQUEST_MINUTES,))
        body = msgspec.json.encode(answer).decode()
        connection.execute("INSERT INTO request VALUES (?, ?, ?)", (name, minute, body))


def _row(source: Source, change: RowChange) -> Row:
    if change.missing:
        check_partial(source, change.op, change.missing)
    values = change.key_values if change.op == "delete" else change.values
    position = NO_POSITION if change.position is None else change.position
    offset = 0 if change.position is not None and change.exact else NO_POSITION
    return Row(source.name, change.op, values, NO_POSITION, position, offset, change.missing)
