"""Rows of one source on their way into the log: new or changed, then placed at their customer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.change import DELETE, Changes, concat
from streams.contract.source import Source
from streams.identity.directory import Known, look_up, remember_deletes
from streams.identity.match import last_of_each
from streams.identity.parked import parked_content, unpark
from streams.identity.positions import give_positions, is_older
from streams.identity.standing import Standing, standing_of
from streams.log.log import Log

Int64s = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass
class Arrivals:
    """Arrays of shape (rows,). ``own``: int64, place in the order of arrival, -1 for rows that only follow
    their parent; placed: mask of rows whose customer is known; reference: what led to the customer.
    """

    source: Source
    changes: Changes
    known: Known
    own: Int64s
    customer_high: Int64s = field(init=False)
    customer_low: Int64s = field(init=False)
    placed: Mask = field(init=False)
    reference: pa.Array = field(init=False)
    standing: Standing | None = None  # of sources of tags and consent only

    def __post_init__(self) -> None:
        self.place(
            np.zeros(len(self), np.int64), np.zeros(len(self), np.int64), np.zeros(len(self), bool), None
        )

    def __len__(self) -> int:
        return len(self.changes)

    def place(self, high: Int64s, low: Int64s, placed: Mask, reference: pa.Array | None) -> None:
        """Set the customers. A deleted row stays with the customer that the directory knows."""
        deleted = self.deleted
        self.customer_high = np.where(deleted, self.known.customer_high, high)
        self.customer_low = np.where(deleted, self.known.customer_low, low)
        self.placed = placed | deleted
        self.reference = pa.nulls(len(self), pa.utf8()) if reference is None else reference

    def date(self, event_us: Int64s) -> None:
        """Set the event times, UTC microseconds."""
        self.changes = replace(self.changes, event_us=event_us)

    @property
    def deleted(self) -> Mask:
        """Mask of deletes."""
        deleted: Mask = np.equal(self.changes.op, DELETE)
        return deleted

    @property
    def moved_out(self) -> Mask:
        """Mask of rows whose key stands elsewhere now and must leave there first (semantics W7): at another
        customer, or (of tags and consent) for another tag, channel or purpose.
        """
        same = (self.customer_high == self.known.customer_high) & (
            self.customer_low == self.known.customer_low
        )
        out: Mask = self.known.alive & ~(same & self.placed)
        return out if self.standing is None else out | (self.standing.renamed & ~self.deleted)

    @property
    def was_anothers(self) -> Mask:
        """Mask of rows whose key was last another customer's, though it may have been deleted since: the
        rows that name their customer through it belong to the new one.
        """
        unknown = (self.known.customer_high == 0) & (self.known.customer_low == 0)
        same = (self.customer_high == self.known.customer_high) & (
            self.customer_low == self.known.customer_low
        )
        other: Mask = ~unknown & ~same
        return other

    def add(self, changes: Changes, known: Known) -> None:
        """Append rows that follow their parent."""
        self.changes = concat([self.changes, changes])
        joined = [
            np.concatenate([getattr(self.known, name), getattr(known, name)]) for name in Known.__slots__
        ]
        self.known = Known(*joined)
        self.own = np.concatenate([self.own, np.full(len(changes), -1, dtype=np.int64)])
        self.__post_init__()


@dataclass
class Sorted:
    """What ``fresh`` found: the rows that change something, and how many do not."""

    arrivals: Arrivals
    superseded: int
    unchanged: int
    older: int
    unknown_deletes: int
    unparked: int  # deletes of parked rows


def fresh(log: Log, source: Source, changes: Changes, own: Int64s) -> Sorted:
    """Keep the last version of each key, if it is newer than what the log last had of it (semantics W1, W2).

    Rows with a position of their own are judged by that; others count unless their content is the same.
    own: int64, the rows' order of arrival. Deletes of parked rows take them out at once; deletes of keys
    that have no row are counted.
    """
    positioned = give_positions(log, changes, own)
    last = last_of_each(changes.key_high, changes.key_low)
    changes, own, positioned = changes.take(last), own[last], positioned[last]
    known = look_up(log, source.name, changes.key_high, changes.key_low)
    is_parked, parked = parked_content(log, source.name, changes.key_high, changes.key_low)
    same = known.alive & (known.content == changes.content)
    same |= is_parked & (parked[:, 0] == changes.content)
    older = positioned & is_older(changes, _or_parked(known, is_parked, parked), same)
    deleted = np.equal(changes.op, DELETE) & ~older
    unchanged = same & ~deleted & ~positioned
    unknown = deleted & ~known.alive & ~is_parked
    unparked = deleted & is_parked
    unpark(log, source.name, changes.key_high[unparked], changes.key_low[unparked])
    gone = changes.take(positioned & (unknown | unparked))
    remember_deletes(log, gone, np.maximum(gone.offset, 0))
    keep = np.where(deleted, known.alive, ~unchanged & ~older)
    kept = Known(*(getattr(known, name)[keep] for name in Known.__slots__))
    arrivals = Arrivals(source, changes.take(keep), kept, own[keep])
    if source.kind != "rows":
        arrivals.standing = standing_of(log, source.kind, arrivals.changes.columns, kept)
    counts = (~last, unchanged, older, unknown, unparked)
    return Sorted(arrivals, *(int(mask.sum()) for mask in counts))


def _or_parked(known: Known, is_parked: Mask, parked: Int64s) -> Known:
    """Return what is known with the parked rows' positions, which are newer than any record's."""
    place = (np.where(is_parked, parked[:, at], old) for at, old in
             enumerate((known.epoch, known.position, known.offset), start=1))  # fmt: skip
    epoch, position, offset = place
    return replace(known, there=known.there | is_parked, epoch=epoch, position=position, offset=offset)
