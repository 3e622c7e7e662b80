"""History whose server may be away: pages wait on disk until it takes them, in order.

What is written is either on the server or in the spool when `write` returns. The two are told apart:
`SpooledHistory.drained` says what was taken over, so that the outbox may forget it; `SpooledHistory.arrived`
what is on the server: snapshots and log are kept back to there, for a spool is a file of one worker (P5).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa

from sinks.history.errors import Away, SetBack
from sinks.history.fresh import end_of, fresh_of
from sinks.history.history import History, Page
from sinks.history.spool import Spool, SpoolFigures, Waiting

_PAUSE = 1.0  # seconds after the first failure; doubled up to
_LONGEST_PAUSE = 30.0
_AT_ONCE = 20  # files that go before the caller has its turn again


class SpooledHistory:
    """A `History` in front of another. One relay's, and one thread's but for questions.

    Call `drain` again and again: what waits does not go by itself. Raises Away only where an answer is
    needed, `SpoolFull` when no more may wait, and SetBack when the server has lost what it had; what waits is
    then dropped, since it is copied again behind what was lost.
    """

    def __init__(self, history: History, spool: Spool, clock: Callable[[], float] = time.monotonic) -> None:
        self._history = history
        self._spool = spool
        self._clock = clock
        self._taken: dict[str, dict[int, int]] = {}
        self._pause, self._not_before = 0.0, 0.0
        self._set_back: SetBack | None = None  # until somebody asks where the tables end now

    def write(self, table: str, pages: Sequence[Page]) -> None:
        """See `History.write`. What cannot go waits on disk, behind what waits already."""
        if self._set_back is not None:
            raise self._set_back
        self.drain()
        taken = self._taken_of(table)
        fresh = fresh_of(table, pages, taken)  # a caller that met a full spool comes with all once more
        if not fresh:
            return
        if len(self._spool) or not self._sent(table, fresh):
            self._spool.add(table, fresh, [taken.get(page.partition, -1) for page in fresh])
        for page in fresh:
            taken[page.partition] = end_of(table, page)

    def drain(self) -> int:
        """Bring some of what waits to the server, in order; return how many rows went."""
        rows, held = 0, dict[str, dict[int, int]]()
        for _ in range(_AT_ONCE):
            oldest = self._spool.oldest()
            if oldest is None or not self._moved(oldest, held):
                break
            rows += sum(bound[3] for bound in oldest.bounds)
        return rows

    def drained(self, table: str) -> dict[int, int]:
        """Return what was taken over: it is on the server or waits. See `History.drained`."""
        found = self.arrived(table)
        for partition, last in self._spool.last(table).items():
            found[partition] = max(last, found.get(partition, -1))
        self._taken[table] = dict(found)
        self._set_back = None
        return found

    def arrived(self, table: str) -> dict[int, int]:
        """Return for each partition the last sequence that is on the server."""
        return self._history.drained(table)

    def query(
        self, sql: str, parameters: Mapping[str, object] | None = None, most: int | None = None
    ) -> pa.Table:
        """See `History.query`: what waits is not in the answer."""
        return self._history.query(sql, parameters, most)

    def figures(self) -> SpoolFigures:
        """Return how much waits, and for how long."""
        return self._spool.figures()

    def close(self) -> None:
        """See `History.close`. What waits stays."""
        self._spool.close()
        self._history.close()

    def _taken_of(self, table: str) -> dict[int, int]:
        return self._taken.setdefault(table, self._spool.last(table))

    def _moved(self, oldest: Waiting, held: dict[str, dict[int, int]]) -> bool:
        """Bring the oldest file to the server; say whether it is there. held: what its tables had."""
        if not self._is_due():
            return False
        try:
            if oldest.table not in held:
                held[oldest.table] = self._history.drained(oldest.table)
            self._check(oldest, held[oldest.table])
        except Away:
            self._wait()
            return False
        except SetBack as error:
            self._forget(error)
            raise
        if not self._sent(oldest.table, oldest.pages()):
            return False
        held[oldest.table].update({partition: last for partition, _, last, _ in oldest.bounds})
        self._spool.remove_oldest()
        return True

    def _check(self, oldest: Waiting, held: Mapping[int, int]) -> None:
        for (partition, _, _, _), after in zip(oldest.bounds, oldest.after, strict=True):
            now = held.get(partition, -1)
            if now < after:
                raise SetBack(
                    "history",
                    f"partition {partition} of {oldest.table} ended at {after} before what waits, "
                    f"and ends at {now}: the server has lost what it had",
                    "what is in the log and the outbox is copied again",
                )  # fmt: skip

    def _sent(self, table: str, pages: Sequence[Page]) -> bool:
        """Write to the server, if it is time to try; say whether it took the pages."""
        if not self._is_due():
            return False
        try:
            self._history.write(table, pages)
        except Away:
            self._wait()
            return False
        except SetBack as error:
            self._forget(error)
            raise
        self._pause = 0.0
        return True

    def _is_due(self) -> bool:
        return self._pause == 0.0 or self._clock() >= self._not_before

    def _wait(self) -> None:
        self._pause = min(_LONGEST_PAUSE, 2 * self._pause or _PAUSE)
        self._not_before = self._clock() + self._pause

    def _forget(self, why: SetBack) -> None:
        self._set_back = why
        self._spool.clear()
        self._taken.clear()
