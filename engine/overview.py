"""The shop as a whole: the RFM grid, the cut points in force, how many hold a segment or a tag."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.engine import Engine
from engine.memory import Array
from engine.partition import Partition
from engine.readout import tag_bits
from rfm.scores import CUTS, FIXED_DAYS, FIXED_MINUTES, QUANTILE_DAYS, STANDS

DAY = 1440
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class CutPoints:
    """The cut points in force, each measure's in rising order.

    minute: the opening they were taken at, None where they are given (method fixed); recency: the least
    recency, in the model's unit, that scores lower; frequency and monetary (minor units): the least value
    that scores higher.
    """

    minute: int | None
    recency: list[int]
    frequency: list[int]
    monetary: list[int]


def grid(engine: Engine, model: int) -> tuple[Counts, Counts]:
    """Return customers and their monetary value (minor units) by [r - 1, f - 1], int64 (bins r, bins f)."""
    columns = engine.plan.columns
    shape = int(columns["model_bins_r"][model]), int(columns["model_bins_f"][model])
    customers, money = np.zeros((2, *shape), dtype=np.int64)
    for partition in engine.partitions:
        r, f = (partition.per_customer(f"score_{letter}")[:, model].astype(np.int64) for letter in "rf")
        scored = r > 0
        cell = (r[scored] - 1, f[scored] - 1)
        np.add.at(customers, cell, 1)
        np.add.at(money, cell, partition.per_customer("monetary")[:, model][scored])
    return customers, money


def segment_sizes(engine: Engine, model: int) -> list[tuple[str, int, int]]:
    """Return (segment, customers, monetary in minor units) of every segment of a model, in its order."""
    names = engine.plan.segments[model]
    customers, money = np.zeros((2, len(names)), dtype=np.int64)
    for partition in engine.partitions:
        segment = partition.per_customer("segment")[:, model].astype(np.int64)
        inside = segment >= 0
        np.add.at(customers, segment[inside], 1)
        np.add.at(money, segment[inside], partition.per_customer("monetary")[:, model][inside])
    return list(zip(names, customers.tolist(), money.tolist(), strict=True))


def tag_sizes(engine: Engine) -> dict[str, int]:
    """Return how many customers hold each tag."""
    return {
        tag: sum(int(tag_bits(partition, "member", tag).sum()) for partition in engine.partitions)
        for tag in engine.plan.tag.names
    }


def cut_points(engine: Engine, model: int) -> CutPoints | None:
    """Return the cut points in force, or None before the first were taken (R3, R4, R5)."""
    partition = engine.partitions[0]  # every partition has the same
    if not partition.memory["cuts_known"][model]:
        return None
    columns, first = engine.plan.columns, model * CUTS
    frequency, monetary = (
        partition.memory[f"cut_{letter}"][first : first + int(columns[f"model_bins_{letter}"][model]) - 1]
        for letter in "fm"
    )
    cuts = range(int(columns["model_bins_r"][model]) - 1)
    declared = engine.plan.models[model].model
    taken = engine.cuts.get(declared.name)
    return CutPoints(
        None if taken is None or declared.method == "fixed" else taken.minute,
        [_recency_cut(partition, columns, model, first + i) for i in cuts],
        frequency.tolist(), monetary.tolist(),
    )  # fmt: skip


def _recency_cut(partition: Partition, columns: dict[str, Array], model: int, at: int) -> int:
    """Return the least recency that exceeds a cut, in the model's unit (the kernel: `rfm.scores.reach`)."""
    memory, how, clock = partition.memory, int(columns["model_reach"][model]), partition.clock
    if how == STANDS:
        return clock - int(memory["cut_r"][at])
    if how in (FIXED_MINUTES, FIXED_DAYS):
        return int(memory["cut_r"][at]) + 1
    if how == QUANTILE_DAYS:
        bins, part = int(columns["model_bins_r"][model]), int(memory["cut_r_part"][at])
        taken = int(memory["cuts_minute"][model]) or clock
        below, above = ((taken - int(memory[f"cut_r_{end}"][at])) // DAY for end in ("low", "high"))
        return (below * (bins - part) + above * part) // bins + 1
    return -(-int(memory["days_total"][model]) // int(memory["days_size"][model]))
