"""What a batch changed at its desk: what is reserved first, what its blocks say of it, what is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.contract.source import Source
from streams.identity.partition import id_list, id_of, partitions_of
from streams.shared.asked import Seen, Writes
from streams.shared.desk import LOCAL, PLACE_BITS, Desk
from streams.shared.entries import Parked, pack, unpack
from streams.shared.index import Index

Int64s = NDArray[np.int64]
STEP = 7  # column of a directory row
ALIVE, _CONTENT, _PARENT_HIGH, _PARENT_LOW = 2, 3, 8, 9
_ROW_QUERY = (
    "SELECT key_high, key_low, customer_high, customer_low, alive, content, epoch, position, offset, step, "
    "parent_high, parent_low FROM row WHERE source = ?"
)
_PARKED_QUERY = (
    "SELECT s.name, key_high, key_low, parent_high, parent_low, content, p.epoch, p.position, p.offset, body "
    "FROM parked p JOIN source s ON s.number = p.source"
)


def seen_of(index: Index, desk: Desk, sources: Mapping[str, Source]) -> Seen:
    """Return what a batch has seen that other lanes may change, and what it wants for itself."""
    seen = Seen()
    for reference, customer, strong, _ in desk.new_references():
        mark = b"s" if strong else b"w"
        seen.references += (index.key("ref", reference), customer + mark, index.key("wanted", customer))
        if strong:
            seen.identifies.append(index.key("strong", customer))
    for customer, held in desk.held_identified.items():
        seen.identified += (index.key("strong", customer), held or b"")
    for customer, wrapped in desk.shared_vault.news():
        seen.keys += (index.key("key", customer), b"1", wrapped)
    family = {name for name, source in sources.items() if source.via is not None}
    family |= {source.via.source for source in sources.values() if source.via is not None}
    for (name, key), held in desk.held_rows.items():
        if name in family:
            parked = desk.held_parked[name, key]
            seen.rows += (
                index.key("row", name, key),
                held or b"",
                index.key("parked", name, key),
                parked or b"",
            )
            seen.marks.append(index.key("mark", name, key))
    for (name, key), members in desk.held_under.items():
        seen.under += (index.key("under", name, key), len(members), *members)
    return seen


class Told(msgspec.Struct, array_like=True):
    """What a block says beside its records, so that the index can be written again from the log.

    records: int64, shape (k, 4), as bytes: ordinal of the last record of a living row, its content hash, and
    the key of its parent; others: (source, key, entry) of the other rows, with the ordinal for a step;
    parked: (source, key, parked row, or None where it is parked no more); formers: (customer, former);
    rekeyed: customers who had a key that was forgotten.
    """

    records: bytes = b""
    others: list[tuple[str, bytes, bytes]] = []
    parked: list[tuple[str, bytes, bytes | None]] = []
    formers: list[tuple[bytes, bytes]] = []
    rekeyed: list[bytes] = []

    def is_empty(self) -> bool:
        """Say whether it says nothing."""
        return not (self.records or self.others or self.parked or self.formers or self.rekeyed)


@dataclass
class Delta:
    """The changed entries of a batch.

    rows: by source the keys and directory rows, int64 of shape (rows, 10), with local steps; parked: (source,
    key) -> now, or None; partition: by source of each row the partition of its last record.
    """

    rows: dict[str, tuple[list[bytes], Int64s]] = field(default_factory=dict)
    parked: dict[tuple[str, bytes], bytes | None] = field(default_factory=dict)
    partition: dict[str, Int64s] = field(default_factory=dict)


def delta_of(desk: Desk) -> Delta:
    """Read from a desk's tables what its batch changed."""
    found = Delta()
    sources = desk.connection.execute("SELECT name, number FROM source ORDER BY name").fetchall()
    for name, number in sources:
        listed = desk.connection.execute(_ROW_QUERY, (number,)).fetchall()
        if not listed:
            continue
        numbers = np.fromiter(chain.from_iterable(listed), np.int64, 12 * len(listed)).reshape(-1, 12)
        keys = id_list(numbers[:, 0], numbers[:, 1])
        entries = pack(numbers[:, 2:])
        changed = [at for at, key in enumerate(keys) if desk.held_rows.get((name, key)) != entries[at]]
        rows = numbers[changed, 2:]
        found.rows[name] = [keys[at] for at in changed], rows
        found.partition[name] = partitions_of(rows[:, 0], rows[:, 1], desk.partitions)
    now = {
        (name, id_of(high, low)): Parked(*values).pack()
        for name, high, low, *values in desk.connection.execute(_PARKED_QUERY)
    }
    for place in desk.held_parked.keys() | now.keys():
        if desk.held_parked.get(place) != now.get(place):
            found.parked[place] = now.get(place)
    return found


