"""All partitions of one process: records in, minutes forward, effects out.

A minute is opened in every partition, cut points are taken over all of them, then it is closed in every
partition (semantics T3, R5); records of a minute follow.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.batch import Batch
from engine.cuts import Cuts, Population
from engine.digest import Digest
from engine.partition import HISTORY, IMPORT, LIVE, EngineError, Partition, RawEffects, joined
from engine.plan import Plan

EffectSink = Callable[[int, RawEffects], None]
NextDue = Callable[[int, int, int], int]
UNDIGESTED = 1000  # drains whose effects wait to be digested together
LOOK_AHEAD = 720  # minutes; no schedule falls due twice in half a day
LARGEST_JUMP = 10  # minutes that a live log may leave out, unless it says that the process was stopped (T2)


@dataclass
class _Queued:
    batch: Batch
    first_step: int
    done: int = 0


class Engine:
    """``sink(partition, effects)`` gets what comes out, in order; ``next_due(trigger, clock, last)`` gives a
    schedule trigger's due minute after the clock, or 0 (`triggers.schedule`)."""

    def __init__(self, plan: Plan, partitions: int, sink: EffectSink, next_due: NextDue) -> None:
        self.plan = plan
        self.partitions = [Partition(plan) for _ in range(partitions)]
        self.sink = sink
        self.next_due = next_due
        self.populations = [Population(self.partitions, m) for m in range(len(plan.models))]
        self.cuts: dict[str, Cuts] = {}
        self.steps = [0] * partitions
        self._digests = [Digest() for _ in range(partitions)]
        self._undigested: list[list[RawEffects]] = [[] for _ in range(partitions)]
        self._queues: list[deque[_Queued]] = [deque() for _ in range(partitions)]
        self._next_due: dict[int, tuple[int, int, int]] = {}  # trigger: looked at from, to, due minute or 0
        self._schedules = [
            i for i, name in enumerate(plan.trigger.names) if plan.trigger.declared[name].when.schedule
        ]

    @property
    def clock(self) -> int:
        """The minute at which all partitions stand; -1 before the first record."""
        return self.partitions[0].clock

    @property
    def digests(self) -> list[Digest]:
        """The digest of everything that each partition has emitted (P3)."""
        for number in range(len(self.partitions)):
            self._digest(number)
        return self._digests

    @digests.setter
    def digests(self, digests: Sequence[Digest]) -> None:
        """Go on from what was emitted before this engine."""
        self._digests = list(digests)
        self._undigested = [[] for _ in self.partitions]

    def _digest(self, number: int) -> None:
        """Take in what has come out: many small stretches at once, because each costs 50 us."""
        waiting, self._undigested[number] = self._undigested[number], []
        if waiting:
            self._digests[number].update(self.partitions[number], joined(waiting))

    def restore_populations(self) -> None:
        """After a snapshot: read the populations whole, as at the last opening that changed them."""
        for population in self.populations:
            population.restore()

    def feed(self, partition: int, batch: Batch, first_step: int) -> None:
        """Queue a batch of a partition; `run` applies it. Steps must follow each other."""
        if first_step != self.steps[partition]:
            raise EngineError(
                f"partition {partition}: step {self.steps[partition]} is missing, got {first_step}"
            )
        self.steps[partition] += len(batch)
        if len(batch):
            self._queues[partition].append(_Queued(batch, first_step))

    def run(self, until: int | None = None) -> None:
        """Apply all that is queued up to minute ``until`` (default: everything), in step with the clock."""
        while waiting := [queue for queue in self._queues if queue]:
            minute = min(int(queue[0].batch.minute[queue[0].done]) for queue in waiting)
            if until is not None and minute > until:
                break
            heads = [q[0] for q in waiting if int(q[0].batch.minute[q[0].done]) == minute]
            resumes = all(head.batch.resumes(head.done) for head in heads)
            # import where any is: had live records come first, every partition would have a live tick (T5)
            mode = min(int(head.batch.mode[head.done]) for head in heads)
            self._advance_before(max(minute, self.clock), mode, resumes)
            for number, queue in enumerate(self._queues):
                self._apply_minute(number, queue)
        self._drain_all()

    def advance(self, minute: int, mode: int = LIVE) -> None:
        """Move every partition to a minute without records (a tick)."""
        self._advance_before(minute, mode)
        self._drain_all()

    def _apply_minute(self, number: int, queue: deque[_Queued]) -> None:
        """Apply a partition's queued records of the minutes up to the clock."""
        partition = self.partitions[number]
        while queue:
            head = queue[0]
            partition.bind(head.batch)
            while head.done < len(head.batch):
                head.done = partition.apply(head.done, len(head.batch), head.first_step)
                if partition.effects_are_full():
                    self.drain(number)
                elif head.done < len(head.batch):
                    if int(head.batch.minute[head.done]) > partition.clock:
                        return
                    partition.set_mode(int(head.batch.mode[head.done]))
            queue.popleft()

    def _advance_before(self, minute: int, mode: int, resumes: bool = False) -> None:
        """Bring every partition to a record's minute, in that record's mode (T2, T5).

        resumes: the record says that the process was stopped, so the clock may jump.
        """
        clock = self.clock
        if clock >= 0 and minute <= clock:
            for partition in self.partitions:
                partition.set_mode(mode)
            return
        if clock < 0 or not any(partition.customers for partition in self.partitions):
            for partition in self.partitions:
                partition.begin(minute - 1)
                partition.set_mode(mode)
            clock = minute - 1
        if mode == LIVE and self._imported_last():
            self._advance(minute - 1, HISTORY)
        elif mode == LIVE and minute - clock > LARGEST_JUMP and not resumes:
            raise EngineError(
                f"the clock would jump {minute - clock} minutes without ticks; a live log may leave out "
                f"{LARGEST_JUMP}: append the ticks that are missing, or a resume after a stop"
            )
        self._advance(minute, mode)

    def _imported_last(self) -> bool:
        """Whether the last minute with records had imported ones (T5), in whatever partition."""
        imported = max([partition.memory.scalar("last_import") for partition in self.partitions])
        if imported <= 0:
            return False
        return imported >= max([partition.memory.scalar("last_live") for partition in self.partitions])

    def _advance(self, target: int, mode: int) -> None:
        for partition in self.partitions:
            partition.set_mode(mode)
        following = self.clock
        if target <= following:
            return
        self._set_schedules(following, target, mode)
        while following < target:
            following = min([partition.peek(target) for partition in self.partitions])
            for partition in self.partitions:
                partition.skip_to(following - 1)
            if following <= target:
                self._open(following)

    def _open(self, minute: int) -> None:
        """Open one minute everywhere: advance(minute) of semantics T3."""
        if minute <= self.clock:
            raise EngineError(f"minute {minute} falls due, but the clock stands at {self.clock}")
        for partition in self.partitions:
            partition.open_minute(minute)
        for population in self.populations:
            taken = population.take(minute)
            if taken is not None:
                self.cuts[taken.model] = taken
        for number, partition in enumerate(self.partitions):
            while not partition.close_minute():
                self.drain(number)

    def _set_schedules(self, clock: int, target: int, mode: int) -> None:
        """Tell the kernel when schedule triggers fall due: of several missed, the last (D1)."""
        for trigger in self._schedules:
            due = self._due(trigger, clock, target) if mode == LIVE else 0
            for partition in self.partitions:
                partition.memory["trigger_next"][trigger] = due

    def _due(self, trigger: int, clock: int, target: int) -> int:
        """Return a schedule's last due minute in (clock, target], or 0; asks the calendar twice a day."""
        if target - clock > LOOK_AHEAD:
            return self.next_due(trigger, clock, target)
        first, last, due = self._next_due.get(trigger, (0, -1, 0))
        if clock < first or target > last:
            due = self.next_due(trigger, clock, clock + LOOK_AHEAD)
            self._next_due[trigger] = (clock, clock + LOOK_AHEAD, due)
        return due if clock < due <= target else 0

    def _drain_all(self) -> None:
        for number in range(len(self.partitions)):
            self.drain(number)

    def drain(self, number: int) -> None:
        """Give a partition's effects to the sink."""
        effects = self.partitions[number].take_effects()
        if effects is not None:
            waiting = self._undigested[number]
            waiting.append(effects)
            if len(waiting) == UNDIGESTED:
                self._digest(number)
            self.sink(number, effects)


__all__ = ["HISTORY", "IMPORT", "LIVE", "Engine"]
