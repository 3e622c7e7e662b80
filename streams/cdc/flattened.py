"""Rows flattened by ExtractNewRecordState: columns at the top, what else there was under ``__`` names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from streams.cdc.positions import SourceBlock
from streams.cdc.reading import digits
from streams.cdc.rows import row_type
from streams.cdc.special import TELLTALES

_OF_BLOCK = (
    "connector", "snapshot", "db", "schema", "table", "collection", "lsn", "file", "pos", "row",
    "change_lsn", "event_serial_no", "scn", "ord", "txnNumber",
)  # fmt: skip
_TEXTS = {"connector", "db", "schema", "table", "collection"}
# ``add.fields=lsn`` writes __lsn, ``add.fields=source.lsn`` writes __source_lsn.
_ATTRIBUTES = {
    "__source_ts_ms": "ts_ms",
    **{f"__{name}": name for name in _OF_BLOCK},
    **{f"__source_{name}": name for name in _OF_BLOCK},
}
_METADATA = ("__op", "__deleted", *_ATTRIBUTES)


class Metadata(msgspec.Struct, frozen=True, gc=False):
    """What a flattened row says beside its columns; op is None where it does not."""

    op: Any
    deleted: bool
    block: SourceBlock


NOTHING = Metadata(None, False, SourceBlock())


class FlatRows:
    """Reads flattened rows: the declared columns first, then their metadata, then what no row has."""

    def __init__(self, headings: Sequence[str], keys: Sequence[str]) -> None:
        extra = [name for name in _METADATA if name not in headings]
        telltales = [name for name in TELLTALES if name not in headings]
        row = row_type("FlatRow", [*headings, *extra, *telltales])
        self._rows = msgspec.json.Decoder(row, float_hook=digits)
        self._columns, self._end = len(headings), len(headings) + len(extra)
        self._names = extra
        self._places: list[tuple[int, str]] = []
        self._unset = len(extra)
        self._no_telltales = (UNSET,) * len(telltales)
        # A source may read metadata as columns of its own, such as the time of the database.
        self._read = [(at, name) for at, name in enumerate(headings) if name in _METADATA]
        self._keys = [headings.index(name) for name in keys]

    def cells(self, payload: bytes | Raw) -> tuple[Any, ...]:
        """Return the cells of a row. Raises msgspec's errors."""
        return msgspec.structs.astuple(self._rows.decode(payload))

    def is_plain(self, cells: tuple[Any, ...]) -> bool:
        """Say whether the cells are those of a row beyond doubt."""
        for at in self._keys:
            if cells[at] is UNSET:
                return False
        return cells[self._end :] == self._no_telltales

    def key_cells(self, cells: tuple[Any, ...]) -> list[Any]:
        """Return the cells of the key's columns."""
        return [cells[at] for at in self._keys]

    def metadata(self, cells: tuple[Any, ...]) -> Metadata:
        """Return what the row says beside its columns."""
        found = self._found(cells[self._columns : self._end])
        if self._read:
            found.update({name: cells[at] for at, name in self._read if cells[at] is not UNSET})
        if not found:
            return NOTHING
        op, deleted = found.pop("__op", None), found.pop("__deleted", None)
        block = SourceBlock()
        for name, cell in found.items():
            attribute = _ATTRIBUTES[name]
            if cell is not None and (attribute not in _TEXTS or isinstance(cell, str)):
                setattr(block, attribute, cell)
        return Metadata(op, op == "d" or deleted == "true" or deleted is True, block)

    def _found(self, extra: tuple[Any, ...]) -> dict[str, Any]:
        """Return the metadata that are set. A stream repeats which: their places are kept and checked."""
        if extra.count(UNSET) == self._unset:
            found = {name: extra[at] for at, name in self._places}
            if UNSET not in found.values():  # as many as before, and none of those lacks: the same ones
                return found
        self._places = [(at, name) for at, name in enumerate(self._names) if extra[at] is not UNSET]
        self._unset = len(extra) - len(self._places)
        return {name: extra[at] for at, name in self._places}
