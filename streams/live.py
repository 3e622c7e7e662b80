"""Appends changes as they happen: rows, ticks and control records of one minute."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from streams.compose import lagging
from streams.contract.columns import check_source, known_to
from streams.control import EPOCH, RESUME, TICK, Control, canonical, fresh
from streams.errors import InputError
from streams.identity.partition import id_pairs, partitions_of
from streams.identity.positions import new_epoch
from streams.intake import SHOWN_REJECTED
from streams.log.block import CONTROL
from streams.log.log import Log
from streams.log.write import Stretch, append_stretch
from streams.reject import Rejected
from streams.report import ImportReport
from streams.tables import control_table
from streams.taking import Row, take_rows

if TYPE_CHECKING:
    from app.shop import Shop

LONGEST_JUMP = 10  # minutes; a longer one without ticks or `resume` stops a partition (semantics T2)


def append_changes(
    log: Log, shop: Shop, source: str, rows: Sequence[Mapping[str, Any]], minute: int, mode: str = "live",
    operations: Sequence[str] | None = None,
) -> ImportReport:  # fmt: skip
    """Append rows of a source, in their order, with one append minute (or the clock, where it is later).

    rows: values by the file's headings, as Python values or text; operations: for each row ``upsert`` (a
    change that does not say), ``insert``, ``update`` or ``delete`` (of which only the key counts).
    Everything else is as in `streams.taking.take_rows`. Raises InputError for an unknown source, operation
    or heading.
    """
    sources = known_to(shop.sources, shop.tags)
    if source not in sources:
        raise InputError(source, "there is no such source", f"the shop's are {', '.join(sorted(sources))}")
    check_source(sources[source], sources)
    done = list(operations) if operations is not None else ["upsert"] * len(rows)
    texts = [{name: value_text(value) for name, value in row.items()} for row in rows]
    given = [Row(source, op, values) for op, values in zip(done, texts, strict=True)]
    report = ImportReport()
    with log.transaction():
        refused = take_rows(log, shop, given, minute, mode, report)
    report.rejected = len(refused)
    for at, fault in islice(sorted(refused.items()), SHOWN_REJECTED):
        rejected = Rejected(source, at + 1, fault.problem, fault.hint, dict(texts[at]))
        report.first_rejected.append(rejected)
    return report


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
    with log.transaction():
        return place_controls(log, controls, minute, mode)


def place_controls(log: Log, controls: Sequence[Control], minute: int, mode: str = "live") -> int:
    """Append control records inside the caller's transaction; see `append_controls`."""
    everywhere = [(control, part) for control in controls if control.customer is None
                  for part in range(log.partitions)]  # fmt: skip
    personal = [control for control in controls if control.customer is not None]
    high, low = id_pairs([control.customer or b"" for control in personal])
    theirs = zip(personal, partitions_of(high, low, log.partitions).tolist(), strict=True)
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


def append_freshness(log: Log, heard: Mapping[str, int], minute: int, mode: str = "live") -> int:
    """Tell every partition until which minute sources were heard of (semantics D4), inside the caller's
    transaction; return how many records were written."""
    clock = log.clock()
    at = minute if clock is None else max(minute, clock)
    records = [fresh(source, until) for source, until in sorted(heard.items())]
    parts = np.repeat(np.arange(log.partitions), len(records))
    _append(log, records * log.partitions, parts, np.full(len(parts), at), mode)
    return len(parts)


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


def append_epoch(log: Log, source: str) -> int:
    """Begin a source's next epoch, at the log's clock; return its number (semantics W2).

    Every position of the new epoch is newer than all before.
    """
    with log.transaction():
        number = new_epoch(log, source)
        parts = np.arange(log.partitions)
        record = Control(EPOCH, None, canonical({"source": source, "epoch": number}))
        minutes = np.full(len(parts), log.clock() or 0)
        _append(log, [record] * len(parts), parts, minutes, log.last_mode(0) or "import")
    return number


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
