"""Records of nobody in a cluster's log: each partition has its own of what holds for all of them.

Settings, cut points, epochs and what was heard of sources are written into every partition, one after the
other, so they stand at different places, perhaps minutes, and a partition may lack the last ones. In a new
log each stands once for all, where the first partition had it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from streams.changes.controls import control_block
from streams.control import CUTS, EPOCH, FRESH, RESUME, SETTINGS, Control
from streams.live import append_ticks
from streams.log.block import CONTROL, Block
from streams.log.log import Log

Int64s = NDArray[np.int64]
STEP_BITS = 44  # of a record's code: its partition stands before its step
_KINDS = (RESUME, SETTINGS, EPOCH, FRESH, CUTS)


@dataclass(frozen=True)
class Nobodys:
    """The records of nobody that are more than ticks, by ascending code.

    code: partition << 44 | step; number: in which order they hold, equal for what is the same in several
    partitions; chosen: mask, one of each number; amid: mask, cut points that did not open their minute.
    """

    code: Int64s
    number: Int64s
    chosen: NDArray[np.bool_]
    amid: NDArray[np.bool_]

    def places(self, codes: Int64s) -> tuple[Int64s, NDArray[np.bool_]]:
        """Return for each code its place here, and whether it has one."""
        at = np.searchsorted(self.code, codes)
        there = at < len(self.code)
        there[there] = self.code[at[there]] == codes[there]
        return at, there


@dataclass(frozen=True)
class _One:
    minute: int
    partition: int
    step: int
    kind: str
    body: str
    times: int  # of settings: how many others came before in this partition
    amid: bool

    @property
    def name(self) -> tuple[object, ...]:
        """What is equal for the same in several partitions."""
        if self.kind == RESUME:  # each partition stops for itself
            return self.kind, self.partition, self.step
        return self.kind, self.times, self.body


def nobodys(log: Log) -> Nobodys:
    """Find the records of nobody in a log of several partitions: some tens of bytes each in memory."""
    found = _all(log)
    numbers = _numbered(found)
    code = np.array([one.partition << STEP_BITS | one.step for one in found], dtype=np.int64)
    number = np.array([numbers[one.name] for one in found], dtype=np.int64)
    chosen = np.zeros(len(found), dtype=bool)
    chosen[np.unique(number, return_index=True)[1]] = True  # they come as they happened
    amid = np.array([one.amid for one in found], dtype=bool)
    order = np.argsort(code)
    return Nobodys(code[order], number[order], chosen[order], amid[order])


def complete(log: Log) -> None:
    """Let every partition come to the log's last minute, and have the newest of what others have: as it would
    soon have had, had its workers gone on."""
    clock = log.clock()
    if clock is None:
        return
    append_ticks(log, clock)
    found = _all(log)
    numbers = _numbered(found)
    every = {numbers[one.name]: Control(one.kind, None, one.body) for one in found if one.kind != RESUME}
    with log.transaction():
        for part in range(log.partitions):
            newest = max((numbers[one.name] for one in found if one.partition == part), default=-1)
            missing = [every[number] for number in sorted(every) if number > newest]
            if missing:
                block = control_block(missing, log.next_step(part), clock, part)
                mode = log.last_mode(part) or block.mode
                log.append(replace(block, mode=mode), sorted({f"!{one.kind}" for one in missing}))


def _numbered(found: list[_One]) -> dict[tuple[object, ...], int]:
    numbers: dict[tuple[object, ...], int] = {}
    for one in found:
        numbers.setdefault(one.name, len(numbers))
    return numbers


def _all(log: Log) -> list[_One]:
    """Return them as they happened: by minute, partition and step."""
    found: list[_One] = []
    for part in range(log.partitions):
        settings, times = "", -1
        mine = [one for kind in _KINDS for one in _of_kind(log, part, kind)]
        for one in sorted(mine, key=lambda one: one.step):
            if one.kind == SETTINGS:
                times += one.body != settings
                settings = one.body
                found.append(replace(one, times=times))
            else:
                found.append(one)
    return sorted(found, key=lambda one: (one.minute, one.partition, one.step))


def _of_kind(log: Log, part: int, kind: str) -> Iterator[_One]:
    for block in log.blocks(part, holding=f"!{kind}"):
        table = block.tables([CONTROL])[CONTROL]
        table = table.filter(pc.and_(pc.is_null(table["customer"]), pc.equal(table["kind"], kind)))
        columns = (table[name].to_pylist() for name in ("ordinal", "minute", "body"))
        for ordinal, minute, body in zip(*columns, strict=True):
            amid = kind == CUTS and _minute_before(log, block, ordinal) == minute
            yield _One(minute, part, block.first_step + ordinal, kind, body, 0, amid)


def _minute_before(log: Log, block: Block, ordinal: int) -> int | None:
    """Return the minute of the record before one; None where there is none."""
    if ordinal == 0:
        if block.first_step == 0:
            return None
        return next(log.blocks(block.partition, block.first_step - 1, block.first_step)).last_minute
    for table in block.tables().values():
        before = table.filter(pc.equal(table["ordinal"], ordinal - 1))
        if before.num_rows:
            return int(before["minute"][0].as_py())
    raise AssertionError("ordinals of a block have no gap")
