"""The relay's pure part: blocks of the log, and effects, as pages of history's tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sinks.history.history import CHANGES, CONTROLS, Page
from sinks.outbox import Effect
from streams.change import DELETE, INSERT, MOVE_OUT, READ, UPDATE, UPSERT
from streams.errors import InputError
from streams.log.block import CONTROL, Block

OPS = {UPSERT: "upsert", INSERT: "insert", UPDATE: "update", DELETE: "delete", READ: "read",
       MOVE_OUT: "move out"}  # fmt: skip
_OP_NAMES = pa.array([OPS[op] for op in sorted(OPS)])
_FIRST = ("partition", "step", "minute", "mode")
# Two characters for each byte, as they lie in memory.
_HEX = np.array([f"{byte:02x}".encode() for byte in range(256)], dtype="S2").view(np.uint16)


def of_blocks(blocks: Sequence[Block]) -> dict[str, Page]:
    """Return the records of a partition's consecutive blocks as one page for each table.

    Columns of a table of changes: partition (int32), step (int64), minute (int32), mode, op (text),
    customer (32 hex digits), key_high, key_low, position, offset, event_us (int64), epoch (int32),
    reference (text) and the declared columns of all blocks (int64 or text, null where a block has none);
    of ``controls``: partition, step, minute, mode, kind, customer (empty where it is nobody's), body (JSON).
    Raises InputError for a column that has become of another type within the blocks, or has a name that
    every record has already.
    """
    pieces: dict[str, list[tuple[Block, pa.Table]]] = {}
    for block in blocks:
        for name, table in block.tables().items():
            pieces.setdefault(name, []).append((block, _plain(table)))
    last = blocks[-1].first_step + blocks[-1].count - 1
    pages = {}
    for name, parts in pieces.items():
        target = CONTROLS if name == CONTROL else CHANGES + name
        pages[target] = Page(blocks[0].partition, blocks[0].first_step, last, _stamped(name, parts))
    return pages


def _plain(table: pa.Table) -> pa.Table:
    """Return a table whose coded texts are text, so that those of several blocks go together."""
    for at, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(at, field.name, table.column(at).cast(field.type.value_type))
    return table


def _stamped(name: str, parts: list[tuple[Block, pa.Table]]) -> pa.Table:
    counts = [table.num_rows for _, table in parts]
    table = _together(name, [table for _, table in parts])
    first = np.repeat([block.first_step for block, _ in parts], counts)
    columns: dict[str, Any] = {
        "partition": pa.array(np.full(len(first), parts[0][0].partition, dtype=np.int32)),
        "step": pa.array(table["ordinal"].to_numpy() + first, pa.int64()),
        "minute": table["minute"],
        "mode": _repeated([block.mode for block, _ in parts], counts),
    }
    for column in table.column_names:
        if column not in ("ordinal", "minute"):
            columns[column] = table[column]
    columns["customer"] = _hex_ids(table["customer"].combine_chunks())
    if "op" in columns:
        columns["op"] = _OP_NAMES.take(table["op"].combine_chunks())
    return pa.table(columns).combine_chunks()


def _together(name: str, tables: list[pa.Table]) -> pa.Table:
    kinds: dict[str, pa.DataType] = {}
    for table in tables:
        if clash := {"partition", "step", "mode"}.intersection(table.column_names):
            hint = "give it another name, and the file's own with 'from'"
            raise InputError(f"source '{name}'", f"history has a column '{min(clash)}' itself", hint)
        for field in table.schema:
            if kinds.setdefault(field.name, field.type) != field.type:
                raise InputError(
                    f"source '{name}'",
                    f"column '{field.name}' was {kinds[field.name]} and is {field.type} now",
                    "give the column another name in sources/*.yaml",
                )
    return pa.concat_tables(tables, promote_options="default")


def _repeated(values: list[str], counts: list[int]) -> pa.Array:
    codes = pa.array(np.repeat(np.arange(len(values)), counts))
    return pa.array(values, pa.utf8()).take(codes)


def _hex_ids(ids: pa.Array) -> pa.Array:
    """Return 16 bytes as 32 hex digits, and null as empty text."""
    present = ids.is_valid().to_numpy(zero_copy_only=False)
    raw = pc.fill_null(ids, bytes(16))
    held = np.frombuffer(raw.buffers()[1], np.uint8)[16 * raw.offset : 16 * (raw.offset + len(raw))]
    digits = _HEX[held.reshape(-1, 16)[present]].tobytes()
    ends = np.concatenate([[0], np.cumsum(present) * 32]).astype(np.int32)
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer(ends.tobytes()), pa.py_buffer(digits))


_SHARED = {"partition": pa.int32(), "seq": pa.int64(), "step": pa.int64(), "minute": pa.int32(),
           "customer": pa.utf8()}  # fmt: skip
_TEXTS = ("change", "mode", "id", "version", "outcome", "guard", "status")
_BODIES = ("cause", "figures", "values")


def of_effects(effects: Sequence[Effect]) -> Page:
    """Return effects of one partition, in the order of their ``seq``, as a page of ``effects``.

    An effect has the fields of `engine.outcome.Transition` or `Decision`, and ``seq``. A decision is known
    by its ``trigger``. What only the other kind has is empty; cause, figures and values are JSON.
    """
    columns = {name: pa.array([one[name] for one in effects], kind) for name, kind in _SHARED.items()}
    decided = ["trigger" in one for one in effects]
    columns["kind"] = pa.array(["decision" if yes else "transition" for yes in decided], pa.utf8())
    columns["what"] = pa.array(
        [one["trigger" if yes else "what"] for one, yes in zip(effects, decided, strict=True)], pa.utf8()
    )
    for name in _TEXTS:
        columns[name] = pa.array([one.get(name, "") for one in effects], pa.utf8())
    for name in ("before", "after"):
        columns[name] = pa.array([one.get(name) for one in effects], pa.utf8())
    for name in _BODIES:
        columns[name] = pa.array([_body(one.get(name)) for one in effects], pa.utf8())
    return Page(effects[0]["partition"], effects[0]["seq"], effects[-1]["seq"], pa.table(columns))


def _body(value: object) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
