"""Writes placed rows as records and remembers where they stand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from streams.change import NO_POSITION
from streams.contract.moments import MINUTE_US
from streams.control import TICK, Control
from streams.identity.directory import store
from streams.identity.parked import park, unpark
from streams.identity.partition import partitions_of
from streams.log.block import CONTROL
from streams.log.log import Log
from streams.log.write import Stretch, append_stretch
from streams.placing import Placed
from streams.records import BEFORE, ROW, Records, customers, gather, records_of
from streams.tables import control_table, tables_of

Int64s = NDArray[np.int64]


def write(
    log: Log, placed: Placed, mode: str, minute: int | None, progress: Callable[[int], None] | None = None
) -> int:
    """Write all records inside the caller's transaction; return how many there are.

    minute: the append minute (never below the log's clock); None: each record's own event minute or the
    clock so far, whichever is later. Partitions that stay behind get a tick, so that all stand at one
    minute afterwards. Rows without a parent are parked.
    """
    records = records_of(placed)
    minutes = _minutes(log, placed, records, minute)
    high, low = customers(placed, records), customers(placed, records, low=True)
    partition = partitions_of(high, low, log.partitions)
    offsets = _offsets(log, placed, records)
    tables, controls, table = tables_of(log.vault, placed, records, offsets, high, low)
    ticks = lagging(log, partition, minutes)
    controls += [Control(TICK, None, "{}")] * len(ticks)
    stretch = Stretch(
        mode, np.append(partition, ticks), np.append(minutes, np.full(len(ticks), minutes.max(initial=0))),
        np.append(table, np.full(len(ticks), len(tables))), [*tables, CONTROL],
        {**tables, CONTROL: control_table(controls)},
    )  # fmt: skip
    steps = append_stretch(log, stretch, progress)
    _remember(log, placed, records, offsets, steps[: len(minutes)])
    return len(steps)


def _minutes(log: Log, placed: Placed, records: Records, minute: int | None) -> Int64s:
    clock = log.clock()
    floor = clock if clock is not None else np.iinfo(np.int32).min
    if minute is not None:
        return np.full(len(records.row), max(minute, floor), dtype=np.int64)
    event = gather(placed, records, lambda arrivals: arrivals.changes.event_us // MINUTE_US)
    return np.maximum(np.maximum.accumulate(event), floor) if len(event) else event


def _offsets(log: Log, placed: Placed, records: Records) -> Int64s:
    """Return each record's offset: the row's own, or the log's next where it has none (semantics W2).

    Who leaves its customer, or follows its parent, stands where it stood and needs a new one too.
    """
    offsets = log.offset() + np.cumsum(records.part != BEFORE)
    if len(offsets):
        log.set_offset(int(offsets[-1]))
    own = gather(placed, records, lambda arrivals: arrivals.changes.offset)
    came = gather(placed, records, lambda arrivals: arrivals.own) >= 0
    has_own = (records.part == ROW) & (own != NO_POSITION) & came
    offsets[has_own] = own[has_own]
    return offsets


def lagging(log: Log, partition: Int64s, minutes: Int64s) -> Int64s:
    """Return the partitions whose clock these records leave behind the last minute, int64."""
    if len(minutes) == 0:
        return np.zeros(0, dtype=np.int64)
    last = int(minutes[-1])
    reached = dict(zip(partition.tolist(), minutes.tolist(), strict=True))
    clocks = {part: reached.get(part, log.clock(part)) for part in range(log.partitions)}
    behind = [part for part, clock in clocks.items() if clock is None or clock < last]
    return np.array(behind, dtype=np.int64)


def _remember(log: Log, placed: Placed, records: Records, offsets: Int64s, steps: Int64s) -> None:
    """Write the directory and the parked rows."""
    for number, arrivals in enumerate(placed.arrivals):
        # A row's last record counts: its own, or the one by which it left and was parked again.
        mine = (records.origin == number) & (records.part != BEFORE)
        offset, step = np.zeros(len(arrivals), np.int64), np.zeros(len(arrivals), np.int64)
        offset[records.row[mine]], step[records.row[mine]] = offsets[mine], steps[mine]
        gone = arrivals.moved_out & ~arrivals.placed
        written = arrivals.placed | gone
        alive = arrivals.placed & ~arrivals.deleted
        # A row that is parked again still names the customer it had, until its new parent is known.
        high = np.where(arrivals.placed, arrivals.customer_high, arrivals.known.customer_high)
        low = np.where(arrivals.placed, arrivals.customer_low, arrivals.known.customer_low)
        store(
            log, arrivals.changes.take(written), alive[written], high[written], low[written],
            offset[written], step[written],
        )  # fmt: skip
        changes = arrivals.changes
        unpark(log, arrivals.source.name, changes.key_high[arrivals.placed], changes.key_low[arrivals.placed])
        if arrivals.source.via is not None and not arrivals.placed.all():
            park(log, arrivals.source, changes.take(~arrivals.placed))
