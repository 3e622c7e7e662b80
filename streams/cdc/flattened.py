"""Rows flattened by ExtractNewRecordState: columns at the top, what else there was under ``__`` names."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from streams.cdc.positions import SourceBlock

_OF_BLOCK = (
    "connector", "snapshot", "db", "schema", "table", "collection", "lsn", "file", "pos", "row",
    "change_lsn", "event_serial_no", "scn", "ord", "txnNumber",
)  # fmt: skip
_TEXTS = {"connector", "db", "schema", "table", "collection"}
# ``add.fields=lsn`` writes __lsn, ``add.fields=source.lsn`` writes __source_lsn.
METADATA = (
    "__op", "__deleted", "__source_ts_ms",
    *(f"__{name}" for name in _OF_BLOCK), *(f"__source_{name}" for name in _OF_BLOCK),
)  # fmt: skip


def source_block(metadata: dict[str, Any]) -> SourceBlock:
    """Return what a flattened row says of its source; metadata: of METADATA, what is set."""
    block = SourceBlock(ts_ms=metadata.get("__source_ts_ms"))
    for name in _OF_BLOCK:
        value = metadata.get(f"__source_{name}", metadata.get(f"__{name}"))
        if value is not None and (name not in _TEXTS or isinstance(value, str)):
            setattr(block, name, value)
    return block


def is_deleted(metadata: dict[str, Any]) -> bool:
    """Say whether the row stands for a delete (``delete.tombstone.handling.mode=rewrite``)."""
    return metadata.get("__deleted") in ("true", True) or metadata.get("__op") == "d"


def set_metadata(names: tuple[str, ...], cells: tuple[Any, ...]) -> dict[str, Any]:
    """Return the metadata that the row carries, by name."""
    return {name: cell for name, cell in zip(names, cells, strict=True) if cell is not UNSET}
