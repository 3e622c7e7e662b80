"""A desk: the tables of a log for one batch, filled from the shared index as they are asked.

What takes rows in (`streams.taking`) works at a desk as it does in a log's own file. Blocks are put down here
until they are sent; the tables then tell what the batch changed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from streams.identity.partition import id_list, id_pairs
from streams.log.block import Block
from streams.log.log import FORMAT_VERSION, TABLES, Log
from streams.shared.asked import Standing
from streams.shared.desk_lanes import DeskLanes
from streams.shared.entries import Parked, unpack
from streams.shared.index import Index
from streams.shared.vault import UNSURE, SharedVault

Int64s = NDArray[np.int64]
Asked = TypeVar("Asked")
Recall = Callable[[int, int], Block]  # (partition, place of a block) -> the block, from the topic

LOCAL = 1 << 60  # records of the batch at hand have steps from here on
PLACE_BITS = 12  # a block has at most 4,096 records: a record's place is its block's offset and its ordinal


@dataclass(frozen=True)
class Put:
    """A block put down, and what it holds: names of sources, and ``!kind`` of control records."""

    block: Block
    holds: Sequence[str]


class Desk(Log):
    """A log's tables in memory. Use `begin`, take rows in, then read ``put`` and `streams.shared.delta`.

    The ``step`` of a row in the tables is its record's place in the topic: ``offset << 12 | ordinal``, or
    counted from `LOCAL` for records of this batch.
    """

    def __init__(self, shop: str, partitions: int, index: Index, secret: bytes, recall: Recall) -> None:
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        connection.executescript(TABLES)
        connection.execute("PRAGMA temp_store = MEMORY")
        header = [("format", FORMAT_VERSION), ("shop", shop), ("partitions", partitions), ("offset", 0)]
        connection.executemany("INSERT INTO header VALUES (?, ?)", header)
        self._shared_vault = SharedVault(secret, index)
        super().__init__(Path(f"desk of {shop}"), connection, self._shared_vault, None)
        self.beyond = self
        self.lanes: DeskLanes = DeskLanes({})
        self._index = index
        self._recall = recall
        self.put: list[Put] = []
        self._steps = [LOCAL] * partitions
        self.held_rows: dict[tuple[str, bytes], bytes | None] = {}
        self.held_parked: dict[tuple[str, bytes], bytes | None] = {}
        self.held_under: dict[tuple[str, bytes], list[bytes]] = {}
        self.held_identified: dict[bytes, bytes | None] = {}
        self._asked: set[object] = set()
        self._sure: set[str] = set()  # references whose record is in the log

    def begin(self, standings: Mapping[str, Standing]) -> None:
        """Clear the tables for a batch of these lanes, in the order in which their messages will come."""
        for table in ("reference", "row", "parked", "dead", "source"):
            self.connection.execute(f"DELETE FROM {table}")  # noqa: S608
        self.set_offset(max((one.offset for one in standings.values()), default=0))
        self.lanes = DeskLanes({name: one.positions for name, one in standings.items()})
        self._shared_vault.begin()
        self.put = []
        self._steps = [LOCAL] * self.partitions
        self.held_rows.clear()
        self.held_parked.clear()
        self.held_under.clear()
        self.held_identified.clear()
        self._asked.clear()
        self._sure.clear()

    def let_go(self) -> None:
        """Forget keys and names of customers: some may be erased before the desk is used again."""
        self._shared_vault.let_go()
        self.names.forget()

    @property
    def shared_vault(self) -> SharedVault:
        """The vault, with what this batch made."""
        return self._shared_vault

    def new_references(self) -> list[tuple[str, bytes, bool, str]]:
        """Return (reference, customer, strong, sealed) of those whose records stand in this batch."""
        query = (
            "SELECT reference, customer, strong, sealed FROM reference WHERE sealed <> '' ORDER BY reference"
        )
        found = self.connection.execute(query)
        return [(one, whose, bool(strong), sealed) for one, whose, strong, sealed in found
                if one not in self._sure]  # fmt: skip

    @property
    def writable(self) -> bool:
        """A desk is there to be written at."""
        return True

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A desk is cleared, not rolled back; but a row by itself would be a transaction of its own."""
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("COMMIT")

    def append(self, block: Block, holds: list[str]) -> None:
        """Put a block down."""
        if block.first_step != self._steps[block.partition]:
            raise ValueError(f"block of partition {block.partition} begins at {block.first_step}")
        self._steps[block.partition] += block.count
        self.put.append(Put(block, holds))

    def next_step(self, partition: int) -> int:
        """Return the local step of the partition's next record."""
        return self._steps[partition]

    def clock(self, partition: int | None = None) -> int | None:
        """Time passes in the partitions, not here: none lags behind, and no minute is too early."""
        return None if partition is None else LOCAL

    def blocks(
        self, partition: int, from_step: int = 0, to_step: int | None = None, holding: str | None = None
    ) -> Iterator[Block]:
        """Yield the block that holds the record at ``from_step``, put down here or in the topic."""
        if from_step >= LOCAL:
            here = [one.block for one in self.put if one.block.partition == partition]
            yield next(one for one in here if one.first_step <= from_step < one.first_step + one.count)
        else:
            yield self._recall(partition, from_step >> PLACE_BITS << PLACE_BITS)

    def references(self, references: Collection[str]) -> Collection[str]:
        """Bring the customers behind references; see `streams.log.beyond`."""
        wanted = self._unasked(references)
        found = self._index.references(wanted)
        there = [(one, raw) for one, raw in zip(wanted, found, strict=True) if raw is not None]
        self.connection.executemany(
            "INSERT OR REPLACE INTO reference VALUES (?, ?, ?, '')",
            [(one, raw[1:17], raw[17:] == b"s") for one, raw in there],
        )
        unsure = [one for one, raw in there if raw[:1] == UNSURE]
        self._sure.update(one for one, _ in there)
        self._sure.difference_update(unsure)
        return unsure

    def customers(self, customers: Collection[bytes]) -> None:
        """Bring the references of customers."""
        wanted = self._unasked(customers)
        identified = self._index.identified(wanted)
        self.held_identified.update(zip(wanted, identified, strict=True))
        # One whose strong reference is reserved, and not in the log yet, has it all the same (I2).
        self.connection.executemany(
            "INSERT OR REPLACE INTO reference VALUES (?, ?, 1, '')",
            [(f"strong {one.hex()}", one) for one, held in zip(wanted, identified, strict=True) if held],
        )
        for customer, fields in zip(wanted, self._index.fields("of", wanted), strict=True):
            self._sure.update(one.decode() for one in fields)
            self.connection.executemany(
                "INSERT OR REPLACE INTO reference VALUES (?, ?, ?, ?)",
                [
                    (one.decode(), customer, said[:1] == b"s", said[1:].decode())
                    for one, said in fields.items()
                ],
            )

    def rows(self, source: str, high: Int64s, low: Int64s) -> None:
        """Bring rows by their keys."""
        wanted = [key for _, key in self._unasked((source, key) for key in id_list(high, low))]
        if not wanted:
            return
        rows = self._index.get("row", source, wanted)
        parked = self._index.get("parked", source, wanted)
        self.held_rows.update(zip(((source, key) for key in wanted), rows, strict=True))
        self.held_parked.update(zip(((source, key) for key in wanted), parked, strict=True))
        self._fill_rows(source, [(key, raw) for key, raw in zip(wanted, rows, strict=True) if raw])
        self._fill_parked(source, [(key, raw) for key, raw in zip(wanted, parked, strict=True) if raw])

    def _fill_rows(self, source: str, found: list[tuple[bytes, bytes]]) -> None:
        if not found:
            return
        number = self.source_number(source)
        high, low = id_pairs([key for key, _ in found])
        table = unpack([raw for _, raw in found])
        self._see_offset(int(table[:, 6].max()))
        columns = np.column_stack([np.full(len(found), number), high, low, table]).tolist()
        marks = ",".join("?" * 13)
        self.connection.executemany(f"INSERT INTO row VALUES ({marks})", columns)  # noqa: S608

    def _fill_parked(self, source: str, found: list[tuple[bytes, bytes]]) -> None:
        if not found:
            return
        number = self.source_number(source)
        high, low = (half.tolist() for half in id_pairs([key for key, _ in found]))
        bodies = [Parked.unpack(raw) for _, raw in found]
        self._see_offset(max(body.offset for body in bodies))
        marks = ",".join("?" * 10)
        self.connection.executemany(
            f"INSERT INTO parked VALUES ({marks})",  # noqa: S608
            [(number, one, two, *body.values()) for one, two, body in zip(high, low, bodies, strict=True)],
        )

    def children(self, source: str, parent_high: Int64s, parent_low: Int64s) -> None:
        """Bring the rows under parents."""
        parents = self._unasked(("under", source, key) for key in id_list(parent_high, parent_low))
        under = self._index.members("under", [(source, key) for _, _, key in parents])
        self.held_under.update(zip(((one, key) for _, one, key in parents), under, strict=True))
        keys = sorted({key for found in under for key in found})
        if keys:
            self.rows(source, *id_pairs(keys))

    def _unasked(self, asked: Iterable[Asked]) -> list[Asked]:
        """Return, in order and each once, what was not asked for in this batch."""
        wanted = [one for one in dict.fromkeys(asked) if one not in self._asked]
        self._asked.update(wanted)
        return wanted

    def _see_offset(self, offset: int) -> None:
        """No offset that is given out here may stand before one that another lane gave out (W2)."""
        if offset > self.offset():
            self.set_offset(offset)
