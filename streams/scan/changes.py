"""Scanned messages as changes: what the contract would have made of them, for identity and the log."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from profiles.windows import parse_length
from streams.cdc.unavailable import TEXTS
from streams.change import DELETE, NO_POSITION, Changes, nothing
from streams.contract.columns import carried_columns
from streams.contract.keys import WHOLE_HIGH, hash128, is_whole_key
from streams.contract.moments import MINUTE_US
from streams.contract.names import check_name
from streams.contract.numbers import ValueProblem
from streams.scan.scanner import GENERAL, Buffer, Scanned, Scanner, operations
from streams.scan.uses import EVENT_TIME, ROW_KEY

Int64s = NDArray[np.int64]
TEXT = pa.large_string()


class ChangeScanner:
    """Reads one source's messages into changes."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        source = scanner.source
        self._places = {use.name: place for place, use in enumerate(scanner.uses)}
        self._references = [f"!reference {at}" for at in range(len(source.references))]
        self._columns = list(carried_columns(source))
        self._is_whole = is_whole_key(source)
        self._max_future = parse_length(source.max_future)

    @property
    def can_read(self) -> bool:
        """Whether the source is one that the scanner reads at all."""
        return bool(self._scanner.uses)

    def learn(self, message: bytes) -> None:
        """Take the form of a message that the general decoder has read as a change of the own table."""
        self._scanner.learn(message)

    def read(self, buffer: Buffer, rows: Int64s, minute: int) -> tuple[Changes, Int64s]:
        """Return the changes of those messages ``rows`` that are plain, and which ones they are (ascending).

        minute: the append minute, as the contract wants it (deletes, ``max_future``). Everything else, a row
        that breaks the contract too, is left to the general decoder.
        """
        scanned = self._scanner.scan(buffer, rows)
        if scanned is None:
            return self._changes(buffer, _nothing(len(self._scanner.uses)), minute), rows[:0]
        keep = self._plain(buffer, scanned, minute)
        return self._changes(buffer, scanned.take(keep), minute), rows[keep]

    def _plain(self, buffer: Buffer, scanned: Scanned, minute: int) -> NDArray[np.bool_]:
        keep: NDArray[np.bool_] = np.not_equal(scanned.op, GENERAL)
        deleted = operations(scanned.op) == DELETE
        event = scanned.values[:, self._places[EVENT_TIME]]
        keep &= deleted | (event // MINUTE_US <= minute + self._max_future)
        references = sum(1 << self._places[name] for name in self._references)
        keep &= deleted | (scanned.nulls & references != references)  # nobody is named
        if not self._is_whole:
            keep &= np.array([text is not None for text in _keys(buffer, scanned)], dtype=bool)
        return keep

    def _changes(self, buffer: Buffer, scanned: Scanned, minute: int) -> Changes:
        source, op = self._scanner.source, operations(scanned.op)
        deleted, count = op == DELETE, len(op)
        event_us = np.where(deleted, minute * MINUTE_US, scanned.values[:, self._places[EVENT_TIME]])
        columns = pa.table({name: self._column(scanned, self._places[name]) for name in self._columns})
        references = [
            self._texts(scanned, self._places[name], f"{reference.type}:", deleted)
            for name, reference in zip(self._references, source.references, strict=True)
        ]
        none, parent = np.zeros(count, dtype=np.int64), nothing(count)
        high, low = self._key(buffer, scanned)
        positioned = scanned.position != NO_POSITION
        return Changes(
            source.name, op, np.full(count, NO_POSITION, dtype=np.int64), scanned.position,
            np.where(positioned, 0, NO_POSITION), high, low, event_us, none, references,
            none.copy(), none.copy(), parent, columns,
        )  # fmt: skip

    def _key(self, buffer: Buffer, scanned: Scanned) -> tuple[Int64s, Int64s]:
        if self._is_whole:
            low = scanned.values[:, self._places[ROW_KEY]].copy()
            return np.full(len(low), WHOLE_HIGH), low
        return hash128([text or "" for text in _keys(buffer, scanned)])

    def _column(self, scanned: Scanned, place: int) -> pa.ChunkedArray:
        if self._scanner.uses[place].meaning is None:
            return self._texts(scanned, place, "", np.zeros(len(scanned.op), dtype=bool))
        null = (scanned.nulls >> place) & 1 != 0
        return pa.chunked_array([pa.array(scanned.values[:, place], type=pa.int64(), mask=null)])

    def _texts(self, scanned: Scanned, place: int, prefix: str, but: NDArray[np.bool_]) -> pa.ChunkedArray:
        null = ((scanned.nulls >> place) & 1 != 0) | but
        codes, at = np.unique(np.where(null, -1, scanned.values[:, place]), return_inverse=True)
        texts = [prefix + self._scanner.texts[code] if code >= 0 else None for code in codes.tolist()]
        return pa.chunked_array([pa.array(texts, TEXT).take(pa.array(at.reshape(-1)))])


def _keys(buffer: Buffer, scanned: Scanned) -> list[str | None]:
    """Return the keys' texts; None where one is not given, or no UTF-8."""
    whole = memoryview(buffer.text.data)
    spans = zip(scanned.op.tolist(), scanned.key_at.tolist(), scanned.key_end.tolist(), strict=True)
    return [_text(whole[first:last].tobytes()) if op != GENERAL else None for op, first, last in spans]


def _text(raw: bytes) -> str | None:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    if text in TEXTS:
        return None
    try:
        check_name(text)
    except ValueProblem:
        return None
    return text


def _nothing(uses: int) -> Scanned:
    none = np.zeros(0, dtype=np.int64)
    return Scanned(np.zeros(0, dtype=np.int8), none, np.zeros((0, uses), dtype=np.int64), none, none, none)
