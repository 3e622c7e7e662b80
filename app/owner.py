"""The process that owns a shop: it follows the log and commits what comes out to the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from app.commit import Committer, Effect, has_documents, position
from app.restore import FOLDER, begin
from app.shop import Shop
from engine.apart import ReportSink
from engine.engine import Engine
from engine.partition import Partition, RawEffects
from sinks.snapshots import folder as snapshots
from sinks.snapshots.folder import Found
from sinks.store.store import Head, Store
from streams.errors import InputError
from streams.log.log import Log

SNAPSHOT_EVERY = 200_000  # records behind the last snapshot that make a new one worth its while
COMMIT_EVERY = 20_000  # effects waiting, while a long stretch is followed


class OlderLog(InputError):
    """The store has seen more than the log holds."""


class Owner:
    """One shop in one process: log, engine and store in step. Its calls are one thread's.

    Recovery (design, section 5): the partitions are claimed, which fences whoever had them; the newest
    snapshot that lies before nothing undrained is loaded; the log is replayed, and effects that the store or
    the relays have already are not written again; the digest at the store's position must be the same.
    """

    def __init__(
        self, log: Log, shop: Shop, data: Path, store: Store, drained: Sequence[int],
        away: Callable[[Exception], None], say: Callable[[str], None] = lambda _: None,
        apart: bool | None = None,
    ) -> None:  # fmt: skip
        """drained: for each partition the number of the oldest effect that some relay still needs; apart: as
        of `app.replay.Replay`."""
        self.log = log
        self.data = data
        self.store = store
        self.is_at_end = False  # of the log as it was when `follow` began: only commits are left to do
        self._listeners: list[Callable[[list[Effect]], None]] = []
        store.check()
        heads = [store.claim(partition) for partition in range(log.partitions)]
        _refuse_older_log(heads, log)
        floors = [
            _floor(store, partition, head, needed)
            for partition, (head, needed) in enumerate(zip(heads, drained, strict=True))
        ]

        def nothing_undrained(found: Found) -> bool:
            return all(count <= floor for count, floor in zip(found.effects, floors, strict=True))

        self._replay, found = begin(log, shop, data, self._take, nothing_undrained, say, apart)
        self._committer = Committer(store, heads, floors, away)
        self._committer.begin(self.engine)
        self._replay.pause = self._commit_some
        self._snapshot_at = sum(found.steps) if found else 0
        self._stood = _stood(heads)
        for partition, head in zip(self.engine.partitions, heads, strict=True):
            if not has_documents(head) or (head.step, head.clock) < position(partition):
                partition.change_all()

    @property
    def shop(self) -> Shop:
        """The settings in force."""
        return self._replay.shop

    @property
    def version(self) -> str:
        """The settings in force, as canonical JSON."""
        return self._replay.version

    @property
    def engine(self) -> Engine:
        return self._replay.engine

    def report_to(self, sink: ReportSink) -> None:
        """Give a partition's populations to somebody at each opening (`engine.apart`)."""
        assert self.engine.apart is not None  # only such engines report
        self.engine.apart.report = sink

    def show_with(self, overview: Callable[[], bytes | None]) -> None:
        """Let the store have an overview of the partition, of the one that this owner has: asked with each
        commit, None to leave the last one."""
        self._committer.overview = overview

    def show(self) -> None:
        """Write an overview by itself, if it is due; call it between two batches."""
        self._committer.show(self.engine)

    def listen(self, listener: Callable[[list[Effect]], None]) -> None:
        """Let somebody hear of effects, in order, once they are committed."""
        self._listeners.append(listener)

    def _take(self, number: int, partition: Partition, raw: RawEffects) -> None:
        self._committer.take(number, partition, raw)

    def _commit_some(self) -> None:
        self._committer.pass_over(self.engine)
        if self._committer.waiting >= COMMIT_EVERY:
            self._commit()

    def follow(self, progress: Callable[[int], None] | None = None, until: int | None = None) -> None:
        """Apply what the log has gained, and commit it. progress: called with the records applied so far."""
        self.is_at_end = False
        if self._stood is not None:  # a stretch that ends there, so that what changed before it is known
            self._replay.follow(until, progress, self._stood)
            self._stood = None
        self._replay.follow(until, progress)
        self.is_at_end = True
        self._commit()

    def _commit(self) -> None:
        written = self._committer.commit(self.engine)
        if written:
            for listener in self._listeners:
                listener(written)

    @property
    def replayed(self) -> int:
        """How many records were applied since it began."""
        return self._replay.records

    def wants_snapshot(self, every: int = SNAPSHOT_EVERY) -> bool:
        """Whether a new snapshot is worth its while: replaying from the last would take seconds."""
        return sum(self.engine.steps) - self._snapshot_at >= every

    def note_snapshot(self) -> None:
        """A snapshot of the present state is being written, by this process or a child of it."""
        self._snapshot_at = sum(self.engine.steps)

    def save_snapshot(self, needed: Sequence[int] | None = None, **more: Any) -> Path:
        """Write a snapshot of the present state, which is committed. needed, more: as of `snapshots.save`."""
        self.note_snapshot()
        return snapshots.save(self.data / FOLDER, self.engine, self._replay.version, needed, more)


def _floor(store: Store, partition: int, head: Head, needed: int) -> int:
    """Return `floor_of`; where the outbox lacks what is needed, it is emptied first."""
    floor = floor_of(store, partition, head, needed)
    if floor < head.effects:
        store.empty_outbox(partition)
    return floor


def floor_of(store: Store, partition: int, head: Head, needed: int) -> int:
    """Return the number of the first effect to be written: all before it are in the outbox, or not needed.

    A relay that lost what it had drained needs effects that were dropped since: then all from there on are
    written again.
    """
    if needed >= head.effects:
        return needed
    first = store.first_effect(partition)
    return head.effects if first is not None and first <= needed else needed


def _stood(heads: Sequence[Head]) -> list[int] | None:
    """Return the steps at which the store stands; None if its partitions do not stand at the same minute."""
    return [head.step for head in heads] if len({head.clock for head in heads}) == 1 else None


def _refuse_older_log(heads: list[Head], log: Log) -> None:
    """A store that has seen more than the log: the log was set back, and its effects are out already."""
    for partition, (head, end) in enumerate(zip(heads, log.next_steps(), strict=True)):
        if head.step > end:
            raise OlderLog(
                str(log.folder),
                f"the log of partition {partition} ends at step {end}, but the store has seen {head.step}",
                "bring the whole log back; or, if what it lost is to be forgotten, empty the store's folder",
            )
