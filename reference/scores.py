"""R, F, M, scores and segments of all customers at a minute (semantics R1 to R5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reference.cuts import CutPoints, forward_score, recency_score, segment_of
from reference.metrics import Standing
from rfm.model import RfmModel

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
DAY = 1440  # minutes


@dataclass(frozen=True)
class Population:
    """The three measures, one element a customer: ``present`` (bool) says who has a counted order (R2).

    ``latest``: event minute of the last counted order; ``orders``: their number; ``money``: minor units.
    All int64; meaningless where not present.
    """

    present: Bools
    latest: Ints
    orders: Ints
    money: Ints

    def recency(self, model: RfmModel, minute: int) -> Ints:
        """Return recency at ``minute`` in the model's unit: minutes, or whole days (R1)."""
        return since(model, minute, self.latest)


def since(model: RfmModel, minute: int, latest: Ints) -> Ints:
    """Return the recency at ``minute`` of orders last made at ``latest``, in the model's unit."""
    minutes = minute - latest
    return minutes // DAY if model.recency_unit == "day" else minutes


def measured(standing: Standing, model: RfmModel) -> Population:
    """Measure everybody at one moment."""
    terms = standing.pieces.terms[model.name]
    latest, absent = standing.values(terms.latest)
    money = np.zeros(len(latest), dtype=np.int64)
    for sign, measure in terms.money:
        before, term = money, standing.values(measure)[0]
        money = before + sign * term
        # a sum of two that has neither's sign has gone round
        if (((before ^ money) & ((sign * term) ^ money)) < 0).any():
            raise OverflowError(f"rfm model '{model.name}': monetary exceeds 64 bits: use a smaller scale")
    return Population(~absent, latest, standing.values(terms.orders)[0], money)


def scored(model: RfmModel, minute: int, who: Population, cuts: CutPoints | None) -> pd.DataFrame:
    """Return a row a customer: recency, frequency, monetary, r, f, m, score (Int64), segment, member.

    ``segment`` is text. All but ``member`` (bool) are null outside the population (R2); scores and segment
    are null as well while no cut points are in force (R3).
    """
    recency = who.recency(model, minute)
    out = pd.DataFrame({
        name: pd.Series(pd.arrays.IntegerArray(values, ~who.present))
        for name, values in (("recency", recency), ("frequency", who.orders), ("monetary", who.money))
    })  # fmt: skip
    known = who.present if cuts is not None else np.zeros_like(who.present)
    r = f = m = np.zeros(len(recency), dtype=np.int64)
    if cuts is not None:
        r = recency_score(model, cuts.recency, compared_recency(model, minute, who.latest, cuts))
        f, m = forward_score(cuts.frequency, who.orders), forward_score(cuts.monetary, who.money)
    for name, values in (("r", r), ("f", f), ("m", m), ("score", 100 * r + 10 * f + m)):
        out[name] = pd.arrays.IntegerArray(values, ~known)
    out["segment"] = pd.Series(_segments(model, known, r, f, m), dtype="string")
    out["member"] = who.present
    return out


def compared_recency(model: RfmModel, minute: int, latest: Ints, cuts: CutPoints) -> Ints:
    """Return the recency that is compared with the cuts.

    In minutes the cuts are held as order minutes (R3): what counts is the recency as of the cuts' minute.
    """
    if model.recency_unit == "minute" and cuts.minute is not None:
        return since(model, cuts.minute, latest)
    return since(model, minute, latest)


def _segments(model: RfmModel, known: Bools, r: Ints, f: Ints, m: Ints) -> list[str | None]:
    names: dict[tuple[int, int, int], str] = {}
    out: list[str | None] = []
    for inside, *key in zip(known.tolist(), r.tolist(), f.tolist(), m.tolist(), strict=True):
        if not inside:
            out.append(None)
            continue
        scores = (key[0], key[1], key[2])
        if scores not in names:
            names[scores] = segment_of(model, *scores)
        out.append(names[scores])
    return out
