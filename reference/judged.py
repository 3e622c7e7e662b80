"""Tags of all customers at one minute, as far as they follow from that minute alone (semantics G1, G2).

``sticky`` and ``max`` remember, so those tags, and all that rest on them, need `reference.replay`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import pandas as pd

from reference.evaluate import Value, customer_reader
from reference.measure import Measure
from reference.metrics import Standing
from reference.pieces import Pieces
from reference.units import members, units_in_order


@dataclass
class Everybody:
    """What rules see of every customer at one minute, customer by customer: a `CustomerView`.

    ``at``: the number of the customer looked at; ``member``: tag to one truth value a customer.
    """

    standing: Standing
    rfm_frames: Mapping[str, pd.DataFrame]
    at: int = 0
    member: dict[str, list[bool]] = field(default_factory=dict)
    _values: dict[object, list[Value]] = field(default_factory=dict)

    def measure(self, measure: Measure) -> Value:
        if measure not in self._values:
            values = _plain(self.standing.series(measure))
            if measure.function == "avg":
                values = [Fraction(*pair) if isinstance(pair, tuple) else None for pair in values]
            self._values[measure] = values
        return self._values[measure][self.at]

    def rfm(self, model: str, field: str) -> Value:
        if (model, field) not in self._values:
            self._values[model, field] = _plain(self.rfm_frames[model][field])
        return self._values[model, field][self.at]

    def tag(self, name: str) -> bool:
        return self.member[name][self.at]

    def look_at(self, number: int) -> Everybody:
        """Turn to the customer of that number."""
        self.at = number
        return self


def path_dependent(pieces: Pieces) -> set[str]:
    """Return the tags whose membership at a minute depends on what was before."""
    found: set[str] = set()
    for unit in units_in_order(pieces):
        own = any(pieces.tags[tag].sticky or pieces.tags[tag].max for tag in unit.tags)
        if own or any(pieces.tags_read_by(tag) & found for tag in unit.tags):
            found |= set(unit.tags)
    return found


def judge_everybody(
    pieces: Pieces, view: Everybody, ids: list[str], manual: Mapping[tuple[str, str], bool]
) -> dict[str, list[bool]]:
    """Judge all tags as far as the minute alone says; return tag to rule truth, one a customer.

    Memberships are left in ``view.member``; those that remember are absent there, and the truth of rules that
    read such tags is absent too.
    """
    remembering = path_dependent(pieces)
    truth: dict[str, list[bool]] = {}
    for unit in units_in_order(pieces):
        for tag in unit.tags:
            if not pieces.tags_read_by(tag) & remembering:
                truth[tag] = _truth(pieces, tag, view)
        if remembering.intersection(unit.tags):
            continue
        found: dict[str, list[bool]] = {tag: [] for tag in unit.tags}
        for number, customer in enumerate(ids):
            candidate = {tag: manual.get((customer, tag), truth[tag][number]) for tag in unit.tags}
            for tag, holds in members(unit, candidate).items():
                found[tag].append(holds)
        view.member |= found
    return truth


def _truth(pieces: Pieces, tag: str, view: Everybody) -> list[bool]:
    tree = pieces.rules.get(tag)
    if tree is None:
        return [False] * view.standing.customers
    read = customer_reader(tree, pieces)
    return [bool(read(view.look_at(number))) for number in range(view.standing.customers)]


def _plain(series: pd.Series[Any]) -> list[Any]:
    return [None if value is None or value is pd.NA else value for value in series.tolist()]
