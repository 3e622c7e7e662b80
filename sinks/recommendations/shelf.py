"""A model and its catalogue, and what follows from them alone, whoever is asked for: it is made once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from profiles.windows import parse_length
from sinks.recommendations.customer import Touch
from sinks.recommendations.declaration import Interest, Rules
from sinks.recommendations.interest import interest
from sinks.recommendations.model import Facts, Model
from sinks.recommendations.words import Kept, Why, described, reason

UNKNOWN = -1
Floats = NDArray[np.float64]
Places = NDArray[np.intp]


class _Room(threading.local):
    """What each thread adds up in: a place for each item and, the last, for -1; empty between questions."""

    def __init__(self, items: int) -> None:
        self.sums, self.is_asked = np.zeros(items + 1), np.zeros(items + 1, np.bool_)


@dataclass
class Shelf:
    """category: of each item as in ``facts``, where one number is read faster; described, reasons:
    what `described` and `reason` return of this model and catalogue."""

    model: Model
    facts: Facts
    interests: Sequence[Interest]
    category: Sequence[int] = field(init=False)
    described: Kept[int] = field(init=False)
    reasons: Kept[Why] = field(init=False)
    _passing: dict[str, NDArray[np.bool_]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.category = self.facts.category.tolist()
        self._weights = np.array([one.weight for one in self.interests], np.float64)
        self._half_lives = np.array([parse_length(one.half_life) for one in self.interests], np.float64)
        self._room = _Room(len(self.model.items))
        self.described = Kept(partial(described, self.model, self.facts))
        self.reasons = Kept(partial(reason, self.model, self.facts))

    def passing(self, name: str, rules: Rules) -> NDArray[np.bool_]:
        """Return which items a slot may hold, bool of shape (items,)."""
        if name not in self._passing:
            self._passing[name] = _passing(self.facts, rules)
        return self._passing[name]

    def numbers(self, touches: Sequence[Touch]) -> list[int]:
        """Return the number of each touch's item, `UNKNOWN` where the model does not know it."""
        number = self.model.number.get
        return [number(one.item, UNKNOWN) for one in touches]

    def felt(self, touches: Sequence[Touch], clock: int) -> Floats:
        """Return how much each touch says at a minute."""
        kinds = np.array([one.kind for one in touches], np.intp)
        times = np.array([one.times for one in touches], np.float64)
        ages = clock - np.array([one.last for one in touches], np.int64)
        return interest(self._weights.take(kinds), times, ages, self._half_lives.take(kinds))

    def summed(self, numbers: Places, amounts: Floats) -> Floats:
        """Return at each place the sum of all amounts of its number; numbers may be -1."""
        room = self._room.sums
        np.add.at(room, numbers, amounts)
        sums: Floats = room.take(numbers)
        room[numbers] = 0.0
        return sums

    def strongest(self, asked: Sequence[int], numbers: Places, amounts: Floats) -> list[int]:
        """Return of each number that is asked for the place of its greatest amount, of equal ones the first;
        each is among the numbers."""
        is_asked = self._room.is_asked
        is_asked[asked] = True
        places = np.flatnonzero(is_asked.take(numbers))
        is_asked[asked] = False
        best: dict[int, tuple[float, int]] = {}
        of, much = numbers.take(places).tolist(), amounts.take(places).tolist()
        for number, amount, place in zip(of, much, places.tolist(), strict=True):
            if number not in best or amount > best[number][0]:
                best[number] = amount, place
        return [best[number][1] for number in asked]


def _passing(facts: Facts, rules: Rules) -> NDArray[np.bool_]:
    passing = facts.listed.copy()
    if rules.in_stock:
        passing &= facts.stock > 0
    if rules.min_margin is not None:
        passing &= facts.margin >= rules.min_margin * 100
    for names, wanted in ((rules.categories, True), (rules.not_categories, False)):
        if names:
            numbers = [at for at, one in enumerate(facts.categories) if one in names]
            passing &= np.isin(facts.category, numbers) == wanted
    return passing
