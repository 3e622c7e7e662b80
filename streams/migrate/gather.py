"""A cluster's log, read from its topic into one file: its blocks, and the tables that stand beside them.

Steps and minutes are those of workers' copies. Rows and parked ones are found as the shared index finds them
(`streams.shared.recover`): of what the log says of a row, the newest holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from streams.changes.controls import control_block
from streams.changes.copy import resumes
from streams.changes.wire import Incoming
from streams.control import RESUME, Control
from streams.identity.partition import id_pairs
from streams.log.block import CONTROL, decode_tables
from streams.log.log import Log
from streams.personal.vault import NOBODY
from streams.shared.asked import Standing
from streams.shared.delta import STEP
from streams.shared.entries import Parked, pack
from streams.shared.entries_said import entries_said, is_over, note_parked
from streams.shared.vault import nobodys_key

Int64s = NDArray[np.int64]
_OFFSET = 6  # column of a directory row
_NEWEST = """
INSERT INTO row VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    customer_high = excluded.customer_high, customer_low = excluded.customer_low, alive = excluded.alive,
    content = excluded.content, epoch = excluded.epoch, position = excluded.position,
    offset = excluded.offset, step = excluded.step, parent_high = excluded.parent_high,
    parent_low = excluded.parent_low
WHERE (excluded.epoch, excluded.position, excluded.offset) > (row.epoch, row.position, row.offset)
    OR ((excluded.epoch, excluded.position, excluded.offset) = (row.epoch, row.position, row.offset)
        AND (row.customer_high <> 0 OR row.customer_low <> 0))
"""  # what became nobody's by an erasure stays so


class Gathering:
    """Takes a cluster's log in. log: new, of as many partitions, under the cluster's secret.

    ``lanes``: by name where each lane stood with its newest block.
    """

    def __init__(self, log: Log) -> None:
        self.log = log
        self.lanes: dict[str, Standing] = {}
        self.messages = 0
        self._sources: dict[str, int] = {}
        self._parked: dict[tuple[str, bytes], bytes | None] = {}
        log.connection.execute("PRAGMA synchronous = OFF")  # after a power cut it is read again
        log.vault.keep(NOBODY, 1, nobodys_key(log.vault.secret))

    def take(self, messages: Iterable[Incoming]) -> None:
        """Take messages in, each partition's in the order of their offsets; all of them, or none."""
        with self.log.transaction():
            for one in messages:
                self._take(one)
                self.messages += 1

    def _take(self, one: Incoming) -> None:
        log, part = self.log, one.partition
        clock, was_live = log.clock(part), log.last_mode(part) == "live"
        block = one.block(log.next_step(part), -1 if clock is None else clock)
        if resumes(clock, was_live, block, one):
            resume = control_block([Control(RESUME, None, "{}")], block.first_step, block.first_minute, part)
            log.append(resume, [f"!{RESUME}"])
            block = replace(block, first_step=block.first_step + 1)
        log.append(replace(block, partition=part), one.holds)
        self._take_lanes(one)
        tables = decode_tables(one.value)
        tables.pop(CONTROL, None)
        for name, keys, rows in entries_said(one, tables):
            rows[rows[:, STEP] >= 0, STEP] += block.first_step
            self._take_rows(name, keys, rows)
        told = one.told
        for name, key, raw in told.parked:
            note_parked(self._parked, name, key, raw)
        log.vault.note_moves(told.formers)

    def _take_lanes(self, one: Incoming) -> None:
        for origin in one.origins:
            before = self.lanes.get(origin.lane)
            if before is None or before.next <= origin.next:
                self.lanes[origin.lane] = Standing(0, origin.next, origin.offset, origin.positions, 0)
            self._see_offset(origin.offset)

    def _take_rows(self, name: str, keys: list[bytes], rows: Int64s) -> None:
        high, low = id_pairs(keys)
        number = np.full(len(keys), self._number(name))
        self.log.connection.executemany(_NEWEST, np.column_stack([number, high, low, rows]).tolist())
        self._see_offset(int(rows[:, _OFFSET].max()))

    def _number(self, name: str) -> int:
        if name not in self._sources:
            self._sources[name] = self.log.source_number(name)
        return self._sources[name]

    def _see_offset(self, offset: int) -> None:
        if offset > self.log.offset():
            self.log.set_offset(offset)

    def finish(self) -> None:
        """Write which rows are parked still, and how far each source has come."""
        with self.log.transaction():
            for (name, key), raw in sorted(self._parked.items()):
                if raw is not None and not is_over(raw, self._row(name, key)):
                    self._park(name, key, Parked.unpack(raw))
        self._parked.clear()

    def _row(self, name: str, key: bytes) -> bytes | None:
        query = (
            "SELECT customer_high, customer_low, alive, content, epoch, position, offset, step, parent_high, "
            "parent_low FROM row WHERE source = ? AND key_high = ? AND key_low = ?"
        )
        place = [self._number(name), *(int(half[0]) for half in id_pairs([key]))]
        found = self.log.connection.execute(query, place).fetchone()
        return None if found is None else pack(np.array([found], dtype=np.int64))[0]

    def _park(self, name: str, key: bytes, one: Parked) -> None:
        place = [self._number(name), *(int(half[0]) for half in id_pairs([key]))]
        self.log.connection.execute(
            "INSERT INTO parked VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [*place, *one.values()]
        )
        self._see_offset(one.offset)