def told(desk: Desk, delta: Delta, sources: Mapping[str, Source]) -> tuple[list[Told], Told]:
    """Return what each block of the batch says of its records, and what is left for a block of its own."""
    says: list[Told] = []
    for put in desk.put:
        block, last = put.block, put.block.first_step + put.block.count
        records: list[Int64s] = []
        others: list[tuple[str, bytes, bytes]] = []
        for name, (keys, rows) in delta.rows.items():
            steps = rows[:, STEP]
            mine = (delta.partition[name] == block.partition) & (steps >= block.first_step) & (steps < last)
            if not mine.any():
                continue
            here = rows[mine]
            here[:, STEP] -= block.first_step
            # A living row's entry follows from its record; what came after a row's end may have no record.
            is_rows = sources[name].kind == "rows"
            follows = (here[:, ALIVE] != 0) & is_rows
            records.append(here[follows][:, [STEP, _CONTENT, _PARENT_HIGH, _PARENT_LOW]])
            chosen = [keys[at] for at in np.flatnonzero(mine)[~follows].tolist()]
            others += [(name, key, entry) for key, entry in zip(chosen, pack(here[~follows]), strict=True)]
        packed = np.concatenate(records).tobytes() if records else b""
        says.append(Told(packed, others))
    rest = Told(formers=desk.shared_vault.moves())
    for name, (keys, rows) in delta.rows.items():
        for at in np.flatnonzero(rows[:, STEP] < LOCAL).tolist():
            rest.others.append((name, keys[at], pack(rows[at : at + 1])[0]))
    rest.parked = [(name, key, raw) for (name, key), raw in sorted(delta.parked.items())]
    return says, rest


def writes_of(
    index: Index, desk: Desk, delta: Delta, sources: Mapping[str, Source], offsets: Sequence[int]
) -> Writes:
    """Return what the index is to be told, once the blocks stand at these offsets of their partitions."""
    writes = Writes()
    for name, (keys, rows) in delta.rows.items():
        _place(desk, delta.partition[name], rows, offsets)
        for place, entry in zip(index.keys("row", name, keys), pack(rows), strict=True):
            writes.set += (place, entry)
    for (name, key), raw in delta.parked.items():
        place = index.key("parked", name, key)
        if raw is None:
            writes.drop.append(place)
        else:
            writes.set += (place, raw)
    _write_children(index, desk, delta, sources, writes)
    for reference, customer, strong, sealed in desk.new_references():
        write_reference(index, writes, reference, customer, strong, sealed)
    writes.set += writes.references  # they are this batch's: it has reserved them
    for customer, key in desk.shared_vault.news():
        writes.fields += (index.key("key", customer), b"1", b"=" + key)
    for customer, former in desk.shared_vault.moves():
        writes.add += (index.key("former", customer), former)
    return writes


def write_reference(
    index: Index, writes: Writes, reference: str, customer: bytes, strong: bool, sealed: str
) -> None:
    """Add a reference whose record is in the log, and that its customer has it."""
    mark = b"s" if strong else b"w"
    place = index.key("ref", reference)
    writes.references += (place, b"=" + customer + mark)
    writes.remove += (index.key("wanted", customer), place)
    if strong:
        writes.set += (index.key("strong", customer), b"1")
    writes.fields += (index.key("of", customer), reference.encode(), mark + sealed.encode())


def _place(desk: Desk, partition: Int64s, rows: Int64s, offsets: Sequence[int]) -> None:
    """Turn local steps into places in the topic."""
    for put, offset in zip(desk.put, offsets, strict=True):
        block, steps = put.block, rows[:, STEP]
        mine = (partition == block.partition) & (steps >= block.first_step)
        mine &= steps < block.first_step + block.count
        rows[mine, STEP] = (offset << PLACE_BITS) + (steps[mine] - block.first_step)


def _write_children(
    index: Index, desk: Desk, delta: Delta, sources: Mapping[str, Source], writes: Writes
) -> None:
    """Let each parent know the rows under it: those alive, and those parked."""
    places: set[tuple[str, bytes]] = set(delta.parked)
    now_rows: dict[tuple[str, bytes], Int64s] = {}
    for name, (keys, rows) in delta.rows.items():
        if sources[name].via is not None:
            now_rows |= {(name, key): rows[at] for at, key in enumerate(keys)}
    for name, key in sorted(places | now_rows.keys()):
        held, parked = desk.held_rows.get((name, key)), desk.held_parked.get((name, key))
        before = parents_of(None if held is None else unpack([held])[0], parked)
        row = now_rows.get((name, key), None if held is None else unpack([held])[0])
        after = parents_of(row, delta.parked.get((name, key), parked))
        for parent in after - before:
            writes.add += (index.key("under", name, parent), key)
        for parent in before - after:
            writes.remove += (index.key("under", name, parent), key)


def parents_of(row: Int64s | None, parked: bytes | None) -> set[bytes]:
    """Return the keys of the parents that a row stands under, or waits for."""
    found = set[bytes]()
    if row is not None and row[ALIVE] and (row[_PARENT_HIGH] or row[_PARENT_LOW]):
        found.add(id_of(int(row[_PARENT_HIGH]), int(row[_PARENT_LOW])))
    if parked is not None:
        one = Parked.unpack(parked)
        found.add(id_of(one.parent_high, one.parent_low))
    return found
