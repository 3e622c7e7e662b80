"""The shop as a whole: the RFM grid, the cut points in force, how many hold a segment or a tag."""

from __future__ import annotations

from collections.abc import Sequence
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


@dataclass(frozen=True)
class ModelOverview:
    """One RFM model. customers, money (in minor units): by [r - 1][f - 1]; segments: name, customers, money.
    """

    name: str
    customers: list[list[int]]
    money: list[list[int]]
    segments: list[tuple[str, int, int]]
    cuts: CutPoints | None


@dataclass(frozen=True)
class Overview:
    """The shop as a whole, or a part of its partitions. tags: how many hold each; models: in their order."""

    tags: dict[str, int]
    models: list[ModelOverview]


def overview(engine: Engine) -> Overview:
    """Return the overview of an engine's partitions."""
    models = []
    for number, plan in enumerate(engine.plan.models):
        customers, money = (counts.tolist() for counts in grid(engine, number))
        segments, cuts = segment_sizes(engine, number), cut_points(engine, number)
        models.append(ModelOverview(plan.model.name, customers, money, segments, cuts))
    return Overview(tag_sizes(engine), models)


def summed(parts: Sequence[Overview]) -> Overview:
    """Return the overview of all partitions from those of its parts, which have the same settings.

    Cut points are the oldest in force, none while some part has none.
    """
    tags = {tag: sum(one.tags[tag] for one in parts) for tag in parts[0].tags}
    return Overview(tags, [_summed(models) for models in zip(*(one.models for one in parts), strict=True)])


def _summed(models: Sequence[ModelOverview]) -> ModelOverview:
    first = models[0]
    customers = np.array([one.customers for one in models], dtype=np.int64).sum(axis=0)
    money = np.array([one.money for one in models], dtype=np.int64).sum(axis=0)
    segments = [
        (same[0][0], sum(one[1] for one in same), sum(one[2] for one in same))
        for same in zip(*(one.segments for one in models), strict=True)
    ]
    in_force = [one.cuts for one in models]
    cuts = None if None in in_force else min(filter(None, in_force), key=lambda one: one.minute or 0)
    return ModelOverview(first.name, customers.tolist(), money.tolist(), segments, cuts)
