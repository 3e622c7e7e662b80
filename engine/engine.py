"""All partitions of one process: records in, minutes forward, effects out.

A minute is opened in every partition, cut points are taken over all of them, then it is closed in every
partition (semantics T3, R5); records of a minute follow. In a process that has not all partitions of its
shop, cut points are not taken: they come as records (`engine.apart`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.apart import Apart
from engine.batch import Batch
from engine.cuts import Cuts, take
from engine.digest import Digest
from engine.partition import HISTORY, IMPORT, LIVE, EngineError, Partition, RawEffects, joined
from engine.plan import Plan
from engine.population import ALL, Population
from rfm.record import CutsRecord

EffectSink = Callable[[int, RawEffects], None]
NextDue = Callable[[int, int, int], int]
UNDIGESTED = 1000  # drains whose effects wait to be digested together
LOOK_AHEAD = 720  # minutes; no schedule falls due twice in half a day
NO_RECORDS: Mapping[int, CutsRecord] = {}
LARGEST_JUMP = 10  # minutes that a live log may leave out, unless it says that the process was stopped (T2)


@dataclass
class _Queued:
    batch: Batch
    first_step: int
    done: int = 0

    @property
    def step(self) -> int:
        """The next record's."""
        return self.first_step + self.done


class Engine:
    """``sink(partition, effects)`` gets what comes out, in order; ``next_due(trigger, clock, last)`` gives a
    schedule trigger's due minute after the clock, or 0 (`triggers.schedule`). apart: cut points come as
    records, and none are taken here (R5); else such records are passed over."""

    def __init__(
        self, plan: Plan, partitions: int, sink: EffectSink, next_due: NextDue, apart: bool = False
    ) -> None:
        self.plan = plan
        self.partitions = [Partition(plan) for _ in range(partitions)]
        self.sink = sink
        self.next_due = next_due
        self.cuts: dict[str, Cuts] = {}
        self.apart = Apart(self.partitions, self.cuts) if apart else None
        models = () if apart else range(len(plan.models))
        self.populations = [Population(self.partitions, m) for m in models]
        self.steps = [0] * partitions
        self._digests = [Digest() for _ in range(partitions)]
        self._undigested: list[list[RawEffects]] = [[] for _ in range(partitions)]
        self._queues: list[deque[_Queued]] = [deque() for _ in range(partitions)]
        self._next_due: dict[int, tuple[int, int, int]] = {}  # trigger: looked at from, to, due minute or 0
        self._supposed: dict[int, int] = {}  # trigger: due minute in place of its schedule's
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
        """After a snapshot: read the populations whole; what has changed is read anew at the next opening."""
        for population in self.populations:
            population.read(ALL)
        if self.apart is not None:
            self.apart.restore()

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
            opening = self._opening_cuts(minute)
            records = {number: head.batch.cuts[head.done] for number, head in opening.items()}
            self._advance_before(max(minute, self.clock), mode, resumes, records)
            for number, head in opening.items():
                self._pass(number, head)
            for number, queue in enumerate(self._queues):
                self._apply_minute(number, queue)
        self._drain_all()

    def advance(self, minute: int, mode: int = LIVE) -> None:
        """Move every partition to a minute without records (a tick)."""
        self._advance_before(minute, mode)
        self._drain_all()

    def let_fall_due(self, trigger: int, minute: int) -> None:
        """Let a schedule trigger fall due at a minute, and not when its schedule says."""
        self._supposed[trigger] = minute

    def _opening_cuts(self, minute: int) -> dict[int, _Queued]:
        """Return, by partition, the queues' heads that are cuts records and open a minute."""
        if self.apart is None or minute <= self.clock:
            return {}
        heads = {number: queue[0] for number, queue in enumerate(self._queues) if queue}
        return {
            number: head
            for number, head in heads.items()
            if head.done in head.batch.cuts and int(head.batch.minute[head.done]) == minute
        }

    def _pass(self, number: int, head: _Queued) -> None:
        self.partitions[number].pass_record(head.step, int(head.batch.mode[head.done]))
        head.done += 1

    def _apply_minute(self, number: int, queue: deque[_Queued]) -> None:
        """Apply a partition's queued records of the minutes up to the clock."""
        partition = self.partitions[number]
        while queue:
            head = queue[0]
            partition.bind(head.batch)
            while head.done < len(head.batch):
                end = len(head.batch) if self.apart is None else head.batch.next_cuts(head.done)
                if head.done < end:
                    head.done = partition.apply(head.done, end, head.first_step)
                    if partition.effects_are_full():
                        self.drain(number)
                        continue
                    if head.done == len(head.batch):
                        break
                if int(head.batch.minute[head.done]) > partition.clock:
                    return
                partition.set_mode(int(head.batch.mode[head.done]))
                if head.done == end:
                    self._apply_cuts(number, head)
            queue.popleft()

    def _apply_cuts(self, number: int, head: _Queued) -> None:
        """Apply a cuts record that comes amid the records of a minute: judge whom it scores otherwise."""
        assert self.apart is not None
        record = head.batch.cuts[head.done]
        self._pass(number, head)
        if self.apart.put_in_force(number, record):
            while not self.partitions[number].rescore():
                self.drain(number)

    def _advance_before(
        self, minute: int, mode: int, resumes: bool = False, records: Mapping[int, CutsRecord] = NO_RECORDS
    ) -> None:
        """Bring every partition to a record's minute, in that record's mode (T2, T5).

        resumes: the record says that the process was stopped, so the clock may jump; records: by partition
        the cuts records that open the minute.
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
        self._advance(minute, mode, records)

    def _imported_last(self) -> bool:
        """Whether the last minute with records had imported ones (T5), in whatever partition."""
        imported = max([partition.memory.scalar("last_import") for partition in self.partitions])
        if imported <= 0:
            return False
        return imported >= max([partition.memory.scalar("last_live") for partition in self.partitions])

    def _advance(self, target: int, mode: int, records: Mapping[int, CutsRecord] = NO_RECORDS) -> None:
        for partition in self.partitions:
            partition.set_mode(mode)
        following = self.clock
        if target <= following:
            return
        self._set_schedules(following, target, mode)
        while following < target:
            following = min([partition.peek(target) for partition in self.partitions])
            if records:  # the target is opened, whether or not anything else falls due there
                following = min(following, target)
            self._skip_to(following - 1)
            if following <= target:
                self._open(following, records if following == target else NO_RECORDS)

    def _skip_to(self, minute: int) -> None:
        """Move the clock over minutes that change nothing."""
        skips = minute > self.clock
        for number, partition in enumerate(self.partitions):
            partition.skip_to(minute)
            if skips and self.apart is not None:
                self.apart.tell(number, minute)

    def _open(self, minute: int, records: Mapping[int, CutsRecord]) -> None:
        """Open one minute everywhere: advance(minute) of semantics T3."""
        if minute <= self.clock:
            raise EngineError(f"minute {minute} falls due, but the clock stands at {self.clock}")
        for partition in self.partitions:
            partition.open_minute(minute)
        for population in self.populations:
            taken = take(population, minute)
            if taken is not None:
                self.cuts[taken.model] = taken
        for number, partition in enumerate(self.partitions):
            if self.apart is not None:
                self.apart.open(number, minute, records.get(number))
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
        if trigger in self._supposed:
            due = self._supposed[trigger]
            return due if clock < due <= target else 0
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
