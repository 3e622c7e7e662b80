"""Event times that rows take from their parent's row (semantics W8, R1)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from streams.contract.source import Source
from streams.identity.arrivals import Arrivals
from streams.identity.directory import Known, look_up
from streams.identity.partition import partitions_of
from streams.log.log import Log
from streams.log.read_back import read_back

Int64s = NDArray[np.int64]
Mask = NDArray[np.bool_]


def dating(sources: Mapping[str, Source]) -> set[str]:
    """Return the names of the sources whose rows date the rows of others."""
    return {source.via.source for source in sources.values() if source.via and source.event_time.parent}


def date_deletes(log: Log, arrivals: Arrivals) -> None:
    """Give each delete the event time of the row that it deletes.

    So the record of the delete keeps it: rows that come under a deleted parent are dated by that.
    """
    event_us = arrivals.changes.event_us.copy()
    deleted = arrivals.deleted
    event_us[deleted] = _last_dates(log, arrivals.source.name, arrivals.known, deleted)
    arrivals.date(event_us)


def take_dates(log: Log, arrivals: Arrivals, parents: Arrivals | None, beside: Int64s, placed: Mask) -> None:
    """Date each row by its parent.

    beside: int64, the parent's place among ``parents`` or -1; placed: mask of rows whose customer is known.
    A parent that is deleted or parked again dates rows as it did last. A row that is parked again keeps its
    date, for those under it.
    """
    assert arrivals.source.via is not None  # only such sources have parents
    rows, parent_source = arrivals.changes, arrivals.source.via.source
    event_us = rows.event_us.copy()
    arriving = beside >= 0
    if parents is not None:
        event_us[arriving] = parents.changes.event_us[beside[arriving]]
    standing = placed & ~arriving
    known = look_up(log, parent_source, rows.parent_high, rows.parent_low)
    event_us[standing] = _last_dates(log, parent_source, known, standing)
    leaves = arrivals.known.alive & ~placed & ~arrivals.deleted
    event_us[leaves] = _last_dates(log, arrivals.source.name, arrivals.known, leaves)
    arrivals.date(event_us)


def _last_dates(log: Log, source: str, known: Known, which: Mask) -> Int64s:
    """Read the event times in the last records of known keys of a source, where the mask is true."""
    partition = partitions_of(known.customer_high[which], known.customer_low[which], log.partitions)
    places = zip(partition.tolist(), known.step[which].tolist(), strict=True)
    return np.array([us for (us,) in read_back(log, source, places, ["event_us"])], dtype=np.int64)
