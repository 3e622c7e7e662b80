"""Appends changes as they happen: rows, ticks and control records of one minute."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from profiles.windows import parse_length
from streams.change import INSERT, UPDATE, UPSERT, Changes, concat
from streams.compose import lagging
from streams.contract.check import Checked, check_rows
from streams.contract.columns import check_source, file_columns, known_to
from streams.contract.deletes import check_deletes
from streams.contract.moments import MINUTE_US
from streams.contract.numbers import ValueProblem
from streams.contract.source import Source
from streams.control import RESUME, TICK, Control
from streams.decode.chunk import TEXT
from streams.errors import InputError
from streams.identity.partition import id_pairs, partitions_of
from streams.intake import Taking, count_checked, rejected_rows, take_in
from streams.log.block import CONTROL
from streams.log.log import Log
from streams.log.write import Stretch, append_stretch
from streams.report import ImportReport
from streams.tables import control_table

if TYPE_CHECKING:
    from app.shop import Shop

OPERATIONS = {"upsert": UPSERT, "insert": INSERT, "update": UPDATE}
LONGEST_JUMP = 10  # minutes; a longer one without ticks or `resume` stops a partition (semantics T2)


def append_changes(
    log: Log, shop: Shop, source: str, rows: Sequence[Mapping[str, Any]], minute: int, mode: str = "live",
    operations: Sequence[str] | None = None,
) -> ImportReport:  # fmt: skip
    """Append rows of a source, in their order, with one append minute (or the clock, where it is later).

    rows: values by the file's headings, as Python values or text; operations: for each row ``upsert`` (a
    change that does not say), ``insert``, ``update`` or ``delete`` (of which only the key counts).
    Everything else is as in an import: the same contract, identity and blocks, and unchanged rows are
    left out; but several changes of one key are all kept, in their order, and the batch may be cut
    differently without changing the log of a partition that gets no tick. A row dated more than the
    source's ``max_future`` after the minute is rejected (semantics W6). Raises InputError for an unknown
    source, operation or heading.
    """
    sources = known_to(shop.sources, shop.tags)
    if source not in sources:
        raise InputError(source, "there is no such source", f"the shop's are {', '.join(sorted(sources))}")
    check_source(sources[source], sources)
    done = list(operations) if operations is not None else ["upsert"] * len(rows)
    table = _table(sources[source], rows)
    deleted = np.array([operation == "delete" for operation in done], dtype=bool)
    report = ImportReport()
    parts: list[tuple[Changes, np.ndarray]] = []
    for is_delete in (False, True):
        places = np.flatnonzero(deleted == is_delete)
        if len(places) == 0:
            continue
        some = table.take(pa.array(places))
        if is_delete:
            checked = check_deletes(sources[source], some, minute)
        else:
            checked = check_rows(sources[source], sources, some, ZoneInfo(shop.settings.zone))
            checked = _not_too_far(checked, sources[source], minute)
        rejected = rejected_rows(source, checked, some, places + 1, [])
        count_checked(report, checked, rejected, len(places))
        own = places[checked.rows]
        parts.append((_with_ops(checked.changes, own, done), own))
    if parts:
        # Deletes were read apart: bring the rows back into their order, by which the last of a key counts.
        own = np.concatenate([place for _, place in parts])
        order = np.argsort(own, kind="stable")
        changes = concat([changes for changes, _ in parts]).take(order)
        how = Taking(sources, shop.settings.identity_priority, mode, minute)
        with log.transaction():
            for run in _runs(changes):
                take_in(log, how, {source: (changes.take(run), run)}, report)
    return report


def _runs(changes: Changes) -> list[np.ndarray]:
    """Cut the rows where a key comes again: each of its changes is a step of its own (semantics L1)."""
    cuts: list[int] = [0]
    seen: set[tuple[int, int]] = set()
    for at, key in enumerate(zip(changes.key_high.tolist(), changes.key_low.tolist(), strict=True)):
        if key in seen:
            cuts.append(at)
            seen = set()
        seen.add(key)
    return [np.arange(low, high) for low, high in pairwise([*cuts, len(changes)])]


def too_far_ahead(event_us: np.ndarray, minute: int, max_future: str) -> np.ndarray:
    """Return a mask of event times more than ``max_future`` after the append minute (semantics W6)."""
    ahead: np.ndarray = event_us // MINUTE_US > minute + parse_length(max_future)
    return ahead


def _not_too_far(checked: Checked, source: Source, minute: int) -> Checked:
    ahead = too_far_ahead(checked.changes.event_us, minute, source.max_future)
    if not ahead.any():
        return checked
    problem = ValueProblem(
        f"the event time lies more than {source.max_future} ahead", "correct the time or its zone"
    )
    faults = [*checked.faults, *((int(row), problem) for row in checked.rows[ahead])]
    return Checked(checked.changes.take(~ahead), checked.rows[~ahead], faults, checked.without_customer,
                   checked.skipped_times, checked.doubled_times)  # fmt: skip


def _with_ops(changes: Changes, own: np.ndarray, operations: Sequence[str]) -> Changes:
    for at, place in enumerate(own.tolist()):
        operation = operations[place]
        if operation == "delete":
            continue
        if operation not in OPERATIONS:
            raise InputError(
                f"row {place + 1}", f"'{operation}' is no operation", "upsert, insert, update or delete"
            )
        changes.op[at] = OPERATIONS[operation]
    return changes


def _table(source: Source, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    wanted = file_columns(source)
    given = list(dict.fromkeys(name for row in rows for name in row))
    names = list(dict.fromkeys([*wanted, *given]))
    columns = [pa.array([value_text(row.get(name)) for row in rows], TEXT) for name in names]
    return pa.Table.from_arrays(columns, names=names)


def value_text(value: Any) -> str | None:
    """Return a Python value as the text that a file would hold; empty text is null."""
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)


def append_controls(log: Log, controls: Sequence[Control], minute: int, mode: str = "live") -> int:
    """Append control records with one append minute; return how many.

    One with a customer goes to that customer's partition, one without to every partition; partitions left
    behind get a tick.
    """
    everywhere = [(control, part) for control in controls if control.customer is None
                  for part in range(log.partitions)]  # fmt: skip
    personal = [control for control in controls if control.customer is not None]
    high, low = id_pairs([control.customer or b"" for control in personal])
    theirs = zip(personal, partitions_of(high, low, log.partitions).tolist(), strict=True)
    with log.transaction():
        clock = log.clock()
        at = minute if clock is None else max(minute, clock)
        placed = [*everywhere, *theirs]
        partition = np.array([part for _, part in placed], dtype=np.int64)
        ticks = lagging(log, partition, np.full(len(placed), at))
        records = [*(control for control, _ in placed), *[Control(TICK, None, "{}")] * len(ticks)]
        _append(log, records, np.append(partition, ticks), np.full(len(records), at), mode)
    return len(records)


def append_ticks(log: Log, minute: int, mode: str = "live") -> int:
    """Let the clock of every partition reach a minute; return how many ticks were written.

    Between two live records time passes in steps of ten minutes at most (semantics T2).
    """
    with log.transaction():
        found = [
            (part, at) for part in range(log.partitions) for at in _tick_minutes(log, part, minute, mode)
        ]
        found.sort(key=lambda tick: (tick[1], tick[0]))
        parts = np.array([part for part, _ in found], dtype=np.int64)
        minutes = np.array([at for _, at in found], dtype=np.int64)
        _append(log, [Control(TICK, None, "{}")] * len(found), parts, minutes, mode)
    return len(found)


def append_resume(log: Log, minute: int) -> int:
    """Say that the process was stopped until a minute, which every partition's clock jumps to.

    In between everything falls due at its own minute, but a schedule at most once, at the last of its due
    times (semantics T2, D1). Returns how many records were written: one a partition, or none where the clock
    stands at that minute already, or the log is empty.
    """
    with log.transaction():
        clock = log.clock()
        if clock is None or clock >= minute:
            return 0
        parts = np.arange(log.partitions)
        records = [Control(RESUME, None, "{}")] * len(parts)
        _append(log, records, parts, np.full(len(parts), minute), "live")
    return len(parts)


def _tick_minutes(log: Log, partition: int, minute: int, mode: str) -> list[int]:
    clock = log.clock(partition)
    if clock is not None and clock >= minute:
        return []
    if clock is None or mode != "live" or log.last_mode(partition) != "live":
        return [minute]
    return [*range(clock + LONGEST_JUMP, minute, LONGEST_JUMP), minute]


def _append(log: Log, records: list[Control], partition: np.ndarray, minutes: np.ndarray, mode: str) -> None:
    table = np.zeros(len(records), dtype=np.int64)
    append_stretch(
        log, Stretch(mode, partition, minutes, table, [CONTROL], {CONTROL: control_table(records)})
    )
