"""Writes the index from the log, after it lost something or a lane's owner ended between log and index.

There are two kinds. While the index has no life nobody looks anything up in it, and all that may lack is
taken, erasures too; at the end its life begins. While it lives only a batch or two lack: what lies before the
last erasure is in the index, or of nobody, and is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.changes.wire import Incoming
from streams.control import ERASE, REFERENCE
from streams.log.block import CONTROL, decode_tables
from streams.shared.asked import Filling, Standing, Writes
from streams.shared.delta import STEP, parents_of, write_reference
from streams.shared.desk import PLACE_BITS
from streams.shared.entries import NEWER_BY, pack
from streams.shared.entries_said import entries_said, is_over, note_parked
from streams.shared.index import Index, Lost

Int64s = NDArray[np.int64]
_PART = 5000  # entries written together


@dataclass(frozen=True)
class Reference:
    """A reference as its record has it. sealed: what it is."""

    customer: bytes
    strong: bool
    sealed: str


@dataclass
class Erasures:
    """What erasures leave to be said at the end.

    customers: of each one erased, their references since; rekeyed: whose keys are those that were not
    forgotten, by number; contested: references that two customers' records claim, of whom one is erased
    before the log's end; reach: by partition the offset behind the last erasure.
    """

    customers: dict[bytes, dict[str, Reference]] = field(default_factory=dict)
    rekeyed: dict[bytes, dict[int, bytes]] = field(default_factory=dict)
    contested: dict[tuple[str, bytes], Reference] = field(default_factory=dict)
    reach: dict[int, int] = field(default_factory=dict)

    def take(self, customer: bytes, partition: int, offset: int) -> None:
        """Take the erasure of a customer in, whose record stands at this place."""
        self.customers[customer] = {}
        self.rekeyed.setdefault(customer, {})
        self.reach[partition] = offset + 1
        for place in [place for place in self.contested if place[1] == customer]:
            del self.contested[place]


class Recovery:
    """Takes messages of the log in, in the order of their offsets in each partition, and writes the index.

    ``lanes``: what the newest block of each lane says of where it stood. All that writes raises Lost where
    the lane was claimed since, or the index has another life now.
    """

    def __init__(self, index: Index, filling: Filling, erased: Mapping[int, int] | None = None) -> None:
        """erased: of an index that lives, by partition the offset behind the last erasure; None of one that
        has no life."""
        self._index, self._filling = index, filling
        self._erased = erased
        self._writes = Writes()
        self._references: list[tuple[str, Reference]] = []
        self.erasures = Erasures()
        self.lanes: dict[str, Standing] = {}
        self._parked: dict[tuple[str, bytes], bytes | None] = {}
        self.blocks = 0

    def take(self, messages: Iterable[Incoming]) -> None:
        """Take messages in."""
        for one in messages:
            self._take(one)
            if len(self._writes.newer) > 2 * _PART:
                self._fill()

    def take_keys(self, keys: Iterable[tuple[bytes, int, bytes]]) -> None:
        """Take wrapped keys of customers in, that were not forgotten, once messages are: (customer, number,
        wrapped key)."""
        for customer, number, wrapped in keys:
            if customer in self.erasures.rekeyed:
                self.erasures.rekeyed[customer][number] = wrapped
                continue
            self._writes.fields += (self._index.key("key", customer), str(number).encode(), b"=" + wrapped)
            if len(self._writes.fields) > 3 * _PART:
                self._fill()

    def finish(self) -> None:
        """Write what is left to be written."""
        self._fill()
        self._write_parked()

    def begin_life(self) -> str:
        """Write what is left, and say that the index is whole; return what its life is called."""
        self.finish()
        found, writes = self.erasures, Writes()
        held = [*((name, one) for own in found.customers.values() for name, one in own.items()),
                *((name, one) for (name, _), one in found.contested.items())]  # fmt: skip
        for name, one in held:
            write_reference(self._index, writes, name, one.customer, one.strong, one.sealed)
        writes.set += writes.references
        for customer, keys in found.rekeyed.items():
            for number, wrapped in keys.items():
                writes.fields += (self._index.key("key", customer), str(number).encode(), b"=" + wrapped)
        return self._index.begin_life(
            self._filling, list(found.customers), list(found.rekeyed), found.reach, writes
        )

    def _fill(self) -> None:
        for place in self._index.fill(self._filling, self._writes):
            name, one = self._references[place]
            self.erasures.contested[name, one.customer] = one
        self._writes, self._references = Writes(), []

    def _write_parked(self) -> None:
        """A row is parked unless it was placed, or deleted, since."""
        for name in sorted({name for name, _ in self._parked}):
            keys = sorted(key for one, key in self._parked if one == name)
            rows, held = self._index.get("row", name, keys), self._index.get("parked", name, keys)
            for key, row, there in zip(keys, rows, held, strict=True):
                seen = [raw for raw in (self._parked[name, key], there) if raw is not None]
                newest = max(seen, key=lambda raw: raw[:NEWER_BY], default=None)
                place = self._index.key("parked", name, key)
                if newest is not None and not is_over(newest, row):
                    self._writes.newer += (place, newest)
                    for parent in parents_of(None, newest):
                        self._writes.add += (self._index.key("under", name, parent), key)
                elif there is not None:
                    self._writes.drop.append(place)
        self._fill()
        self._parked.clear()

    def _take(self, one: Incoming) -> None:
        self.blocks += 1
        for origin in one.origins:
            before = self.lanes.get(origin.lane)
            if before is None or before.next <= origin.next:
                stands = Standing(0, origin.next, origin.offset, origin.positions, one.minute * 60_000)
                self.lanes[origin.lane] = stands
        if self._erased is not None and one.offset < self._erased.get(one.partition, 0):
            return
        tables = decode_tables(one.value)
        control = tables.pop(CONTROL, None)
        if control is not None:
            self._take_control(control, one)
        told, place = one.told, one.offset << PLACE_BITS
        for name, keys, rows in entries_said(one, tables):
            rows[rows[:, STEP] >= 0, STEP] += place
            for at, key in enumerate(keys):
                self._entry(name, key, rows[at : at + 1])
        for name, key, raw in told.parked:
            note_parked(self._parked, name, key, raw)
        for customer, former in told.formers:
            self._writes.add += (self._index.key("former", customer), former)
        for customer in told.rekeyed if self._erased is None else ():  # one that lives has forgotten them
            self.erasures.rekeyed.setdefault(customer, {})

    def _take_control(self, table: pa.Table, message: Incoming) -> None:
        columns = (table[name].to_pylist() for name in ("kind", "customer", "body"))
        for kind, customer, body in zip(*columns, strict=True):
            if kind == REFERENCE:
                said = json.loads(body)
                self._take_reference(said["reference"], Reference(customer, said["strong"], said["sealed"]))
            elif kind == ERASE:
                self._erase(customer, message)

    def _take_reference(self, name: str, one: Reference) -> None:
        if one.customer in self.erasures.customers:
            self.erasures.customers[one.customer][name] = one
            return
        self._references.append((name, one))
        write_reference(self._index, self._writes, name, one.customer, one.strong, one.sealed)

    def _erase(self, customer: bytes, message: Incoming) -> None:
        if self._erased is not None:  # it should be there: its life should have ended before
            self._index.distrust()
            raise Lost(f"the index lacks an erasure: {message.partition}/{message.offset}")
        self._fill()  # so that it is known whose references are contested
        self.erasures.take(customer, message.partition, message.offset)

    def _entry(self, name: str, key: bytes, row: Int64s) -> None:
        entry = pack(row)[0]
        self._writes.newer += (self._index.key("row", name, key), entry)
        for parent in parents_of(row[0], None):
            self._writes.add += (self._index.key("under", name, parent), key)
