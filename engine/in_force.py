"""Putting a model's cut points in force in one partition (semantics R3 to R5)."""

from __future__ import annotations

from engine.partition import Partition
from engine.population import ALL
from rfm.numbers import CutNumbers
from rfm.scores import CUTS, DAY, FREQUENCY, MEAN_DAYS, MONETARY, RECENCY

MEASURE = {"cut_f": FREQUENCY, "cut_m": MONETARY}


def put_in_force(partition: Partition, model: int, numbers: CutNumbers) -> None:
    """Score by the numbers of somebody's population from now on; recency in days goes on with the clock.

    Scores are looked at again only where a cut has moved.
    """
    memory = partition.memory
    if not memory["cuts_known"][model]:
        memory["cuts_known"][model] = 1
        memory["rescore_all"][model] = ALL
    if memory["cuts_minute"][model]:
        memory["cuts_minute"][model] = 0
        memory["rescore_all"][model] |= RECENCY
    _set(partition, model, "cut_r", numbers.reach())
    _set(partition, model, "cut_r_low", [cut.below for cut in numbers.recency])
    _set(partition, model, "cut_r_high", [cut.above for cut in numbers.recency])
    _set(partition, model, "cut_r_part", [cut.part for cut in numbers.recency])
    _set(partition, model, "cut_f", numbers.least("frequency"))
    _set(partition, model, "cut_m", numbers.least("monetary"))
    if int(partition.plan.columns["model_reach"][model]) == MEAN_DAYS:
        _set_days(partition, model, numbers)


def _set_days(partition: Partition, model: int, numbers: CutNumbers) -> None:
    memory, days = partition.memory, numbers.days_at(partition.clock)
    if (memory["days_total"][model], memory["days_size"][model]) != (days, numbers.size):
        memory["rescore_all"][model] |= RECENCY
    memory["days_total"][model] = days
    memory["days_size"][model] = numbers.size
    memory["days_residue"][model * DAY : (model + 1) * DAY] = numbers.residues


def freeze(partition: Partition, model: int, minute: int) -> None:
    """Nobody is in the population: the cut points in force stay as they were at ``minute``, not after the
    clock, whole days too."""
    memory = partition.memory
    if not memory["cuts_known"][model]:
        return
    memory["cuts_minute"][model] = minute
    memory["rescore_all"][model] |= RECENCY
    residues = memory["days_residue"][model * DAY : (model + 1) * DAY]
    days, rest = divmod(partition.clock - minute, DAY)
    since = [(minute + 1 + k) % DAY for k in range(rest)]
    memory["days_total"][model] -= days * int(residues.sum()) + int(residues[since].sum())


def _set(partition: Partition, model: int, name: str, values: list[int]) -> None:
    held = partition.memory[name][model * CUTS : model * CUTS + len(values)]
    if (held != values).any():
        held[:] = values
        partition.memory["rescore_all"][model] |= MEASURE.get(name, RECENCY)
