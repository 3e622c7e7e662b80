"""Reading a partition: metrics, scores and tags of its customers, as columns or for one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.partition import Partition
from engine.state import WORD
from profiles.metrics import AVG, COUNT, DISTINCT, FIRST, LAST, NAMES, SLOTS, SUM, TALLIES
from rules.metric import MetricSpec

DAY = 1440
Ints = NDArray[np.int64]


def customer_ids(partition: Partition) -> list[str]:
    """Return the ids of all customers, 32 hex digits, by number."""
    return [one.hex() for one in partition.ids(np.arange(partition.customers))]


def accumulators(partition: Partition, m: int, who: NDArray[Any] | slice) -> tuple[Ints, Ints]:
    """Return metric m's slot and tally of some customers, int64; zeros where its function keeps none."""
    function = int(partition.plan.columns["metric_function"][m])
    found = []
    for name, kept in (("slot", SLOTS[function]), ("tally", TALLIES[function])):
        held = partition.per_customer(name if kept else "customer_low")[who]
        at = partition.plan.columns[f"metric_{name}"][m]
        found.append(held[:, at].astype(np.int64) if kept else np.zeros(len(held), dtype=np.int64))
    return found[0], found[1]


def metric_series(partition: Partition, spec: MetricSpec) -> pd.Series[Any]:
    """Return one metric of every customer: Int64, text, or for avg the pair (sum, count); null is None."""
    plan = partition.plan
    m = plan.metric.number[spec]
    function = NAMES.index(spec.function)
    sums, counts = accumulators(partition, m, slice(None))
    if function == SUM:
        return pd.Series(sums, dtype="Int64")
    if function in (COUNT, DISTINCT):
        return pd.Series(counts, dtype="Int64")
    if function == AVG:
        pairs = [(int(a), int(b)) if b else None for a, b in zip(sums, counts, strict=True)]
        return pd.Series(pairs, dtype="object")
    values, known = sums, counts > 0
    if function in (FIRST, LAST):
        rows = np.maximum(counts - 1, 0)
        place = int(plan.columns["metric_value"][m])
        width = partition.memory.dimensions["row_values"]
        values = (
            partition.memory["row_minute"][rows]
            if place < 0
            else partition.memory.row_values[rows * width + place]
        )
    if m in plan.texts:
        texts = [
            partition.texts[v] if k else None for v, k in zip(values.tolist(), known.tolist(), strict=True)
        ]
        return pd.Series(texts, dtype="object")
    return pd.Series(values.astype(np.int64), dtype="Int64").mask(~known)


def frames(partition: Partition, specs: Mapping[str, MetricSpec]) -> dict[str, pd.DataFrame]:
    """Return ``metrics`` (the columns asked for), ``rfm MODEL`` of each model, ``truth`` and ``member``.

    The index is the customer ids; shapes as in `reference.recompute.Recomputed`.
    """
    ids = pd.Index(customer_ids(partition), dtype="object", name="customer")
    found = {"metrics": pd.DataFrame({name: metric_series(partition, spec) for name, spec in specs.items()})}
    for model, plan in enumerate(partition.plan.models):
        found[f"rfm {plan.model.name}"] = _rfm_frame(partition, model)
    for name in ("truth", "member"):
        found[name] = pd.DataFrame(
            {tag: tag_bits(partition, name, tag) for tag in partition.plan.tag.names}, index=range(len(ids))
        )
    here = partition.per_customer("customer_gone") == 0  # who is erased has no profile (P7)
    return {
        name: frame.reindex(range(len(ids))).set_axis(ids, axis=0)[here] for name, frame in found.items()
    }


def tag_bits(partition: Partition, column: str, tag: str) -> Any:
    """Return one tag's bit (of ``truth`` or ``member``) of every customer, as booleans."""
    number = partition.plan.tag.number[tag]
    return (partition.per_customer(column)[:, number // WORD] >> (number % WORD) & 1).astype(bool)


def _rfm_frame(partition: Partition, model: int) -> pd.DataFrame:
    declared = partition.plan.models[model].model
    recent = partition.per_customer("recent")[:, model].astype(np.int64)
    inside = recent >= 0
    recency = partition.clock - recent
    if declared.recency_unit == "day":
        recency = recency // DAY
    r, f, m = (partition.per_customer(f"score_{letter}")[:, model].astype(np.int64) for letter in "rfm")
    scored = r > 0
    segments = partition.plan.segments[model]
    names = [segments[i] if i >= 0 else None for i in partition.per_customer("segment")[:, model].tolist()]
    values = {
        "recency": (recency, inside), "frequency": (partition.per_customer("frequency")[:, model], inside),
        "monetary": (partition.per_customer("monetary")[:, model], inside),
        "r": (r, scored), "f": (f, scored), "m": (m, scored), "score": (100 * r + 10 * f + m, scored),
    }  # fmt: skip
    columns: dict[str, Any] = {
        name: pd.Series(v, dtype="Int64").mask(~known) for name, (v, known) in values.items()
    }
    columns["segment"] = pd.Series(names, dtype="object")
    columns["member"] = inside
    return pd.DataFrame(columns)


def merged(parts: list[dict[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    """Return the frames of several partitions as one."""
    return {name: pd.concat([part[name] for part in parts]) for name in parts[0]}
