"""Chooses the items of a slot for one customer: strategies in their order, under the slot's rules. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profiles.windows import parse_length
from sinks.recommendations.customer import RECENT, Customer, Touch
from sinks.recommendations.declaration import (
    AGAIN,
    BOUGHT,
    IN_SEGMENT,
    IN_TAG,
    POPULAR,
    SIMILAR,
    Interest,
    Personalised,
    Rules,
    Slot,
)
from sinks.recommendations.interest import interest
from sinks.recommendations.model import Facts, Model

_NONE = np.empty(0, np.int32)
_HALF, _LOW, _HIGHEST = 32, (1 << 32) - 1, (1 << 31) - 1
_PIECE = 64  # items that are looked at together


@dataclass(frozen=True)
class Whom:
    """A customer at a minute of the clock. segments, tags: that they have, as the profile says; clock: epoch
    minute."""

    customer: Customer
    segments: frozenset[str]
    tags: frozenset[str]
    clock: int


@dataclass(frozen=True)
class Chosen:
    """An item that was chosen. number: in the model; strategy: which chose it; because: of `similar` and
    `again` the touch that spoke for it most."""

    number: int
    strategy: str
    because: Touch | None = None


@dataclass
class Shelf:
    """A model and its catalogue, and of each slot what its rules let pass whoever it is for."""

    model: Model
    facts: Facts
    interests: Sequence[Interest]
    _passing: dict[str, NDArray[np.bool_]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._weights = np.array([one.weight for one in self.interests], np.float64)
        self._half_lives = np.array([parse_length(one.half_life) for one in self.interests], np.float64)

    def passing(self, name: str, rules: Rules) -> NDArray[np.bool_]:
        """Return which items a slot may hold, bool of shape (items,)."""
        if name not in self._passing:
            self._passing[name] = _passing(self.facts, rules)
        return self._passing[name]

    def felt(self, touches: Sequence[Touch], clock: int) -> NDArray[np.float64]:
        """Return how much each touch says at a minute."""
        kinds = [one.kind for one in touches]
        ages = np.array([clock - one.last for one in touches])
        times = np.array([one.times for one in touches])
        return interest(self._weights[kinds], times, ages, self._half_lives[kinds])


def may_personalise(asked: Personalised, whom: Whom) -> bool:
    """Say whether a slot may be personalised for a customer; a consent that is missing or over means no."""
    if asked.unless_tag is not None and asked.unless_tag in whom.tags:
        return False
    return asked.consent is None or any(
        one.name == asked.consent and (one.until is None or one.until > whom.clock)
        for one in whom.customer.consents
    )


def choose(shelf: Shelf, name: str, slot: Slot, whom: Whom, personalised: bool) -> list[Chosen]:
    """Return the items of a slot; fewer than it holds where its strategies and rules leave no more.

    personalised: False for what is popular with all, whatever is known of the customer.
    """
    allowed = shelf.passing(name, slot.rules)
    filled, most = _Filled(shelf.facts), slot.rules.max_per_category
    within = slot.rules.not_bought_within
    if personalised and within is not None:
        since, places = whom.clock - parse_length(within), shelf.model.number
        filled.leave_out(
            places[one.item] for one in whom.customer.touches
            if one.last > since and one.act == BOUGHT and one.item in places
        )  # fmt: skip
    found: list[Chosen] = []
    for strategy in slot.strategies if personalised else [POPULAR]:
        offer = _offer(shelf, strategy, whom)
        for place, number in _allowed(offer.numbers, allowed):
            if filled.take(number, most):
                found.append(Chosen(number, strategy, offer.because(place)))
                if len(found) == slot.count:
                    return found
    return found


@dataclass(frozen=True)
class _Offer:
    """What a strategy offers, best first; because: of a place in it the touch that spoke for what is there.
    """

    numbers: NDArray[np.int32]
    because: Callable[[int], Touch | None] = lambda _: None


def _allowed(numbers: NDArray[np.int32], allowed: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield place and number of those that are allowed; a slot is full long before the end of a long list."""
    for at in range(0, len(numbers), _PIECE):
        some = numbers[at : at + _PIECE]
        places = np.flatnonzero(allowed[some])
        yield from zip((places + at).tolist(), some[places].tolist(), strict=True)


class _Filled:
    """What a slot holds already, by item and category, and what it must not hold."""

    def __init__(self, facts: Facts) -> None:
        self._category = facts.category
        self._items: set[int] = set()
        self._of: dict[int, int] = {}

    def leave_out(self, numbers: Iterable[int]) -> None:
        """Take none of these in."""
        self._items.update(numbers)

    def take(self, number: int, most: int | None) -> bool:
        """Take an item in, unless it is there or its category has as many as it may; say whether."""
        category = int(self._category[number])
        full = most is not None and category >= 0 and self._of.get(category, 0) >= most
        if full or number in self._items:
            return False
        self._items.add(number)
        self._of[category] = self._of.get(category, 0) + 1
        return True


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


