"""Whether cuts records are true: the numbers of their minute over all partitions (semantics R5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference.history import History
from reference.scores import DAY, measured
from rfm.model import RfmModel


@dataclass(frozen=True)
class WrongRecord:
    """A record of a partition whose numbers of a model are not those of its minute, as the body has them."""

    partition: int
    minute: int
    model: str
    said: dict[str, Any]
    recomputed: dict[str, Any]


def record_minutes(history: History) -> list[int]:
    """Return the minutes that the log's cuts records name, ascending."""
    return sorted({body["minute"] for _, _, body in history.records.said})


def wrong_records(history: History, minutes: Iterable[int] | None = None) -> list[WrongRecord]:
    """Return the records whose numbers differ from those of all partitions' states at the opening of the
    minute that they name; ``minutes``: only records that name one of these."""
    wanted = set(record_minutes(history) if minutes is None else minutes)
    known: dict[tuple[int, str], dict[str, Any]] = {}
    found = []
    for partition, _, body in history.records.said:
        minute = body["minute"]
        for model in history.records.models if minute in wanted else ():
            said = body["models"].get(model.name)
            if said is None or said["version"] != model.version:
                continue
            if (minute, model.name) not in known:
                known[minute, model.name] = numbers_at(history, model, minute)
            if said != known[minute, model.name]:
                found.append(WrongRecord(partition, minute, model.name, said, known[minute, model.name]))
    return found


def numbers_at(history: History, model: RfmModel, minute: int) -> dict[str, Any]:
    """Return what a record of a minute says of a model: ``version``, ``size``, and of somebody's population
    the neighbours of each cut with its part of the way (R3), or the exact sums (R4)."""
    population = measured(history.at_opening(minute), model)
    inside = np.flatnonzero(population.present)
    last, orders, money = (
        sorted(values[inside].tolist()) for values in (population.latest, population.orders, population.money)
    )
    out: dict[str, Any] = {"version": model.version, "size": len(last)}
    if not last:
        return out
    if model.method == "quantiles":
        measures = {"recency": last[::-1], "frequency": orders, "monetary": money}
        return out | {name: _neighbours(values, model.bins) for name, values in measures.items()}
    out["sums"] = [sum(last), sum(orders), sum(money)]
    if model.recency_unit == "day":
        rests, counts = np.unique(np.array(last) % DAY, return_counts=True)
        out["residues"] = [number for pair in zip(rests, counts, strict=True) for number in map(int, pair)]
    return out


def _neighbours(values: list[int], bins: int) -> list[list[int]]:
    found = []
    for i in range(1, bins):
        k, part = divmod((len(values) - 1) * i, bins)
        found.append([values[k], values[min(k + 1, len(values) - 1)], part])
    return found
