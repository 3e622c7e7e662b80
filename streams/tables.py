"""Records as the log's tables."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.change import MOVE_OUT, READ, UPDATE, UPSERT
from streams.control import KIND_OF_SOURCE, Control, of_row, taken_back
from streams.identity.arrivals import Arrivals
from streams.identity.partition import id_bytes
from streams.log.block import CONTROL_FIELDS, ROW_FIELDS
from streams.personal.seal import personal_columns, seal_columns
from streams.personal.vault import Vault
from streams.placing import Placed
from streams.records import BEFORE, OUT, Records

Int64s = NDArray[np.int64]


def tables_of(
    vault: Vault, placed: Placed, records: Records, offsets: Int64s, customer_high: Int64s,
    customer_low: Int64s,
) -> tuple[dict[str, pa.Table], list[Control], Int64s]:  # fmt: skip
    """Return each source's table, the control records, and the number of the table each record is in.

    Tables are numbered as they stand; the number behind the last means control. Personal columns are sealed.
    """
    controls = {
        at: records.before[records.serial[at]] for at in np.flatnonzero(records.part == BEFORE).tolist()
    }
    table = np.full(len(records.row), -1, dtype=np.int64)
    tables: dict[str, pa.Table] = {}
    for number, arrivals in enumerate(placed.arrivals):
        mine = np.flatnonzero((records.origin == number) & (records.part != BEFORE))
        ids = id_bytes(customer_high[mine], customer_low[mine])
        out = records.part[mine] == OUT
        if arrivals.source.kind != "rows":
            controls |= _control_rows(arrivals, mine, records.row[mine], out, ids)
        else:
            table[mine] = len(tables)
            rows = _row_table(arrivals, records.row[mine], out, ids, offsets[mine])
            tables[arrivals.source.name] = _sealed(vault, arrivals, rows, out, records.row[mine])
    table[table < 0] = len(tables)
    return tables, [controls[at] for at in sorted(controls)], table


def _row_table(
    arrivals: Arrivals, row: Int64s, out: NDArray[np.bool_], ids: bytes, offsets: Int64s
) -> pa.Table:
    changes, known = arrivals.changes, arrivals.known
    ops = _ops(arrivals)[row]
    ops[out] = MOVE_OUT
    given = {
        "op": pa.array(ops, pa.int8()),
        "customer": pa.Array.from_buffers(pa.binary(16), len(row), [None, pa.py_buffer(ids)]),
        "key_high": pa.array(changes.key_high[row]),
        "key_low": pa.array(changes.key_low[row]),
        "epoch": pa.array(np.where(out, known.epoch[row], changes.epoch[row]).astype(np.int32)),
        "position": pa.array(np.where(out, known.position[row], changes.position[row])),
        "offset": pa.array(offsets),
        "event_us": pa.array(changes.event_us[row]),
    }
    kept = pa.array(row, mask=out)  # who leaves carries no values: the state's row is retracted (W1)
    given["reference"] = arrivals.reference.take(kept)
    columns = changes.columns.combine_chunks().take(kept)
    fields = [*(field for field in ROW_FIELDS if field.name in given), *columns.schema]
    return pa.Table.from_arrays([*given.values(), *columns.columns], schema=pa.schema(fields))


def _sealed(
    vault: Vault, arrivals: Arrivals, rows: pa.Table, out: NDArray[np.bool_], row: Int64s
) -> pa.Table:
    """Seal the personal columns, each record under its customer's key, and note whose rows move."""
    if not personal_columns(arrivals.source):
        return rows
    here = np.flatnonzero(out & arrivals.placed[row])
    former, now = rows["customer"].take(pa.array(here)).to_pylist(), row[here]
    ids = id_bytes(arrivals.customer_high[now], arrivals.customer_low[now])
    vault.note_moves((ids[16 * at : 16 * at + 16], one) for at, one in enumerate(former))
    return seal_columns(vault, arrivals.source, rows, rows["customer"].to_pylist())


def _ops(arrivals: Arrivals) -> NDArray[np.int8]:
    """Return the op of each row's own record.

    A row that comes from another customer, or is dated anew by its parent, is written as one that is read
    again: moving is no event (D1).
    """
    ops = arrivals.changes.op.copy()
    ops[arrivals.known.alive & (ops == UPSERT)] = UPDATE
    follows = (arrivals.own < 0) & arrivals.known.alive
    ops[(arrivals.moved_out & arrivals.placed) | follows] = READ
    return ops


def _control_rows(
    arrivals: Arrivals, at: Int64s, row: Int64s, out: NDArray[np.bool_], ids: bytes
) -> dict[int, Control]:
    kind = KIND_OF_SOURCE[arrivals.source.kind]
    values = arrivals.changes.columns.take(pa.array(row)).to_pylist()
    gone = out | arrivals.deleted[row]
    controls: dict[int, Control] = {}
    for number, place in enumerate(at.tolist()):
        customer = ids[16 * number : 16 * number + 16]
        if gone[number]:
            assert arrivals.standing is not None  # every source of tags or consent has it
            before = arrivals.standing.bodies[row[number]]
            assert before is not None  # only a row that stands can go
            controls[place] = taken_back(kind, customer, before)
        else:
            controls[place] = of_row(kind, customer, values[number])
    return controls


def control_table(controls: list[Control]) -> pa.Table:
    """Return control records as the log's table, without ordinal and minute."""
    columns = [
        [control.kind for control in controls], [control.customer for control in controls],
        [control.body for control in controls],
    ]  # fmt: skip
    fields = [field for field in CONTROL_FIELDS if field.name not in ("ordinal", "minute")]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, fields, strict=True)]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))
