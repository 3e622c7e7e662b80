"""A shop at work in this process: whoever has messages or questions hands them in, one thread answers.

The thread takes what has gathered as one batch: append to the log (synced), tell the senders, follow, commit
to the store. So a batch grows with the load, and a lone message waits for nobody. While a commit waits for
the store, what comes is appended all the same: accepted means durable, and for that the log is enough.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from app.figures import Figures
from app.owner import Owner
from app.shop import Shop
from app.snapshot_child import SnapshotChild
from sinks.store.store import Fenced
from streams.arrive import Arrivals, Arrived
from streams.live import LONGEST_JUMP, append_resume, append_ticks
from streams.log.log import Log, Unwritable
from streams.message import Message

MINUTE_SECONDS = 60
AWAY_SECONDS = 0.2
BATCH = 5000  # messages taken together: more would only make the senders wait longer
Answer = TypeVar("Answer")


class Stopped(Exception):
    """The service takes nothing any more: it stops, or has stopped."""


@dataclass
class _Task:
    done: Future[Any]
    messages: Sequence[Message] = ()
    request: str | None = None
    ask: Callable[[Owner], Any] | None = None
    change: Callable[[Log, Shop, int], Any] | None = None

    @property
    def arrives(self) -> bool:
        """Whether it brings messages: they are told when they are on disk, all else when it is committed."""
        return self.ask is None and self.change is None


class Service:
    """Use `run` in the thread that is to do the work; the other methods may be called from any thread."""

    def __init__(
        self, make_owner: Callable[[], Owner], log: Log, now: Callable[[], float] = time.time,
        say: Callable[[str], None] = lambda _: None, needed: Callable[[], Sequence[int]] | None = None,
    ) -> None:  # fmt: skip
        """make_owner: claims the store and recovers; called once, and again when the store was set back.

        needed: the first effects that some relay still needs: snapshots before them are kept.
        """
        self.log = log
        self._needed = needed or (list)
        self._child = SnapshotChild()
        self._make_owner = make_owner
        self._say = say
        self._owner: Owner | None = None
        self.figures = Figures()
        self.ready = False
        self.taking = False  # into the log, ready or not
        self.failed: BaseException | None = None
        self._told = ""
        self._now = now
        self._arrivals = Arrivals(log)
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._later: list[_Task] = []  # asked, or to be changed, while the store was away
        self._is_behind = False  # something was appended since the owner has followed
        self.stopping = threading.Event()

    def accept(self, messages: Sequence[Message], request: str | None = None) -> Future[Arrived]:
        """Hand messages in, to be taken in one transaction.

        The future is done when they are on disk. request: what makes a repetition of the same request known
        (an idempotency key): it gets the first one's answer and changes nothing.
        """
        return self._put(_Task(Future(), messages, request))

    def ask(self, question: Callable[[Owner], Answer]) -> Future[Answer]:
        """Have a question answered between two batches; it must not change anything, and be quick."""
        return self._put(_Task(Future(), ask=question))

    def change(self, change: Callable[[Log, Shop, int], Answer]) -> Future[Answer]:
        """Have the log changed by other records than rows, at the present minute.

        The future is done when what they bring about is committed to the store.
        """
        return self._put(_Task(Future(), change=change))

    @property
    def owner(self) -> Owner:
        """The owner, for the thread that works. Others use `ask`."""
        assert self._owner is not None  # `run` makes it before anything else
        return self._owner

    def store_is_away(self, error: Exception) -> None:
        """Wait a little, the store does not answer; append what comes meanwhile. Raises Stopped at the end.

        Nothing is appended while the owner is in the middle of what it reads from the log.
        """
        self.ready = False
        self.figures.store_away = self.figures.store_away or self._now()
        self.taking = self._owner is not None and self._owner.is_at_end
        if self.taking:
            tasks = self._gather(AWAY_SECONDS)
            self._later += [task for task in tasks if not task.arrives]
            self._append([task for task in tasks if task.arrives])
            self._is_behind = True
        else:
            self.stopping.wait(AWAY_SECONDS)
        if self.stopping.is_set():
            raise Stopped("the store is away, and the service stops; the log has it all") from error

    def stop(self) -> None:
        """Let `run` return after the batch at hand."""
        self.stopping.set()
        self._tasks.put(None)

    def fail(self, error: BaseException) -> None:
        """End with an error that came up beside the thread that works: a defect there is one of the whole."""
        self.failed = self.failed or error
        self.stop()

    def _put(self, task: _Task) -> Future[Any]:
        if self.stopping.is_set() or self.failed is not None:
            task.done.set_exception(Stopped("the service stops; try again in a moment"))
        else:
            self._tasks.put(task)
        return task.done

    def run(self, progress: Callable[[int], None] | None = None) -> None:
        """Catch up, then work until `stop`. Raises what went wrong; nothing that was accepted is lost."""
        try:
            self._resume()
            self._recover(progress)
            while not self.stopping.is_set():
                tasks, self._later = self._later, []
                tasks += self._gather(0.0 if tasks else MINUTE_SECONDS - self._now() % MINUTE_SECONDS)
                try:
                    self._work(tasks)
                except BaseException as error:
                    _fail(tasks, error)
                    raise
                self._keep_snapshot()
        except BaseException as error:
            self.failed = self.failed or error
            raise
        finally:
            self.ready = self.taking = False
            self._child.stop()
            self._refuse_waiting()

    def _work(self, tasks: list[_Task]) -> None:
        """Append and tell the senders, follow and commit, answer: in this order."""
        arriving = [task for task in tasks if task.arrives]
        changed = self._append(arriving, [task for task in tasks if task.change is not None])
        self._follow()
        for task, found in changed:
            task.done.set_result(found)
        for task in tasks:
            if task.ask is not None:
                _answer(task.done, task.ask, self.owner)

    def _append(self, arriving: list[_Task], changing: Sequence[_Task] = ()) -> list[tuple[_Task, Any]]:
        """Write messages, changes and the minutes that have passed to the log, and tell who sent messages.

        Returns the changes made, with what they return.
        """
        changed: list[tuple[_Task, Any]] = []
        try:
            if arriving or changing:
                self._let_missed_minutes_pass()
            if arriving:
                self._take(arriving)
            for task in changing:
                assert task.change is not None  # that is what they are
                changed.append((task, task.change(self.log, self.owner.shop, self._minute())))
            append_ticks(self.log, self._minute())
            self._told = ""
        except Unwritable as error:
            _fail([*arriving, *changing[len(changed) :]], error)
            self._tell(str(error))
        except BaseException as error:
            _fail([*arriving, *changing], error)
            raise
        return changed

    def _let_missed_minutes_pass(self) -> None:
        """Tick up to now where the clock stands further back than rows may jump (semantics T2): the machine
        slept, or the batch before took so long, and rows or changes are handed in before the next minute's
        tick.
        """
        clock = self.log.clock()
        if clock is not None and self._minute() - clock > LONGEST_JUMP:
            append_ticks(self.log, self._minute())

    def _keep_snapshot(self) -> None:
        """Let a child write a snapshot when it is time for one."""
        if self.owner.wants_snapshot() and not self._child.running():
            needed = list(self._needed()) or None
            self._child.begin(lambda: self.owner.save_snapshot(needed))
            self.owner.note_snapshot()

    def _resume(self) -> None:
        """Let the clock come to the present: the time since the log's last minute was a stop."""
        if self.log.last_mode(0) == "live":
            append_resume(self.log, self._minute())

    def _minute(self) -> int:
        return int(self._now() // MINUTE_SECONDS)

    def _gather(self, wait: float) -> list[_Task]:
        """Wait for something to do, so many seconds at most; return what has gathered."""
        tasks: list[_Task] = []
        with contextlib.suppress(queue.Empty):
            task = self._tasks.get(timeout=wait)
            while task is not None:
                tasks.append(task)
                if sum(len(one.messages) for one in tasks) >= BATCH:
                    break
                task = self._tasks.get_nowait()
        return tasks

    def _recover(self, progress: Callable[[int], None] | None) -> None:
        """Begin, or begin anew: as often as the store is set back."""
        self.ready = self.taking = False
        while True:
            self._owner = self._make_owner()
            try:
                self._catch_up(progress)
            except Fenced as error:
                if not error.set_back:
                    raise
                self._say(str(error))
                continue
            self.figures.store_away = 0.0
            self.ready = self.taking = True
            return

    def _catch_up(self, progress: Callable[[int], None] | None = None) -> None:
        """Follow until nothing was appended meanwhile, while a commit had to wait."""
        self._is_behind = True
        while self._is_behind:
            self._is_behind = False
            self.owner.follow(progress)

    def _follow(self) -> None:
        """Apply and commit what the log has gained; a store that lost something is filled anew."""
        begun = time.perf_counter()
        try:
            self._catch_up()
        except Fenced as error:
            if not error.set_back:
                raise
            self._say(str(error))
            self._recover(None)
        self.figures.commits += 1
        self.figures.last_commit = self._now()
        self.figures.commit_seconds.add(time.perf_counter() - begun)
        self.figures.behind_since = None
        self.figures.store_away = 0.0
        self.ready = self.taking = True

    def _tell(self, line: str) -> None:
        """Say what has to be mended, once until it is."""
        if line != self._told:
            self._told = line
            self._say(line)
        self.stopping.wait(AWAY_SECONDS)

    def _take(self, tasks: list[_Task]) -> None:
        requests = [(task.messages, task.request) for task in tasks]
        since, begun = self._now(), time.perf_counter()
        arrived = self._arrivals.take(self.owner.shop, requests, self._minute())
        self.figures.append_seconds.add(time.perf_counter() - begun)
        self.figures.behind_since = self.figures.behind_since or since
        for task, one in zip(tasks, arrived, strict=True):
            task.done.set_result(one)
        messages = sum(len(task.messages) for task in tasks)
        self.figures.batches += 1
        self.figures.messages += messages
        self.figures.batch_messages.add(messages)
        self.figures.rejected += sum(len(one.rejected) for one in arrived)

    def _refuse_waiting(self) -> None:
        self.stopping.set()
        stopped = Stopped("the service stops; try again in a moment")
        _fail(self._later, stopped)
        with contextlib.suppress(queue.Empty):
            while True:
                task = self._tasks.get_nowait()
                if task is not None:
                    task.done.set_exception(stopped)


def _fail(tasks: Sequence[_Task], error: BaseException) -> None:
    """Tell an error to everybody who has no answer yet."""
    for task in tasks:
        if not task.done.done():
            task.done.set_exception(error)


def _answer(done: Future[Any], question: Callable[[Owner], Any], owner: Owner) -> None:
    try:
        done.set_result(question(owner))
    except Exception as error:  # noqa: BLE001 - it is the asker's, who gets it
        done.set_exception(error)