def _offer(shelf: Shelf, strategy: str, whom: Whom) -> _Offer:
    """Return what a strategy offers a customer."""
    if strategy == SIMILAR:
        return _similar(shelf, whom)
    if strategy == AGAIN:
        return _again(shelf, whom)
    is_theirs = (
        strategy == POPULAR
        or (strategy.startswith(IN_SEGMENT) and strategy.removeprefix(IN_SEGMENT) in whom.segments)
        or (strategy.startswith(IN_TAG) and strategy.removeprefix(IN_TAG) in whom.tags)
    )
    return _Offer(shelf.model.popular.get(strategy, _NONE) if is_theirs else _NONE)


def _similar(shelf: Shelf, whom: Whom) -> _Offer:
    """Sum up over a customer's newest items how near others are to them; equal ones in the order of ids."""
    model, number = shelf.model, shelf.model.number
    touches = whom.customer.touches[:RECENT]
    mine = np.array([number.get(one.item, -1) for one in touches], np.int64)
    if (mine < 0).any():  # the model does not know them
        touches = [one for one, at in zip(touches, mine.tolist(), strict=True) if at >= 0]
        mine = mine[mine >= 0]
    if not touches:
        return _Offer(_NONE)
    near = model.neighbours.take(mine, axis=0)
    speaks = model.scores.take(mine, axis=0) * shelf.felt(touches, whom.clock)[:, None]
    sums = _by_sum(near.ravel(), speaks.ravel())

    def because(place: int) -> Touch:
        return touches[sums.greatest(place) // int(near.shape[1])]

    return _Offer(sums.numbers, because)


@dataclass(frozen=True)
class _Sums:
    """Numbers, each once, by the sum of their amounts, the greatest first.

    amounts: as they were given; places: of these, by number; first, end: of each number's among these.
    """

    numbers: NDArray[np.int32]
    amounts: NDArray[np.float64]
    places: NDArray[np.int64]
    first: NDArray[np.int64]
    end: NDArray[np.int64]

    def greatest(self, at: int) -> int:
        """Return the place of the greatest amount of ``numbers[at]``, of equal ones the first."""
        some = self.places[self.first[at] : self.end[at]]
        return int(some[np.argmax(self.amounts[some])] if len(some) > 1 else some[0])


def _by_sum(numbers: NDArray[np.int32], amounts: NDArray[np.float64]) -> _Sums:
    """Return the numbers by the sum of their amounts (above 0); equal sums by number. Negative numbers are
    none. Keys of 64 bits are sorted, several times as fast as places by numbers or amounts.

    >>> sums = _by_sum(np.array([7, 3, -1, 3, 5], np.int32), np.array([2.0, 1.5, 9.0, 1.6, 2.0]))
    >>> sums.numbers.tolist(), [sums.greatest(at) for at in range(3)]
    ([3, 5, 7], [3, 4, 0])
    """
    keys = numbers.astype(np.int64)
    keys <<= _HALF
    keys |= np.arange(len(keys))
    keys.sort()
    if len(keys) and keys[0] < 0:
        keys = keys[keys.searchsorted(0) :]
    places, ascending = keys & _LOW, keys >> _HALF
    if not len(places):
        return _Sums(_NONE, amounts, places, places, places)
    first = np.concatenate(([0], np.flatnonzero(ascending[1:] != ascending[:-1]) + 1))
    sums = np.add.reduceat(amounts[places], first).astype(np.float32)
    down = _HIGHEST - sums.view(np.int32).astype(np.int64)  # floats above 0 are ordered as their bits
    order = np.sort((down << _HALF) | np.arange(len(first))) & _LOW
    end = np.append(first[1:], len(places))
    return _Sums(ascending[first[order]].astype(np.int32), amounts, places, first[order], end[order])


def _again(shelf: Shelf, whom: Whom) -> _Offer:
    """Offer what the customer bought before: what says most of their interest first."""
    number = shelf.model.number
    bought = {number[one.item]: one for one in whom.customer.touches[::-1]
              if one.act == BOUGHT and one.item in number}  # fmt: skip
    if not bought:
        return _Offer(_NONE)
    numbers = np.array(sorted(bought), np.int32)
    felt = shelf.felt([bought[at] for at in numbers.tolist()], whom.clock)
    ordered = numbers[np.argsort(-felt, kind="stable")]
    return _Offer(ordered, lambda place: bought[int(ordered[place])])


def segments_and_tags(document: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the segments (also as MODEL/NAME) and tags that a profile's document says."""
    segments = {
        name
        for model, values in document["rfm"].items()
        if values is not None and values["segment"] is not None
        for name in (values["segment"], f"{model}/{values['segment']}")
    }
    return frozenset(segments), frozenset(document["tags"])
