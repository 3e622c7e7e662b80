"""The population of some partitions under one RFM model, sorted and kept between openings (semantics R5)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine import kernel
from engine.memory import zeros
from engine.partition import Partition
from rfm.numbers import CutNumbers, numbers_of
from rfm.scores import FREQUENCY, MONETARY, PACK, RECENCY

Values = NDArray[np.int64]
ALL = RECENCY | FREQUENCY | MONETARY


class Population:
    """The sorted values of one model's population, kept between openings; what changed is sorted anew.

    ``recent``: for each partition minute x 2^31 + customer; ``frequency``, ``monetary``: of all together.
    """

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

    def take_changed(self) -> int:
        """Return the bits of measures that changed in any partition since the last time."""
        bits = 0
        for partition in self.partitions:
            bits |= int(partition.memory["population_changed"][self.model])
        if bits:
            for partition in self.partitions:
                partition.memory["population_changed"][self.model] = 0
        return bits

    def somebody_kept(self) -> bool:
        """Whether anybody was in the population at the last `keep_recent`."""
        firsts = [partition.memory["sorted_first"] for partition in self.partitions]
        return any(first[self.model + 1] > first[self.model] for first in firsts)

    def read(self, changed: int) -> None:
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

    def keep_recent(self) -> None:
        """Give each partition its own sorted last orders: who is crossed by a moving cut is found there.

        Everybody's recency is looked at again, because places in the order as it was are void.
        """
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
            partition.memory["rescore_all"][self.model] |= RECENCY

    def numbers(self) -> CutNumbers:
        """Return what the values give the model, of all partitions together."""
        if len(self.recent) == 1:
            recent, pack = self.recent[0], PACK
        else:
            recent, pack = np.sort(np.concatenate([recent >> 31 for recent in self.recent])), 1
        return numbers_of(self.declared, recent, self.frequency, self.monetary, pack)

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


def _merged(sorted_parts: list[Values]) -> Values:
    """Return the values of all partitions in order."""
    return sorted_parts[0] if len(sorted_parts) == 1 else np.sort(np.concatenate(sorted_parts))
