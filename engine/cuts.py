"""Taking cut points over all partitions of one process, where it is a whole shop's (semantics T3 (5), R5)."""

from __future__ import annotations

from dataclasses import dataclass

from engine.in_force import freeze, put_in_force
from engine.population import Population
from rfm.model import RfmModel
from rfm.numbers import CutNumbers


@dataclass(frozen=True)
class Cuts:
    """Cut points of one model as they are shown: the opened minute, the population's size, and for each
    measure the order statistics (quantiles) or the exact sums (mean)."""

    model: str
    minute: int
    size: int
    recency: tuple[tuple[int, int, int], ...]  # (minute below, minute above, part) of recency's x[k], x[k+1]
    frequency: tuple[int, ...]  # least value that exceeds each cut
    monetary: tuple[int, ...]


def shown(model: RfmModel, minute: int, numbers: CutNumbers) -> Cuts:
    """Return the cut points that the numbers of somebody's population at the opening of a minute give."""
    recency = tuple((cut.below, cut.above, cut.part) for cut in numbers.recency)
    if model.method == "mean":
        recency = ((numbers.sums[0], numbers.size, 0),)
    frequency, monetary = (tuple(numbers.least(measure)) for measure in ("frequency", "monetary"))
    return Cuts(model.name, minute, numbers.size, recency, frequency, monetary)


def take(population: Population, minute: int) -> Cuts | None:
    """Take cut points at the opening of ``minute`` if anything changed, and put them in force.

    Returns None when nothing changed, or nobody is in the population (then those in force stay).
    """
    changed = population.take_changed()
    if not changed:
        return None
    held = population.somebody_kept()
    population.read(changed)
    population.keep_recent()
    declared, size = population.declared, len(population.frequency)
    if size == 0:
        if held:
            for partition in population.partitions:
                freeze(partition, population.model, minute - 1)
        return None
    if declared.method == "fixed":
        return Cuts(declared.name, minute, size, (), (), ())
    numbers = population.numbers()
    for partition in population.partitions:
        put_in_force(partition, population.model, numbers)
    return shown(declared, minute, numbers)
