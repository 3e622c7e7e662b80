"""The form that the messages of one feed share, learnt from one of them.

What never changes between two changes of one table (names, brackets, commas, connector, database, table) is a
*literal* and compared as bytes; behind each literal stands a value that is read or passed over.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.cdc.change import Refused
from streams.cdc.positions import SourceBlock, is_snapshot
from streams.cdc.reading import read_tree

# What stands behind a literal: a cell of the row (its number, 0 or more), or
PASS_OVER, END, BEFORE, AFTER, OP, POSITION = -1, -2, -3, -4, -5, -6
_CONSTANT = ("version", "connector", "name", "snapshot", "db", "schema", "table")
_OTHERWISE = {"updateDescription", "patch", "schema", "payload"}  # at the top: not an envelope of a table
_ROWS = {"before": BEFORE, "after": AFTER}


@dataclass(frozen=True)
class Shape:
    """Literal i is text[begins[i] : begins[i + 1]], behind it stands what[i]. The envelope's come first, from
    ``row`` on those of a row. snapshot: rows of such messages are read, not changed (semantics T5).
    """

    text: NDArray[np.uint8]
    begins: NDArray[np.int64]
    what: NDArray[np.int64]
    row: int
    snapshot: bool


def learn(value: bytes, headings: Sequence[str]) -> Shape | None:
    """Return the form of an envelope of Debezium's PostgreSQL connector; None for any other message.

    headings: the columns that are read; cell i is that of headings[i].
    """
    try:
        tree = read_tree(value)
    except Refused:
        return None
    if not isinstance(tree, dict) or tree.keys() & _OTHERWISE or not {"op", *_ROWS, "source"} <= tree.keys():
        return None
    block, row = tree["source"], tree["after"] or tree["before"]
    if not isinstance(block, dict) or not isinstance(row, dict) or not row.keys() >= set(headings):
        return None
    if (
        block.get("connector") != "postgresql"
        or block.keys() & {"collection", "keyspace"}
        or "lsn" not in block
    ):
        return None
    names = list(tree)
    if names.index("after") < names.index("before"):  # the row that counts is read last
        return None
    writer = _Literals()
    for name, held in tree.items():
        writer.member(name)
        if name == "source":
            writer.block(held)
        else:
            writer.value(OP if name == "op" else _ROWS.get(name, PASS_OVER))
    writer.close()
    first = len(writer.what)
    cells = {heading: cell for cell, heading in enumerate(headings)}
    for name in row:
        writer.member(name)
        writer.value(cells.get(name, PASS_OVER))
    writer.close()
    return writer.shape(first, is_snapshot(SourceBlock(snapshot=block.get("snapshot"))))


class _Literals:
    def __init__(self) -> None:
        self.what: list[int] = []
        self._written: list[bytes] = []
        self._open = b""
        self._is_first = True

    def member(self, name: str) -> None:
        self._open += (b"{" if self._is_first else b",") + _json(name) + b":"
        self._is_first = False

    def value(self, what: int) -> None:
        self._written.append(self._open)
        self.what.append(what)
        self._open = b""

    def block(self, block: dict[str, Any]) -> None:
        """Write the source: its constant values belong to the literals."""
        self._is_first = True
        for name, held in block.items():
            self.member(name)
            if name in _CONSTANT:
                self._open += _json(held)
            else:
                self.value(POSITION if name == "lsn" else PASS_OVER)
        self._open += b"}"
        self._is_first = False

    def close(self) -> None:
        self._open += b"}"
        self.value(END)
        self._is_first = True

    def shape(self, row: int, snapshot: bool) -> Shape:
        text = np.frombuffer(b"".join(self._written) + bytes(8), dtype=np.uint8)
        begins = np.cumsum([0, *map(len, self._written)], dtype=np.int64)
        return Shape(text, begins, np.array(self.what, dtype=np.int64), row, snapshot)


def _json(value: Any) -> bytes:
    # Numbers with a fraction come as bytes, and no constant of a source is one.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=repr).encode()
