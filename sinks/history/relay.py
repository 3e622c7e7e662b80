"""The relay: copies what is new in the log, and what came out of it, into history.

Order of a step, and why a kill at any moment leaves each row in once:
1. what is in is known from history's own tables, for each table by itself;
2. the records behind it are read, whole blocks, a bounded batch;
3. each table gets its rows in one insert, which is in or is not, and takes none that it has;
4. only then the places move on. A step that was cut short is done again: 3 takes what was missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pyarrow.compute as pc

from sinks.history.errors import SetBack
from sinks.history.history import CHANGES, CONTROLS, EFFECTS, History, Page
from sinks.history.pages import of_blocks, of_effects
from sinks.outbox import EffectSource, check_dense
from streams.log.begins import Begins, BeginsLate
from streams.log.block import CONTROL, Block
from streams.log.log import Log

ROWS = 100_000  # of one step: an insert costs 10 ms whatever its size
SECONDS = 5.0
_EFFECTS = 50_000  # of one step: they arrive as objects, a kilobyte each
_PAYLOAD = 64 << 20  # bytes of blocks in one step; unpacked they are a few times as many


@dataclass(frozen=True)
class Lag:
    """What is not copied yet: records and effects, and the seconds that the oldest has waited at most."""

    rows: int
    seconds: float


class HistoryRelay:
    """Copies a log, and effects, into a history, of which it is the one writer.

    It copies when ``rows`` are waiting, or when the oldest has waited for ``seconds``. ``clock`` tells
    seconds; which is its zero does not matter. ``numbers``: of which partitions of the shop those of the log
    and of the effects are, where they are not its first ones: what a worker of a cluster has.
    """

    def __init__(
        self, history: History, log: Log, effects: EffectSource | None = None, *, rows: int = ROWS,
        seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic,
        numbers: Sequence[int] | None = None,
    ) -> None:  # fmt: skip
        self._history = history
        self._log = log
        self._effects = effects
        self._rows = rows
        self._seconds = seconds
        self._clock = clock
        self._numbers = list(range(log.partitions) if numbers is None else numbers)
        self._begin()
        self._seen: tuple[float, int] | None = None  # when, and how many were copied and waiting then

    def _begin(self) -> None:
        """Ask history where it ends."""
        drained = self._history.drained(EFFECTS)
        self._next_step = _first_steps(self._history, self._log, self._numbers)
        self._next_seq = [drained.get(number, -1) + 1 for number in self._numbers]
        self._set_back = False

    @property
    def drained(self) -> tuple[list[int], list[int]]:
        """For each partition the first step, and the first seq, that is not known to be in history."""
        return list(self._next_step), list(self._next_seq)

    def lag(self) -> Lag:
        """Return what is not copied yet."""
        now, waiting = self._clock(), self._waiting()
        copied = sum(self._next_step) + sum(self._next_seq)
        if waiting == 0:
            self._seen = None
        elif self._seen is None or copied >= self._seen[1]:
            self._seen = now, copied + waiting
        return Lag(waiting, now - self._seen[0] if self._seen else 0.0)

    def step(self) -> int:
        """Copy a batch if one is due; return how many records and effects it had.

        Raises what `History.write` does. After SetBack the next step begins where history ends by then.
        """
        if self._set_back:
            self._begin()
        lag = self.lag()
        if lag.rows == 0 or (lag.rows < self._rows and lag.seconds < self._seconds):
            return 0
        return self._copy()

    def catch_up(self, progress: Callable[[int], None] | None = None) -> int:
        """Copy everything that is there; return how many records and effects it had.

        progress: called with the number copied so far.
        """
        total = 0
        if self._set_back:
            self._begin()
        while copied := self._copy():
            total += copied
            if progress is not None:
                progress(total)
        return total

    def _waiting(self) -> int:
        waiting = sum(self._log.next_steps()) - sum(self._next_step)
        if self._effects is not None:
            ends = [self._effects.last_seq(part) + 1 for part in range(self._log.partitions)]
            # A store that was set back has fewer than history, until a replay has filled it again.
            waiting += sum(max(0, end - seq) for end, seq in zip(ends, self._next_seq, strict=True))
        return waiting

    def _copy(self) -> int:
        try:
            return self._copy_log() + self._copy_effects()
        except SetBack:
            self._set_back = True
            raise

    def _copy_log(self) -> int:
        """Copy the next blocks of all partitions, an equal share of each."""
        ends = self._log.next_steps()
        behind = [part for part, end in enumerate(ends) if self._next_step[part] < end]
        pages: dict[str, list[Page]] = {}
        reached: dict[int, int] = {}
        for part in behind:
            blocks = self._blocks(part, max(1, self._rows // len(behind)), _PAYLOAD // len(behind))
            for table, page in of_blocks(blocks).items():
                pages.setdefault(table, []).append(page)
            reached[part] = blocks[-1].first_step + blocks[-1].count
        # Controls last: their minutes say how far all tables are.
        for table in sorted(pages, key=lambda name: name == CONTROLS):
            self._history.write(table, pages[table])
        copied = sum(end - self._next_step[part] for part, end in reached.items())
        for part, end in reached.items():
            self._next_step[part] = end
        return copied

    def _blocks(self, partition: int, rows: int, payload: int) -> list[Block]:
        """Return the partition's next blocks: one, and more until there are so many rows or bytes."""
        blocks: list[Block] = []
        for block in self._log.blocks(partition, self._next_step[partition]):
            blocks.append(replace(block, partition=self._numbers[partition]))
            rows -= block.count
            payload -= len(block.payload)
            if rows <= 0 or payload <= 0:
                break
        return blocks

    def _copy_effects(self) -> int:
        """Copy the next effects of all partitions, an equal share of each."""
        if self._effects is None:
            return 0
        behind = [part for part, seq in enumerate(self._next_seq) if self._effects.last_seq(part) >= seq]
        pages: dict[int, Page] = {}
        for part in behind:
            share = max(1, min(self._rows, _EFFECTS) // len(behind))
            effects = self._effects.read(part, self._next_seq[part] - 1, share)
            if effects:  # none if the store was set back in between
                number = self._numbers[part]
                check_dense("history", number, self._next_seq[part], effects)
                pages[part] = of_effects([{**effect, "partition": number} for effect in effects])
        if pages:
            self._history.write(EFFECTS, list(pages.values()))
        for part, page in pages.items():
            self._next_seq[part] = page.last + 1
        return sum(page.last - page.first + 1 for page in pages.values())


def _first_steps(history: History, log: Log, numbers: Sequence[int]) -> list[int]:
    """Return for each partition the first step that some table may lack."""
    drained: dict[str, dict[int, int]] = {}
    if log.begins is not None:
        _check_begins(history, log.begins, numbers[0])
    return [_first_step(history, log, part, number, drained) for part, number in enumerate(numbers)]


def _check_begins(history: History, begins: Begins, number: int) -> None:
    """Raise BeginsLate where some table lacks records that lie before a copy's first one."""
    for name, last in begins.last.items():
        if history.drained(CONTROLS if name == CONTROL else CHANGES + name).get(number, -1) < last:
            raise BeginsLate(f"history lacks records of {name} before step {begins.step}")


def _first_step(
    history: History, log: Log, part: int, number: int, drained: dict[str, dict[int, int]]
) -> int:
    """A source may have no rows for long: what its table lacks begins with the next block that holds it."""
    for first_step, count, names in log.holdings(part):
        for name in names:
            table = CONTROLS if name.startswith("!") else CHANGES + name
            if table not in drained:
                drained[table] = history.drained(table)
            last = drained[table].get(number, -1)
            if last < first_step or (last < first_step + count - 1 and _ends(log, part, last, name) > last):
                return first_step
    return log.next_step(part)


def _ends(log: Log, partition: int, step: int, name: str) -> int:
    """Return the last step that a source, or the control records, have in the block that holds a step."""
    table = CONTROL if name.startswith("!") else name
    block = next(log.blocks(partition, step, step + 1))
    return block.first_step + int(pc.max(block.tables([table])[table]["ordinal"]).as_py())
