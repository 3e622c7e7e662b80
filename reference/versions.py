"""What became of each row: its versions, from the step that wrote one to the step that took it back.

A row is identified by (source, key); a record counts only if its position is greater than the one known
for that key (W1, W2), and what is known outlives the row for the source's horizon (W3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from profiles.windows import parse_length
from reference.acceptance import accept
from reference.bounds import leaves
from reference.calendar import LATEST
from reference.customers import Customers
from reference.erased import Erased
from reference.evaluate import Row, Value, row_reader
from reference.frames import DELETE, ENVELOPE_NUMBERS, MOVE_OUT
from reference.pieces import Pieces, names_in
from streams.errors import InputError

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
MINUTE_US = 60_000_000
LEAP_YEAR = 366 * 1440  # minutes
_OTHER = ("source", "columns")  # the fields of Versions that are no arrays


@dataclass(frozen=True)
class Column:
    """One declared column: ``values`` int64 (for text the index into ``texts``), ``null`` bool."""

    values: Ints
    null: Bools
    texts: list[str] | None

    def value(self, at: int) -> Value:
        """Return one value as a plain Python one; None for null."""
        if self.null[at]:
            return None
        number = int(self.values[at])
        return self.texts[number] if self.texts is not None else number

    def take(self, at: Ints) -> Column:
        """Return the column of the rows numbered ``at``."""
        return Column(self.values[at], self.null[at], self.texts)


@dataclass(frozen=True)
class Versions:
    """The versions of one source's rows; arrays of equal length n, all int64.

    ``event``: event minute (T1); ``event_us``: event time; ``customer``: number of the customer;
    ``step`` and ``minute``: when it was written; ``end_step`` and ``end_minute``: when it was taken back
    (``LATEST`` while it stands). A version whose two minutes are equal is seen by steps only.
    """

    source: str
    partition: Ints
    customer: Ints
    key_high: Ints
    key_low: Ints
    event_us: Ints
    event: Ints
    step: Ints
    minute: Ints
    end_step: Ints
    end_minute: Ints
    columns: dict[str, Column]

    def __len__(self) -> int:
        return len(self.event)

    def at(self, minute: int) -> Bools:
        """Return which versions stand at minute ``minute``: just before advance(minute + 1) (T3)."""
        return (self.minute <= minute) & (minute < self.end_minute)

    def at_opening(self, minute: int) -> Bools:
        """Return which versions stand when ``minute`` opens: before any of its own records (T3)."""
        return (self.minute < minute) & (minute <= self.end_minute)

    def passing(self, condition: Callable[[Row], Value], names: list[str]) -> Bools:
        """Return which versions pass a condition over the columns ``names``.

        The condition is read once for each combination of values that occurs.
        """
        if not len(self):
            return np.zeros(0, dtype=bool)
        if not names:
            return np.full(len(self), bool(condition({})))
        parts = [np.where(self.columns[name].null, 0, self.columns[name].values) for name in names]
        parts += [self.columns[name].null.astype(np.int64) for name in names]
        combination = pd.DataFrame(dict(enumerate(parts))).groupby(list(range(len(parts))), sort=False)
        number = combination.ngroup().to_numpy()
        examples = np.unique(number, return_index=True)[1]
        truth = [bool(condition({n: self.columns[n].value(at) for n in names})) for at in examples]
        return np.array(truth, dtype=bool)[number]

    def take(self, at: Ints) -> Versions:
        """Return the versions numbered ``at``."""
        columns = {name: column.take(at) for name, column in self.columns.items()}
        arrays = {name: getattr(self, name)[at] for name in self.__dataclass_fields__ if name not in _OTHER}
        return replace(self, columns=columns, **arrays)


def read_versions(
    pieces: Pieces, source: str, frame: pd.DataFrame, customers: Customers, erased: Erased
) -> tuple[Versions, Bools]:
    """Return the versions that a source's frame (checked, in step order) leaves, and which of its records
    count by their positions (W1): the others are as if they had not come.

    What is erased ends there, if it has not ended before.

    Raises InputError for a column whose values are not of the declared kind.
    """
    record = {name: frame[name].to_numpy(dtype=np.int64) for name in ENVELOPE_NUMBERS}
    declared = pieces.sources[source].columns
    columns = {name: _column(source, name, c.type == "text", frame[name]) for name, c in declared.items()}
    never = np.full(len(frame), LATEST, dtype=np.int64)
    written = Versions(
        source, record["partition"], customers.numbers(frame["customer"]), record["key_high"],
        record["key_low"], record["event_us"], record["event_us"] // MINUTE_US, record["step"],
        record["minute"], never, never.copy(), columns,
    )  # fmt: skip
    kept = ~np.isin(record["op"], (DELETE, MOVE_OUT))
    if condition := pieces.where.get(source):
        kept &= written.passing(row_reader(condition), names_in(condition))
    horizon = parse_length(pieces.sources[source].duplicate_horizon)
    erased_step, erased_minute = erased.ends(written.customer, written.step)
    drop_minute = _drop_minutes(pieces, written, kept)
    accepted, successor = accept(
        record, horizon, lambda at: min(drop_minute(at), int(erased_minute[at]))
    )
    ended = np.flatnonzero(successor >= 0)
    written.end_step[ended] = written.step[successor[ended]]
    written.end_minute[ended] = written.minute[successor[ended]]
    first = np.flatnonzero(erased_step < written.end_step)
    written.end_step[first], written.end_minute[first] = erased_step[first], erased_minute[first]
    return written.take(np.flatnonzero(accepted & kept)), accepted


def _drop_minutes(pieces: Pieces, written: Versions, kept: Bools) -> Callable[[int], int]:
    """Return the function from a record's number to the minute at which its row is no longer kept (W3).

    That is when no metric of the source counts it or will. A row that an own window may hold is kept as if
    its year began as late as it can.
    """
    measures = [measure for measure in pieces.measures if measure.source == written.source]
    measures.sort(key=lambda measure: measure.window.kind != "all")  # the first that never ends is enough
    readers = [(m.window, row_reader(m.filter) if m.filter else None) for m in measures]

    def drop_minute(at: int) -> int:
        last = int(written.minute[at])
        if not kept[at]:
            return last
        row = {name: column.value(at) for name, column in written.columns.items()}
        event = int(written.event[at])
        for window, condition in readers:
            if last < LATEST and (condition is None or condition(row)):
                own = window.kind == "own"
                end = event + (window.offset + 2) * LEAP_YEAR if own else leaves(window, event, pieces.zone)
                last = max(last, end)
        return last

    return drop_minute


def _column(source: str, name: str, text: bool, column: pd.Series[Any]) -> Column:
    """Turn a nullable column into int64 values and a null mask; text into the index of its texts."""
    if text:
        codes, texts = pd.factorize(column.astype("object"), use_na_sentinel=True)
        numbers: Ints = np.asarray(codes).astype(np.int64)
        return Column(numbers, numbers < 0, [str(t) for t in texts])
    null = column.isna().to_numpy(dtype=bool)
    try:
        whole: Ints = np.asarray(column.astype("Int64").fillna(0), dtype=np.int64)
    except (TypeError, ValueError) as error:
        where, problem = f"frame '{source}'", f"column '{name}' holds no whole numbers ({error})"
        raise InputError(where, problem, "read the log as it was written") from error
    return Column(whole, null, None)
