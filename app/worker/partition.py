"""One partition that this worker owns: its copy of the log, the engine behind it, its part of the store."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import redis

from app.explained import Answer, explained
from app.life.reach_now import begin_answer
from app.overviews import Overviews
from app.owner import SNAPSHOT_EVERY, OlderLog, Owner, floor_of
from app.replay import first_version
from app.shop import Shop
from app.snapshot_child import SnapshotChild
from app.texts_now import AskedNow, answered_now
from app.worker.figures import PartitionFigures
from app.worker.sharing import OFFSET, SharedPlace, Uploading, bring
from rfm.report import Report
from sinks.store.questions import TEXTS
from sinks.store.store import Fenced, Store, is_away
from streams.changes.copy import Copy
from streams.changes.wire import Incoming
from streams.errors import InputError

ReportSink = Callable[[int, int, Mapping[str, tuple[str, Report]]], None]
_OLDER_SECONDS = 10.0  # of a log that is older than the store: what was committed is fetched in one
_AWAY_SECONDS = 0.2
log = logging.getLogger(__name__)


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
        report: ReportSink, snapshot_every: int = SNAPSHOT_EVERY,
    ) -> None:  # fmt: skip
        """report: gets (partition, minute, name of a model -> its version and population) at each opening of
        a minute, once the log's end was reached; snapshot_every: records between two snapshots."""
        self.number = number
        self._ending, self._say, self._report = ending, say, report
        self.folder = partition_folder(folder, number)
        self.copy = Copy(self.folder, shop.settings.name, number, secret)
        self.store = Store(client, shop.settings.name, first=number)
        self._shop = shop
        self._snapshot_every = snapshot_every
        self._owner: Owner | None = None
        self._older_since = 0.0  # when the log was first found older than the store
        self._overviews: Overviews | None = None
        self._child = SnapshotChild()
        self.needed: Callable[[], int] = lambda: 0  # the first effect that some relay still needs
        self.committed: Callable[[], None] = lambda: None  # called behind each commit, in the engine's thread
        self.committed_at = 0.0
        self.figures = PartitionFigures()

    def prepare(self, first: int, end: int, shared: SharedPlace | None = None, whole: bool = False) -> None:
        """See to it that the copy begins where it can go on, before anything is taken in.

        first, end: offsets of the partition's first message, and behind its last; shared: where a snapshot
        may be fetched; whole: the copy must have the log from its beginning. Raises InputError where what is
        needed is gone.
        """
        if whole and self.copy.log.begins is not None:
            self.copy.begin()
        if shared is not None and not whole:
            floor = floor_of(self.store, 0, self.store.head(0), self.needed())
            try:
                about = bring(shared, self.number, self.copy, self.folder, first, end, floor, self._say)
                if about is not None:
                    self._say(f"it begins with the shared snapshot of record {about.step}")
            except Exception as error:  # noqa: BLE001 - whatever a file system raises, the log has it all
                self._say(f"shared snapshots cannot be read ({type(error).__name__}: {error})")
        if self.copy.next_offset < first:
            raise InputError(
                f"partition {self.number}",
                f"the log begins at offset {first}, and what lies before is needed",
                "restore the topic `changes`: nothing may be deleted from it",
            )

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

        Raises NotOwner, and Ending; BeginsLate where what the copy lacks is needed: it is of no use then.
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
        if self._owner.wants_snapshot(self._snapshot_every) and not self._child.running():
            owner, needed, offset = self._owner, [self.needed()], self.next_offset
            self._child.begin(lambda: owner.save_snapshot(needed, **{OFFSET: offset}))
            owner.note_snapshot()

    def _begin(self) -> Owner | None:
        """Become the owner; None as long as nobody has written settings into the log."""
        shop = self._shop  # of a copy that begins late the snapshot says it
        if self.copy.log.begins is None:
            first = first_version(self.copy.log)
            if first is None:
                return None
            shop = Shop.model_validate_json(first)
        try:
            owner = Owner(
                self.copy.log, shop, self.folder, self.store, [self.needed()], self._away, self._say,
                apart=True,
            )  # fmt: skip
        except OlderLog:
            # Most likely the owner before has committed on while the end of the log was asked for; fenced
            # now, it commits no more, and what it has read is fetched next.
            self._older_since = self._older_since or time.monotonic()
            if time.monotonic() - self._older_since > _OLDER_SECONDS:
                raise
            return None
        self._older_since = 0.0
        self._overviews = Overviews(lambda: owner.engine, lambda: owner.version)
        owner.show_with(self._overviews.made)
        owner.follow()  # nobody needs the populations of minutes that are long past
        self.figures.replayed = owner.replayed
        log.info("partition %d: %d records were replayed", self.number, owner.replayed)
        owner.report_to(self._tell)
        return owner

    def _note_commit(self, seconds: float) -> None:
        assert self._owner is not None  # it has committed
        engine = self._owner.engine
        effects, clock = engine.digests[0].count, engine.partitions[0].clock
        self.figures.note_commit(engine.steps[0], effects, clock, seconds)
        self.committed()

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

    @property
    def owes_overview(self) -> bool:
        """Whether the store is to be given an overview now, though nothing comes."""
        return self._owner is not None and self._overviews is not None and self._overviews.is_due

    def show(self) -> None:
        """Give it."""
        if self._owner is not None and self.owes_overview:
            with contextlib.suppress(Fenced, Ending):  # the next batch finds out why
                self._owner.show()

    def answer(self, kind: str, about: bytes) -> bytes | None:
        """Return what the engine says to a question (`sinks.store.questions`), as JSON: an
        `app.explained.Answer`, or an `app.texts_now.AnsweredNow`; None where there is no owner at present."""
        owner = self._owner
        if owner is None:
            return None
        epoch = self.store.epoch(0)
        if kind == TEXTS:
            asked = msgspec.json.decode(about, type=AskedNow)
            return msgspec.json.encode(answered_now(owner, epoch, asked))
        return msgspec.json.encode(Answer(epoch, explained(owner, about)))

    def begin_reach(self, about: bytes) -> Callable[[], bytes] | None:
        """Begin to count whom a broadcast would reach now (`app.life.reach_now.begin_answer`); None where
        there is no owner at present."""
        owner = self._owner
        return None if owner is None else begin_answer(owner, self.store.epoch(0), about)

    def uploading(self) -> Uploading:
        """Return it as those see it who share its snapshots."""

        def shared(_: int) -> None:
            self.figures.shared_at = time.time()

        def failed() -> None:
            self.figures.not_shared += 1

        return Uploading(self.folder, self.needed, shared, failed)

    def close(self) -> None:
        """Let go of the files."""
        self._child.stop()
        self.copy.close()
