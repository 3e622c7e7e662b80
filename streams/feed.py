"""From the log's blocks to the engine's batches: Arrow ends here, NumPy begins."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from engine.batch import STOPPED, Batch
from engine.partition import HISTORY
from rfm.record import CutsRecord, record_said
from streams.control import CONSENT, CUTS, ERASE, FRESH, MANUAL, RECEIPT, RESUME, SWITCH
from streams.errors import InputError
from streams.log.block import CONTROL, Block, decode_tables

Int64s = NDArray[np.int64]
Projection = Mapping[str, tuple[int, Sequence[str]]]
EncodeText = Callable[[list[str]], Int64s]
ControlNumber = Callable[[str, Mapping[str, Any]], int]

(ROW_RECORD, TICK_RECORD, MANUAL_RECORD, CONSENT_RECORD, FRESH_RECORD, ERASE_RECORD, CUTS_RECORD,
 SWITCH_RECORD, RECEIPT_RECORD) = range(9)  # fmt: skip
GIVING_BACK = ("failed", "expired")  # what a receipt must say for slots to be given back (D5)
MODE_NUMBER = {"import": 0, "live": 1}
_COPIED = ("op", "key_high", "key_low", "epoch", "position", "offset", "event_us")


def batch_of(
    block: Block, projection: Projection, encode_text: EncodeText, control_number: ControlNumber,
    width: int | None = None,
) -> Batch:  # fmt: skip
    """Return all records of a block, in step order; record i has step ``block.first_step + i``.

    projection: source name to (source number, names of the columns that become ``values[:, 0], ...``);
    encode_text: from different texts to the partition's int64 codes; control_number: from (kind, body) of
    a tag by hand, a consent, a switch or a receipt to the plan's number of what it names, or -1 where the
    plan has none; width: columns of ``values`` (the widest source's when absent). A column that the block
    does not have is null. Raises InputError for a cuts record that cannot be read.

    Records that say nothing to the engine but the time (ticks, identity, settings, rows of sources
    without a projection, tags the plan does not have) come as ticks, so that steps stay dense; a resume as a
    tick that is marked.
    """
    widest = max((len(names) for _, names in projection.values()), default=0)
    tables = decode_tables(block.payload)
    cuts = _cuts_of(block, tables[CONTROL]) if CONTROL in tables else {}
    batch = replace(Batch.zeros(block.count, widest if width is None else width), cuts=cuts)
    batch.kind[:] = TICK_RECORD
    batch.mode[:] = MODE_NUMBER[block.mode]
    for name, table in tables.items():
        at = table["ordinal"].to_numpy().astype(np.intp)  # once: each column would do it again
        batch.minute[at] = table["minute"].to_numpy() if block.minute is None else block.minute
        if name == CONTROL:
            _fill_control(batch, at, table, control_number, projection)
        elif name in projection:
            number, columns = projection[name]
            _fill_rows(batch, at, table, number, columns, encode_text)
    for place in cuts:
        batch.kind[place] = CUTS_RECORD
        if cuts[place].history:
            batch.mode[place] = HISTORY
    return batch


def _cuts_of(block: Block, table: pa.Table) -> dict[int, CutsRecord]:
    """Return what the cuts records of a block say, by their places."""
    chosen = table.filter(pc.equal(table["kind"], CUTS))
    found = {}
    for place, body in zip(chosen["ordinal"].to_pylist(), chosen["body"].to_pylist(), strict=True):
        try:
            found[place] = record_said(json.loads(body))
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            where = f"cuts record, partition {block.partition}, step {block.first_step + place}"
            hint = "the log is damaged, or of a newer version: restore it from a copy"
            raise InputError(where, f"unreadable body ({error})", hint) from error
    return found


def _fill_rows(
    batch: Batch,
    at: NDArray[Any],
    table: pa.Table,
    number: int,
    columns: Sequence[str],
    encode_text: EncodeText,
) -> None:
    batch.kind[at] = ROW_RECORD
    batch.source[at] = number
    for name in _COPIED:
        getattr(batch, name)[at] = table[name].to_numpy()
    batch.customer_high[at], batch.customer_low[at] = _customers(table)
    nulls = np.zeros(table.num_rows, dtype=np.int64)
    there = set(table.column_names)
    for place, name in enumerate(columns):
        if name not in there:
            nulls |= np.int64(1 << place)
            continue
        column = _whole(table[name])
        if column.null_count:
            nulls |= column.is_null().to_numpy(zero_copy_only=False).astype(np.int64) << place
        batch.values[at, place] = _numbers(column, encode_text)
    batch.nulls[at] = nulls


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece, as nearly every block has it."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _filled(column: pa.Array, null: object) -> pa.Array:
    """Return a column with this for null; where it has none, untouched: blocks are small, and calls dear."""
    return column.fill_null(null) if column.null_count else column


def _numbers(column: pa.Array, encode_text: EncodeText) -> Int64s:
    """Return a column's whole numbers, or its texts' codes; null is 0."""
    if not pa.types.is_dictionary(column.type):
        numbers: Int64s = _filled(column, 0).to_numpy(zero_copy_only=False)
        return numbers
    texts = column.dictionary.to_pylist()
    codes = np.zeros(len(texts) + 1, dtype=np.int64)  # the last is null's
    if texts:
        codes[:-1] = encode_text(texts)
    found: Int64s = codes[_filled(column.indices, len(texts)).to_numpy(zero_copy_only=False)]
    return found


def _customers(table: pa.Table) -> tuple[Int64s, Int64s]:
    """Return the ids as signed (high, low) pairs; a customer that is null is (0, 0)."""
    column = _filled(_whole(table["customer"]), bytes(16))
    packed = column.buffers()[1].slice(16 * column.offset, 16 * len(column))
    pairs = np.frombuffer(packed, dtype=">i8").astype(np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _fill_control(
    batch: Batch, at: NDArray[Any], table: pa.Table, control_number: ControlNumber, projection: Projection
) -> None:
    batch.customer_high[at], batch.customer_low[at] = _customers(table)
    kinds, bodies = table["kind"].to_pylist(), table["body"].to_pylist()
    for place, kind, body in zip(at.tolist(), kinds, bodies, strict=True):
        if kind == RESUME:
            batch.arg_a[place] = STOPPED
        if kind == ERASE:
            batch.kind[place] = ERASE_RECORD
        if kind == FRESH:
            _fill_freshness(batch, place, json.loads(body), projection)
        if kind == SWITCH:
            fill_switch(batch, place, json.loads(body), control_number)
        if kind == RECEIPT:
            fill_receipt(batch, place, json.loads(body), control_number)
        if kind not in (MANUAL, CONSENT):
            continue
        said = json.loads(body)
        number = control_number(kind, said)
        if number < 0:
            continue
        state = said["on"] if kind == MANUAL else said["granted"]
        batch.kind[place] = MANUAL_RECORD if kind == MANUAL else CONSENT_RECORD
        batch.arg_a[place] = number
        batch.arg_b[place] = 2 if state is None else int(state)
        batch.arg_c[place] = said["until"] or 0


def fill_switch(batch: Batch, place: int, said: Mapping[str, Any], control_number: ControlNumber) -> None:
    """Write what a switch says to a place of a batch, unless the plan knows nothing of that name."""
    number = control_number(SWITCH, said)
    if number >= 0:
        batch.kind[place] = SWITCH_RECORD
        batch.arg_a[place], batch.arg_b[place] = number, int(said["off"])


def fill_receipt(batch: Batch, place: int, said: Mapping[str, Any], control_number: ControlNumber) -> None:
    """Write a receipt to a place of a batch, if it gives slots back."""
    if said["state"] not in GIVING_BACK:
        return
    batch.kind[place] = RECEIPT_RECORD
    batch.arg_a[place], batch.arg_b[place] = control_number(RECEIPT, said), said["minute"]
    cause = said["cause"]
    if "source" not in cause:
        batch.arg_c[place] = cause["minute"]
        return
    high, low = np.frombuffer(bytes.fromhex(cause["key"]), dtype=">i8").tolist()
    batch.key_high[place], batch.key_low[place] = high, low
    batch.epoch[place], batch.position[place], batch.offset[place] = cause["position"]


def _fill_freshness(batch: Batch, place: int, said: Mapping[str, Any], projection: Projection) -> None:
    if said["source"] in projection:
        batch.kind[place] = FRESH_RECORD
        batch.arg_a[place], batch.arg_b[place] = projection[said["source"]][0], said["until"]
