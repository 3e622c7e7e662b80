"""Taking cut points: the population of all partitions, its cut points, and putting them in force (R5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine import kernel
from engine.memory import zeros
from engine.partition import Partition
from rfm import cuts as law
from rfm.scores import CUTS, DAY, FREQUENCY, MONETARY, PACK, RECENCY

Values = NDArray[np.int64]
MEASURE = {"cut_f": FREQUENCY, "cut_m": MONETARY}


@dataclass(frozen=True)
class Cuts:
    """Cut points of one model as its record names them: the opened minute, the population's size, and for
    each measure the order statistics (quantiles) or the exact sums (mean)."""

    model: str
    minute: int
    size: int
    recency: tuple[tuple[int, int, int], ...]  # (minute below, minute above, part) of recency's x[k], x[k+1]
    frequency: tuple[int, ...]  # least value that exceeds each cut
    monetary: tuple[int, ...]


class Population:
    """The sorted values of one model's population, kept between openings; what changed is sorted anew."""

    def __init__(self, partitions: list[Partition], model: int) -> None:
        self.partitions = partitions
        self.model = model
        self.declared = partitions[0].plan.models[model].model
        # two sets of memory for each partition's three measures: the values in force, and those read next
        self._spare = [[np.zeros(0, dtype=np.int64)] * 3 for _ in partitions]
        self._held = [[np.zeros(0, dtype=np.int64)] * 3 for _ in partitions]
        self.recent: list[Values] = [np.zeros(0, dtype=np.int64) for _ in partitions]
        self.frequency = np.zeros(0, dtype=np.int64)
        self.monetary = np.zeros(0, dtype=np.int64)

    def changed(self) -> int:
        """Return the bits of measures that changed in any partition since the last time."""
        bits = 0
        for partition in self.partitions:
            bits |= int(partition.memory["population_changed"][self.model])
        return bits

    def take(self, minute: int) -> Cuts | None:
        """Take cut points at the opening of ``minute`` if anything changed, and put them in force.

        Returns None when nothing changed, or nobody is in the population (then those in force stay).
        """
        changed = self.changed()
        if not changed:
            return None
        held = self._somebody_held()
        for partition in self.partitions:
            partition.memory["population_changed"][self.model] = 0
        self._read(changed)
        self._keep_recent()
        if len(self.frequency) == 0:
            self._stay(minute - 1 if held else None)
            return None
        return self._put_in_force(minute)

    def _somebody_held(self) -> bool:
        """Whether anybody was in the population at the last opening that changed it."""
        firsts = [partition.memory["sorted_first"] for partition in self.partitions]
        return any(first[self.model + 1] > first[self.model] for first in firsts)

    def _stay(self, last: int | None) -> None:
        """Nobody is in the population: the cut points of opening ``last`` stay, whole days too (None: they
        stay already). Everybody is looked at, because stored places in the sorted population are void."""
        for partition in self.partitions:
            memory = partition.memory
            memory["rescore_all"][self.model] |= RECENCY
            if last is not None and memory["cuts_known"][self.model]:
                memory["cuts_minute"][self.model] = last
                memory["days_total"][self.model] -= memory["days_residue"][
                    self.model * DAY + (last + 1) % DAY
                ]

    def restore(self) -> None:
        """Read all measures after a snapshot; those that have changed are read again at the next opening."""
        self._read(1 | 2 | 4)

    def _read(self, changed: int) -> None:
        """Read and sort the measures that changed (bits: 1 recency, 2 frequency, 4 monetary)."""
        read = [self._collect(number) for number in range(len(self.partitions))]
        for place, bit in enumerate((RECENCY, FREQUENCY, MONETARY)):
            if changed & bit:
                for number, values in enumerate(read):
                    self._swap(number, place)
                    values[place].sort()
        if changed & RECENCY:
            self.recent = [values[0] for values in read]
        if changed & FREQUENCY:
            self.frequency = _merged([values[1] for values in read])
        if changed & MONETARY:
            self.monetary = _merged([values[2] for values in read])

    def _collect(self, number: int) -> list[Values]:
        """Return a partition's values, unsorted, in memory that the next opening does not need."""
        partition = self.partitions[number]
        for place, name in enumerate(("recent", "frequency", "monetary")):
            if len(self._spare[number][place]) < partition.customers:
                room = partition.memory.capacity["customer"]
                self._spare[number][place] = zeros(8 * room).view(np.int64)
            partition.memory.bind(f"gathered_{name}", self._spare[number][place])
        size = int(kernel.collect(partition.memory.handle, self.model))
        return [values[:size] for values in self._spare[number]]

    def _swap(self, number: int, place: int) -> None:
        """Keep the values just collected, and use the memory of the former ones next time."""
        spare, held = self._spare[number], self._held[number]
        spare[place], held[place] = held[place], spare[place]

    def _keep_recent(self) -> None:
        """Give each partition its own sorted last orders: who is crossed by a moving cut is found there."""
        for partition, recent in zip(self.partitions, self.recent, strict=True):
            models = len(partition.plan.models)
            if models == 1:
                partition.memory.bind("sorted_recent", recent)
            else:
                firsts = partition.memory["sorted_first"]
                old = partition.memory["sorted_recent"]
                parts = [old[firsts[m] : firsts[m + 1]] for m in range(models)]
                parts[self.model] = recent
                partition.memory.bind("sorted_recent", np.concatenate(parts))
            sizes = partition.memory["sorted_first"]
            shift = len(recent) - int(sizes[self.model + 1] - sizes[self.model])
            sizes[self.model + 1 :] += shift

    def _put_in_force(self, minute: int) -> Cuts:
        method = self.declared.method
        for partition in self.partitions:
            first = not partition.memory["cuts_known"][self.model]
            partition.memory["rescore_all"][self.model] = RECENCY | FREQUENCY | MONETARY if first else RECENCY
            partition.memory["cuts_known"][self.model] = 1
            partition.memory["cuts_minute"][self.model] = 0
        if method == "quantiles":
            return self._quantiles(minute)
        if method == "mean":
            return self._means(minute)
        return Cuts(self.declared.name, minute, len(self.frequency), (), (), ())

    def _quantiles(self, minute: int) -> Cuts:
        bins = self.declared.bins
        statistics = self._recency_statistics()
        frequency = law.exceeding(law.order_statistics(self.frequency, bins), bins)
        monetary = law.exceeding(law.order_statistics(self.monetary, bins), bins)
        for partition in self.partitions:
            self._set(partition, "cut_r", law.reaching(statistics, bins))
            self._set(partition, "cut_r_low", [c.below for c in statistics])
            self._set(partition, "cut_r_high", [c.above for c in statistics])
            self._set(partition, "cut_r_part", [c.part for c in statistics])
            self._set(partition, "cut_f", frequency)
            self._set(partition, "cut_m", monetary)
        shown = tuple((c.below, c.above, c.part) for c in statistics)
        return Cuts(self.declared.name, minute, len(self.frequency), shown, tuple(frequency), tuple(monetary))

    def _means(self, minute: int) -> Cuts:
        recent = self._all_recent()
        size = len(recent)
        frequency, monetary = law.above_mean(self.frequency), law.above_mean(self.monetary)
        days = int(((minute - recent) // DAY).sum())
        residues = np.bincount(recent % DAY, minlength=DAY).astype(np.int32)
        reach = law.total(recent) // size  # low recency: m N <= sum of m
        for partition in self.partitions:
            self._set(partition, "cut_r", [reach])
            self._set(partition, "cut_f", [frequency])
            self._set(partition, "cut_m", [monetary])
            partition.memory["days_total"][self.model] = days
            partition.memory["days_size"][self.model] = size
            partition.memory["days_residue"][self.model * DAY : (self.model + 1) * DAY] = residues
        return Cuts(
            self.declared.name, minute, size, ((law.total(recent), size, 0),), (frequency,), (monetary,)
        )

    def _recency_statistics(self) -> list[law.OrderStatistic]:
        """Return recency's cuts as minutes of the last order; recency ascends from the latest order."""
        if len(self.recent) > 1:
            return law.order_statistics(self._all_recent()[::-1], self.declared.bins)
        packed = law.order_statistics(self.recent[0][::-1], self.declared.bins)
        return [law.OrderStatistic(c.below // PACK, c.above // PACK, c.part) for c in packed]

    def _all_recent(self) -> Values:
        """Return the minutes of everybody's last order, ascending."""
        if len(self.recent) == 1:
            return self.recent[0] >> 31
        return np.sort(np.concatenate([recent >> 31 for recent in self.recent]))

    def _set(self, partition: Partition, name: str, values: list[int]) -> None:
        """Put cuts in force; scores are looked at again only where a cut has moved."""
        held = partition.memory[name][self.model * CUTS : self.model * CUTS + len(values)]
        if (held != values).any():
            held[:] = values
            partition.memory["rescore_all"][self.model] |= MEASURE.get(name, RECENCY)


def _merged(sorted_parts: list[Values]) -> Values:
    """Return the values of all partitions in order."""
    return sorted_parts[0] if len(sorted_parts) == 1 else np.sort(np.concatenate(sorted_parts))
