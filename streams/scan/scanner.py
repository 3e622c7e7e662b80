"""Batches of one source's change messages into typed columns, as general decoder and contract would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from streams.cdc.change import Refused
from streams.cdc.reading import read_tree
from streams.cdc.unavailable import TEXTS
from streams.change import DELETE, INSERT, NO_POSITION, READ, UPDATE
from streams.contract.columns import file_columns
from streams.contract.numbers import ValueProblem
from streams.contract.source import Source
from streams.scan import envelope
from streams.scan.envelope import GENERAL, scan
from streams.scan.settle import MEANS, NOTHING, REFUSED, settle
from streams.scan.shape import Shape, learn
from streams.scan.tokens import MOST, Tokens
from streams.scan.uses import Use, cells_of, uses_of

Int64s = NDArray[np.int64]
_OPS = np.zeros(5, dtype=np.int8)
_OPS[[envelope.INSERT, envelope.UPDATE, envelope.DELETE, envelope.READ]] = INSERT, UPDATE, DELETE, READ


@dataclass(frozen=True)
class Buffer:
    """Messages one after the other: message i is text[begins[i] : ends[i]]; text: uint8, then 16 zeros."""

    text: NDArray[np.uint8]
    begins: Int64s
    ends: Int64s

    @classmethod
    def of(cls, messages: Sequence[bytes]) -> Buffer:
        """Return some messages, joined."""
        joined = b"".join((*messages, bytes(16)))
        ends = np.cumsum(np.fromiter(map(len, messages), dtype=np.int64, count=len(messages)))
        begins = np.zeros(len(messages), dtype=np.int64)
        begins[1:] = ends[:-1]
        return cls(np.frombuffer(joined, dtype=np.uint8), begins, ends)


@dataclass(frozen=True)
class Scanned:
    """What the scanner made of some messages, in their order; a line is valid where ``op`` is not GENERAL.

    op: int8, of `streams.scan.envelope`; position: int64; values: int64, shape (rows, uses), of text uses the
    code of ``Scanner.texts``; nulls: int64, bit u where use u is null; key_at, key_end: where the key stands.
    """

    op: NDArray[np.int8]
    position: Int64s
    values: Int64s
    nulls: Int64s
    key_at: Int64s
    key_end: Int64s

    def take(self, rows: NDArray[np.bool_]) -> Scanned:
        """Return the lines where the mask is true."""
        if rows.all():
            return self
        return Scanned(self.op[rows], self.position[rows], self.values[rows], self.nulls[rows],
                       self.key_at[rows], self.key_end[rows])  # fmt: skip


class Scanner:
    """Reads one source. ``uses``: what becomes columns, in their order; None for a source it cannot read.

    texts: by code, of the uses that mean a text; only codes that have come up in such a use are set.
    """

    def __init__(self, source: Source, zone: ZoneInfo) -> None:
        self.source = source
        self.uses: list[Use] = uses_of(source, zone) or []
        self.texts: list[str] = []
        self._headings = file_columns(source)
        self._cells = np.array(cells_of(self._headings, self.uses, source.key), dtype=np.int64)
        at = {heading: cell for cell, heading in enumerate(self._headings)}
        lines = [[at[use.field.heading], use.unit, use.purpose, use.meaning is None] for use in self.uses]
        self._uses = np.array(lines, dtype=np.int64).reshape(-1, 4)
        self._readers = [use.reader() for use in self.uses]
        self._shape: Shape | None = None
        self._tokens = Tokens()
        self._forget()

    def _forget(self) -> None:
        self._tokens.clear()
        self.texts = []
        self._state = np.zeros((len(self.uses), 0), dtype=np.int8)
        self._meaning = np.zeros((len(self.uses), 0), dtype=np.int64)

    def learn(self, message: bytes) -> None:
        """Take the form of a message that the general decoder has read as a change of the own table."""
        if self.uses:
            self._shape = learn(message, self._headings) or self._shape

    def scan(self, buffer: Buffer, rows: Int64s) -> Scanned | None:
        """Read the messages ``rows`` of a buffer; None before a form has been learnt."""
        shape = self._shape
        if shape is None or len(rows) == 0:
            return None
        count, width = len(rows), len(self._cells)
        op, position = np.empty(count, dtype=np.int8), np.empty(count, dtype=np.int64)
        numbers, codes = np.empty((count, width), dtype=np.int64), np.empty((count, width), dtype=np.int64)
        key_at, key_end = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
        later = np.empty((count, width, 2), dtype=np.int64)
        tokens = self._tokens
        if len(tokens) > MOST:
            self._forget()
        tokens.make_room(count * width, int((buffer.ends[rows] - buffer.begins[rows]).sum()))
        scan(
            buffer.text, buffer.begins, buffer.ends, rows, shape.text, shape.begins, shape.what, shape.row,
            self._cells, tokens.slots, tokens.records, tokens.arena, tokens.used, later,
            op, position, numbers, codes, key_at, key_end,
        )  # fmt: skip
        self._make_room()
        values, nulls = np.empty((count, len(self.uses)), dtype=np.int64), np.empty(count, dtype=np.int64)
        unread = np.empty((count * len(self.uses), 2), dtype=np.int64)
        while waiting := settle(
            op, numbers, codes, self._uses, self._state, self._meaning, values, nulls, unread
        ):
            self._read(np.unique(unread[:waiting], axis=0))
        if shape.snapshot:
            op[op == envelope.INSERT] = envelope.READ
            position[:] = NO_POSITION
        else:
            position[op == envelope.READ] = NO_POSITION
        return Scanned(op, position, values, nulls, key_at, key_end)

    def _make_room(self) -> None:
        codes, held = len(self._tokens), self._state.shape[1]
        if codes > held:
            more = max(2 * held, codes, 1024) - held
            empty = np.zeros((len(self.uses), more), dtype=np.int64)
            self._state = np.concatenate([self._state, empty.astype(np.int8)], axis=1)
            self._meaning = np.concatenate([self._meaning, empty], axis=1)

    def _read(self, unread: Int64s) -> None:
        """Give tokens (use, code) their meaning."""
        raw: dict[int, bytes] = {}
        for use, code in unread.tolist():
            if code not in raw:
                raw[code] = self._tokens.bytes_of(code, code + 1)[0]
            self._state[use, code], self._meaning[use, code] = self._meaning_of(use, code, raw[code])

    def _meaning_of(self, number: int, code: int, raw: bytes) -> tuple[int, int]:
        use = self.uses[number]
        try:
            value: Any = read_tree(raw)
            if value in TEXTS:
                return REFUSED, 0  # the message does not carry it
            text = self._readers[number](value)
            if text is None:
                return (REFUSED if use.required else NOTHING), 0
            if use.meaning is not None:
                return MEANS, use.meaning(text)
            if use.check is not None:
                use.check(text)
        except (Refused, ValueProblem):
            return REFUSED, 0
        if code >= len(self.texts):
            self.texts += [""] * (len(self._tokens) - len(self.texts))
        self.texts[code] = text
        return MEANS, code


def operations(op: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the operations of changes (`streams.change`) of scanned ones."""
    return _OPS[op]


__all__ = ["GENERAL", "Buffer", "Scanned", "Scanner", "operations"]
