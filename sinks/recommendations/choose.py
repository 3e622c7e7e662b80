"""Chooses the items of a slot for one customer: strategies in their order, under the slot's rules. Pure."""

from __future__ import annotations

import threading
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
from sinks.recommendations.model import Facts, Ints, Model

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
    _described: dict[int, dict[str, Any]] = field(default_factory=dict)
    _room: threading.local = field(default_factory=threading.local)

    def __post_init__(self) -> None:
        self._weights = np.array([one.weight for one in self.interests], np.float64)
        self._half_lives = np.array([parse_length(one.half_life) for one in self.interests], np.float64)

    def passing(self, name: str, rules: Rules) -> NDArray[np.bool_]:
        """Return which items a slot may hold, bool of shape (items,)."""
        if name not in self._passing:
            self._passing[name] = _passing(self.facts, rules)
        return self._passing[name]

    def summed(self, numbers: Ints, amounts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return at each place the sum of all amounts of its number; numbers may be -1."""
        if not hasattr(self._room, "sums"):
            self._room.sums = np.zeros(len(self.model.items) + 1)  # the last is of -1
        room, at = self._room.sums, numbers.astype(np.intp)
        np.add.at(room, at, amounts)
        sums: NDArray[np.float64] = room[at]
        room[at] = 0.0
        return sums

    def described(self, at: int) -> Mapping[str, Any]:
        """Return what an answer says of an item, whoever it is for: ``id``, and what the catalogue has of
        ``title``, ``category``, ``price``, ``image`` and ``link``."""
        found = self._described.get(at)
        if found is None:
            facts, category = self.facts, int(self.facts.category[at])
            found = self._described[at] = {
                "id": self.model.items[at], "title": facts.titles[at],
                "category": facts.categories[category] if category >= 0 else "", "price": facts.price[at],
                "image": facts.image[at], "link": facts.link[at],
            }  # fmt: skip
        return found

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
        numbers = filled.take_from(offer.pieces, allowed, most, slot.count - len(found))
        found += [
            Chosen(number, strategy, because)
            for number, because in zip(numbers, offer.because(numbers), strict=True)
        ]  # fmt: skip
        if len(found) == slot.count:
            break
    return found


@dataclass(frozen=True)
class _Offer:
    """What a strategy offers. pieces: numbers, the best first, some perhaps again; because: of numbers the
    touches that spoke for them most."""

    pieces: Iterable[Ints]
    because: Callable[[Sequence[int]], Sequence[Touch | None]] = lambda numbers: [None] * len(numbers)


def _pieces(numbers: Ints) -> Iterator[Ints]:
    """Yield a list in pieces: a slot is full long before the end of a long one."""
    for at in range(0, len(numbers), _PIECE):
        yield numbers[at : at + _PIECE]


class _Filled:
    """What a slot holds already, by item and category, and what it must not hold."""

    def __init__(self, facts: Facts) -> None:
        self._category = facts.category
        self._items: set[int] = set()
        self._of: dict[int, int] = {}

    def leave_out(self, numbers: Iterable[int]) -> None:
        """Take none of these in."""
        self._items.update(numbers)

    def take_from(
        self, pieces: Iterable[Ints], allowed: NDArray[np.bool_], most: int | None, count: int
    ) -> list[int]:
        """Take in so many of the items that are allowed, each once, of a category as many as it may have."""
        taken: list[int] = []
        for piece in pieces:
            for number in piece[allowed[piece]].tolist():
                if number in self._items:
                    continue
                if most is not None and not self._has_room(number, most):
                    continue
                self._items.add(number)
                taken.append(number)
                if len(taken) == count:
                    return taken
        return taken

    def _has_room(self, number: int, most: int) -> bool:
        """Count an item of its category, unless that has as many as it may; say whether."""
        category = int(self._category[number])
        there = self._of.get(category, 0)
        if category >= 0 and there >= most:
            return False
        self._of[category] = there + 1
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
    return _Offer(_pieces(shelf.model.popular.get(strategy, _NONE)) if is_theirs else [])


def _similar(shelf: Shelf, whom: Whom) -> _Offer:
    """Sum up over a customer's newest items how near others are to them; equal ones in the order of ids."""
    model, number = shelf.model, shelf.model.number
    touches = whom.customer.touches[:RECENT]
    mine = np.array([number.get(one.item, -1) for one in touches], np.int64)
    if (mine < 0).any():  # the model does not know them
        touches = [one for one, at in zip(touches, mine.tolist(), strict=True) if at >= 0]
        mine = mine[mine >= 0]
    if not touches:
        return _Offer([])
    near = model.neighbours.take(mine, axis=0)
    felt = shelf.felt(touches, whom.clock)
    flat, speaks = near.ravel(), (model.scores.take(mine, axis=0) * felt[:, None]).ravel()

    def because(numbers: Sequence[int]) -> list[Touch]:
        speaks_for = flat == np.array(numbers, np.int32)[:, None]
        strongest = np.where(speaks_for, speaks, -1.0).argmax(axis=1)
        return [touches[at // near.shape[1]] for at in strongest.tolist()]

    return _Offer(_by_sum(flat, shelf.summed(flat, speaks)), because)


def _by_sum(numbers: Ints, sums: NDArray[np.float64]) -> Iterator[Ints]:
    """Yield numbers by their sums (above 0), the greatest first, equal ones by number; negative numbers are
    none. Keys of 64 bits are sorted, which is five times as fast as places, and first only the best.

    >>> [one.tolist() for one in _by_sum(np.array([7, 3, -1, 5], np.int32), np.array([2.0, 3.0, 9.0, 2.0]))]
    [[3, 5, 7]]
    """
    down = _HIGHEST - sums.astype(np.float32).view(np.int32).astype(np.int64)
    keys = (down << _HALF) | numbers  # floats above 0 are ordered as their bits
    keys = keys[numbers >= 0]
    if len(keys) > 2 * _PIECE:
        keys.partition(_PIECE)
        yield (np.sort(keys[:_PIECE]) & _LOW).astype(np.int32)
        keys = keys[_PIECE:]
    yield (np.sort(keys) & _LOW).astype(np.int32)


def _again(shelf: Shelf, whom: Whom) -> _Offer:
    """Offer what the customer bought before: what says most of their interest first."""
    number = shelf.model.number
    bought = {number[one.item]: one for one in whom.customer.touches[::-1]
              if one.act == BOUGHT and one.item in number}  # fmt: skip
    if not bought:
        return _Offer([])
    numbers = np.array(sorted(bought), np.int32)
    felt = shelf.felt([bought[at] for at in numbers.tolist()], whom.clock)
    ordered = numbers[np.argsort(-felt, kind="stable")]
    return _Offer(_pieces(ordered), lambda numbers: [bought[one] for one in numbers])


def segments_and_tags(document: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the segments (also as MODEL/NAME) and tags that a profile's document says."""
    segments = {
        name
        for model, values in document["rfm"].items()
        if values is not None and values["segment"] is not None
        for name in (values["segment"], f"{model}/{values['segment']}")
    }
    return frozenset(segments), frozenset(document["tags"])
