"""Writes the index from the log, after it lost something or a lane's owner ended between log and index."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.changes.wire import Incoming
from streams.control import REFERENCE
from streams.identity.partition import id_list
from streams.log.block import CONTROL, decode_tables
from streams.shared.delta import ALIVE, STEP, parents_of, write_reference
from streams.shared.desk import PLACE_BITS
from streams.shared.entries import NEWER_BY, pack, unpack
from streams.shared.index import Index, Standing, Writes

Int64s = NDArray[np.int64]
_PART = 5000  # entries written together


class Recovery:
    """Takes messages of the log in, in the order of their offsets in each partition, and writes the index.

    ``lanes``: what the newest block of each lane says of where it stood.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._writes = Writes()
        self.lanes: dict[str, Standing] = {}
        self._parked: dict[tuple[str, bytes], bytes | None] = {}
        self.blocks = 0

    def take(self, messages: Iterable[Incoming]) -> None:
        """Take messages in."""
        for one in messages:
            self._take(one)
            if len(self._writes.newer) > 2 * _PART:
                self._fill()

    def finish(self) -> None:
        """Write what is left to be written."""
        self._fill()
        self._write_parked()

    def _fill(self) -> None:
        self._index.fill(self._writes)
        self._writes = Writes()

    def _write_parked(self) -> None:
        """A row is parked unless it was placed, or deleted, since."""
        for name in sorted({name for name, _ in self._parked}):
            keys = sorted(key for one, key in self._parked if one == name)
            rows, held = self._index.get("row", name, keys), self._index.get("parked", name, keys)
            for key, row, there in zip(keys, rows, held, strict=True):
                seen = [raw for raw in (self._parked[name, key], there) if raw is not None]
                newest = max(seen, key=lambda raw: raw[:NEWER_BY], default=None)
                place = self._index.key("parked", name, key)
                if newest is not None and not _is_over(newest, row):
                    self._writes.newer += (place, newest)
                    for parent in parents_of(None, newest):
                        self._writes.add += (self._index.key("under", name, parent), key)
                elif there is not None:
                    self._writes.drop.append(place)
        self._fill()
        self._parked.clear()

    def take_keys(self, keys: Iterable[tuple[bytes, int, bytes]]) -> None:
        """Take wrapped keys of customers in: (customer, number, wrapped key)."""
        for customer, number, wrapped in keys:
            self._writes.fields += (self._index.key("key", customer), str(number).encode(), b"=" + wrapped)

    def _take(self, one: Incoming) -> None:
        self.blocks += 1
        origin = one.origin
        if origin is not None:
            before = self.lanes.get(origin.lane)
            if before is None or before.next <= origin.next:
                stands = Standing(0, origin.next, origin.offset, origin.positions, one.minute * 60_000)
                self.lanes[origin.lane] = stands
        tables = decode_tables(one.value)
        control = tables.pop(CONTROL, None)
        if control is not None:
            self._take_references(control)
        told, place = one.told, one.offset << PLACE_BITS
        records = np.frombuffer(told.records, dtype=np.int64).reshape(-1, 4)
        for name, table in tables.items():
            self._take_rows(name, table, place, records)
        for name, key, entry in told.others:
            row = unpack([entry])
            if row[0, STEP] >= 0:
                row[0, STEP] += place
            self._entry(name, key, row)
        for name, key, raw in told.parked:
            self._take_parked(name, key, raw)
        for customer, former in told.formers:
            self._writes.add += (self._index.key("former", customer), former)

    def _take_references(self, table: pa.Table) -> None:
        columns = (table[name].to_pylist() for name in ("kind", "customer", "body"))
        for kind, customer, body in zip(*columns, strict=True):
            if kind == REFERENCE:
                said = json.loads(body)
                write_reference(
                    self._index, self._writes, said["reference"], customer, said["strong"], said["sealed"]
                )

    def _take_rows(self, name: str, table: pa.Table, place: int, records: Int64s) -> None:
        """Write the entries of those records that are the last of their rows."""
        ordinals = table["ordinal"].to_numpy().astype(np.int64)
        chosen = np.searchsorted(ordinals, records[:, 0])
        there = chosen < len(ordinals)
        there[there] = ordinals[chosen[there]] == records[there, 0]
        said, rows = records[there], table.take(pa.array(chosen[there]))
        if not len(said):
            return
        numbers = {name: rows[name].to_numpy().astype(np.int64)
                   for name in ("op", "key_high", "key_low", "epoch", "position", "offset")}  # fmt: skip
        packed = b"".join(rows["customer"].to_pylist())
        customers = np.frombuffer(packed, dtype=">i8").astype(np.int64).reshape(-1, 2)
        entries = np.column_stack([
            customers, np.ones(len(said), dtype=np.int64), said[:, 1], numbers["epoch"], numbers["position"],
            numbers["offset"], place + said[:, 0], said[:, 2:],
        ])  # fmt: skip
        for at, key in enumerate(id_list(numbers["key_high"], numbers["key_low"])):
            self._entry(name, key, entries[at : at + 1])

    def _entry(self, name: str, key: bytes, row: Int64s) -> None:
        entry = pack(row)[0]
        self._writes.newer += (self._index.key("row", name, key), entry)
        for parent in parents_of(row[0], None):
            self._writes.add += (self._index.key("under", name, parent), key)

    def _take_parked(self, name: str, key: bytes, raw: bytes | None) -> None:
        """Note what is parked, or is no more; what holds is found at the end."""
        before = self._parked.get((name, key))
        if raw is None or before is None or raw[:NEWER_BY] >= before[:NEWER_BY]:
            self._parked[name, key] = raw if raw is not None else before


def _is_over(parked: bytes, row: bytes | None) -> bool:
    """Say whether a parked row's key was placed, or deleted, at or after its position."""
    if row is None:
        return False
    alive = bool(unpack([row])[0, ALIVE])
    at_position = 16  # bytes of epoch and position
    mine, other = parked[:at_position], row[:at_position]
    return other >= mine if alive else other > mine
