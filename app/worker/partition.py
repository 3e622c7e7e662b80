"""One partition that this worker owns: its copy of the log, the engine behind it, its part of the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import redis

from app.owner import Owner
from app.replay import first_version
from app.shop import Shop
from app.snapshot_child import SnapshotChild
from app.worker.figures import PartitionFigures
from rfm.report import Report
from sinks.store.store import Fenced, Store, is_away
from streams.changes.copy import Copy
from streams.changes.wire import Incoming

ReportSink = Callable[[int, int, Mapping[str, tuple[str, Report]]], None]
_AWAY_SECONDS = 0.2


def partition_folder(data: Path, number: int) -> Path:
    """Return the folder of a worker's copy of a partition."""
    return data / f"{number:03d}"


class NotOwner(Exception):
    """Another worker owns the partition now."""


class Ending(Exception):
    """The worker ends while the store is away; the log has it all."""


class OwnedPartition:
    """Follows one partition. Its calls are one thread's.

    Order of things: messages go into the copy; the engine follows the copy; what comes out is committed to
    the store, fenced. A worker that was paused and lost the partition is refused there (`NotOwner`).
    """

    def __init__(
        self, number: int, shop: Shop, folder: Path, secret: bytes, client: redis.Redis,
        ending: Callable[[], bool], say: Callable[[str], None],
        report: ReportSink,
    ) -> None:  # fmt: skip
        """report: gets (partition, minute, name of a model -> its version and population) at each opening of
        a minute, once the log's end was reached."""
        self.number = number
        self._ending, self._say, self._report = ending, say, report
        self.folder = partition_folder(folder, number)
        self.copy = Copy(self.folder, shop.settings.name, number, secret)
        self.store = Store(client, shop.settings.name, first=number)
        self._owner: Owner | None = None
        self._child = SnapshotChild()
        self.needed: Callable[[], int] = lambda: 0  # the first effect that some relay still needs
        self.committed_at = 0.0
        self.figures = PartitionFigures()

    @property
    def next_offset(self) -> int:
        """The first offset that is not in the copy."""
        return self.copy.next_offset

    @property
    def clock(self) -> int:
        """The minute of the copy's last record; -1 while it is empty."""
        found = self.copy.log.clock()
        return -1 if found is None else found

    @property
    def owner(self) -> Owner | None:
        """The owner, once the copy has come to the log's end for the first time."""
        return self._owner

    def take(self, messages: Sequence[Incoming], at_end: bool) -> None:
        """Take messages in; at_end: no more are in the log, so that the engine may follow.

        Raises NotOwner, and Ending.
        """
        self.copy.add(messages)
        if self._owner is None and not at_end:
            return  # the store may have seen what the copy has yet to be given
        while True:
            try:
                self._follow()
                if at_end:
                    self.figures.behind_since = None
                return
            except Fenced as error:
                if not error.set_back:
                    raise NotOwner(str(error)) from error
                self._say(str(error))
                self.figures.set_back += 1
                self._owner = None
            except redis.RedisError as error:
                if not is_away(error):
                    raise
                self._away(error)

    def _follow(self) -> None:
        begun = time.perf_counter()
        if self._owner is None:
            self._owner = self._begin()
            if self._owner is None:
                return
        self._owner.follow()
        self.committed_at = time.time()
        self._note_commit(time.perf_counter() - begun)
        if self._owner.wants_snapshot() and not self._child.running():
            owner = self._owner
            needed = [self.needed()]
            self._child.begin(lambda: owner.save_snapshot(needed))
            owner.note_snapshot()

    def _begin(self) -> Owner | None:
        """Become the owner; None as long as nobody has written settings into the log."""
        first = first_version(self.copy.log)
        if first is None:
            return None
        owner = Owner(
            self.copy.log, Shop.model_validate_json(first), self.folder, self.store, [self.needed()],
            self._away, self._say, apart=True,
        )  # fmt: skip
        owner.follow()  # nobody needs the populations of minutes that are long past
        owner.report_to(self._tell)
        return owner

    def _note_commit(self, seconds: float) -> None:
        assert self._owner is not None  # it has committed
        engine = self._owner.engine
        effects, clock = engine.digests[0].count, engine.partitions[0].clock
        self.figures.note_commit(engine.steps[0], effects, clock, seconds)

    def _tell(self, _: int, minute: int, models: Mapping[str, Report]) -> None:
        assert self._owner is not None  # it reports
        declared = {one.name: one.version for one in self._owner.shop.rfm}
        self._report(self.number, minute, {name: (declared[name], one) for name, one in models.items()})

    def _away(self, error: Exception) -> None:
        """Wait a little: the store does not answer. Called again and again until it does."""
        self.figures.store_away = self.figures.store_away or time.time()
        if self._ending():
            raise Ending("the store is away, and the worker ends; the log has it all") from error
        time.sleep(_AWAY_SECONDS)

    def close(self) -> None:
        """Let go of the files."""
        self._child.stop()
        self.copy.close()
