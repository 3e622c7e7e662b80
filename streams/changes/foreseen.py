"""What will become of messages on their way to the workers: by which key, and what their contract refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
import xxhash

from streams.cdc.change import Refused
from streams.contract.columns import known_to, names_of
from streams.contract.numbers import ValueProblem
from streams.contract.source import Source
from streams.decode.json_row import as_text, parse_row
from streams.errors import InputError
from streams.identity.partition import id_list
from streams.message import Message
from streams.segment import SOURCE as CALLS
from streams.segment import Calls
from streams.taking import Row, by_source, checked

if TYPE_CHECKING:
    from app.shop import Shop

_WHO = ("userId", "anonymousId", "messageId")  # of a call: the first that is there keeps its calls in order


@dataclass
class Foreseen:
    """key: equal for all changes of one row, and for all calls of one person; None where there is none.
    problem: why it will be put aside, None where nothing speaks against it."""

    key: bytes | None = None
    problem: Refused | ValueProblem | InputError | None = None


class Foresight:
    """Reads messages as workers will under the same settings. Any thread may use it."""

    def __init__(self, shop: Shop) -> None:
        self._sources: Mapping[str, Source] = known_to(shop.sources, shop.tags)
        self._calls = Calls(self._sources)
        self._zone = ZoneInfo(shop.settings.zone)

    def look(self, messages: Sequence[Message], minute: int) -> list[Foreseen]:
        """Return what is foreseen of each: rows of a source without change messages, or calls.

        minute: the present one, since 1970.
        """
        found = [Foreseen() for _ in messages]
        rows: list[Row] = []
        origins: list[Foreseen] = []
        for message, one in zip(messages, found, strict=True):
            try:
                read = self._read(message)
            except (Refused, ValueProblem, InputError) as problem:
                one.problem = problem
            else:
                rows += read
                origins += [one] * len(read)
            if message.source == CALLS:
                one.key = _caller(message.value or b"")
        for name, own in by_source(rows).items():
            self._check(name, own, origins, minute)
        return found

    def _read(self, message: Message) -> list[Row]:
        if message.is_too_large:
            raise ValueProblem("this is larger than 10 MB", "send the row without its large columns")
        if message.source == CALLS:
            return self._calls.rows(message.value)
        row = parse_row(message.value or b"", names_of(self._sources[message.source]))
        return [Row(message.source, "upsert", {name: as_text(value) for name, value in row.items()})]

    def _check(
        self, name: str, own: Mapping[int, Row], origins: Sequence[Foreseen], minute: int
    ) -> None:
        places = list(own)
        found = checked(self._sources, name, list(own.values()), minute, self._zone)
        for row, fault in found.faults:
            origins[places[row]].problem = fault
        keys = id_list(found.changes.key_high, found.changes.key_low)
        for row, key in zip(found.rows.tolist(), keys, strict=True):
            one = origins[places[row]]
            one.key = one.key or key


def _caller(call: bytes) -> bytes | None:
    """Return what keeps the calls of one person in order."""
    try:
        said = msgspec.json.decode(call, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    who = next((bytes(said[name]) for name in _WHO if name in said and bytes(said[name]) != b"null"), None)
    return None if who is None else xxhash.xxh3_128_digest(who)
