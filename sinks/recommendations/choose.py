"""Chooses the items of a slot for one customer: strategies in their order, under the slot's rules. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat

import msgspec
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
    Personalised,
    Slot,
)
from sinks.recommendations.model import Ints
from sinks.recommendations.shelf import UNKNOWN, Floats, Places, Shelf

_NONE = np.empty(0, np.int32)
_HALF, _LOW, _HIGHEST = 32, (1 << 32) - 1, (1 << 31) - 1
_minutes = lru_cache(parse_length)
_PIECE = 64  # items that are looked at together


class Whom(msgspec.Struct, frozen=True):
    """A customer at a minute of the clock. segments, tags: that they have, as the profile says; clock: epoch
    minute."""

    customer: Customer
    segments: frozenset[str]
    tags: frozenset[str]
    clock: int


class Chosen(msgspec.Struct, frozen=True):
    """An item that was chosen. number: in the model; strategy: which chose it; because: of `similar` and
    `again` the touch that spoke for it most."""

    number: int
    strategy: str
    because: Touch | None = None


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
    rules, touches = slot.rules, whom.customer.touches
    mine = shelf.numbers(touches) if personalised else []
    filled = _Filled(shelf.passing(name, rules), shelf.category, rules.max_per_category)
    if personalised and rules.not_bought_within is not None:
        since = whom.clock - _minutes(rules.not_bought_within)
        filled.leave_out(
            at for one, at in zip(touches, mine, strict=True) if one.last > since and one.act == BOUGHT
        )
    found: list[Chosen] = []
    for strategy in slot.strategies if personalised else [POPULAR]:
        offer = _offer(shelf, strategy, whom, mine)
        numbers = filled.take_from(offer.pieces, slot.count - len(found))
        found += map(Chosen, numbers, repeat(strategy), offer.because(numbers))
        if len(found) == slot.count:
            break
    return found


@dataclass(frozen=True)
class _Offer:
    """What a strategy offers. pieces: numbers, the best first, some perhaps again; because: of numbers the
    touches that spoke for them most."""

    pieces: Iterable[Ints | Places]
    because: Callable[[Sequence[int]], Sequence[Touch | None]] = lambda numbers: [None] * len(numbers)


def _pieces(numbers: Ints | Places) -> Iterator[Ints | Places]:
    """Yield a list in pieces: a slot is full long before the end of a long one."""
    for at in range(0, len(numbers), _PIECE):
        yield numbers[at : at + _PIECE]


class _Filled:
    """What a slot holds already, by item and category, and what it must not hold.

    allowed: bool of shape (items,); category: of each item, -1 for none; most: of one category, None for any
    number.
    """

    def __init__(self, allowed: NDArray[np.bool_], category: Sequence[int], most: int | None) -> None:
        self._allowed, self._category, self._most = allowed, category, most
        self._items: set[int] = set()
        self._of: dict[int, int] = {}

    def leave_out(self, numbers: Iterable[int]) -> None:
        """Take none of these in."""
        self._items.update(numbers)

    def take_from(self, pieces: Iterable[Ints | Places], count: int) -> list[int]:
        """Take in so many of the items that are allowed, each once, of a category as many as it may have."""
        taken: list[int] = []
        for piece in pieces:
            for number in piece[self._allowed.take(piece)].tolist():
                if number in self._items or (self._most is not None and not self._has_room(number)):
                    continue
                self._items.add(number)
                taken.append(number)
                if len(taken) == count:
                    return taken
        return taken

    def _has_room(self, number: int) -> bool:
        """Count an item of its category, unless that has as many as it may; say whether."""
        category = self._category[number]
        there = self._of.get(category, 0)
        if category >= 0 and self._most is not None and there >= self._most:
            return False
        self._of[category] = there + 1
        return True


def _offer(shelf: Shelf, strategy: str, whom: Whom, mine: list[int]) -> _Offer:
    """Return what a strategy offers a customer. mine: numbers of the touched items."""
    if strategy == SIMILAR:
        return _similar(shelf, whom, mine)
    if strategy == AGAIN:
        return _again(shelf, whom, mine)
    is_theirs = (
        strategy == POPULAR
        or (strategy.startswith(IN_SEGMENT) and strategy.removeprefix(IN_SEGMENT) in whom.segments)
        or (strategy.startswith(IN_TAG) and strategy.removeprefix(IN_TAG) in whom.tags)
    )
    return _Offer(_pieces(shelf.model.popular.get(strategy, _NONE)) if is_theirs else [])


def _similar(shelf: Shelf, whom: Whom, mine: list[int]) -> _Offer:
    """Sum up over a customer's newest items how near others are to them; equal ones in the order of ids."""
    touches, mine = whom.customer.touches[:RECENT], mine[:RECENT]
    if UNKNOWN in mine:
        touches = [one for one, at in zip(touches, mine, strict=True) if at != UNKNOWN]
        mine = [at for at in mine if at != UNKNOWN]
    if not mine:
        return _Offer([])
    rows = np.array(mine, np.intp)
    near = shelf.model.neighbours.take(rows, axis=0)
    felt = shelf.felt(touches, whom.clock)
    numbers = near.ravel().astype(np.intp)
    speaks = (shelf.model.scores.take(rows, axis=0) * felt[:, None]).ravel()

    def because(asked: Sequence[int]) -> list[Touch]:
        return [touches[at // near.shape[1]] for at in shelf.strongest(asked, numbers, speaks)]

    return _Offer(_by_sum(numbers, shelf.summed(numbers, speaks)), because)


def _by_sum(numbers: Places, sums: Floats) -> Iterator[Places]:
    """Yield numbers by their sums (above 0), the greatest first, equal ones by number; negative numbers are
    none. The best are found first, for a slot is nearly always full of them.

    >>> [one.tolist() for one in _by_sum(np.array([7, 3, -1, 5]), np.array([2.0, 3.0, 9.0, 2.0]))]
    [[3, 5, 7]]
    """
    down = _HIGHEST - sums.astype(np.float32).view(np.int32)  # floats above 0 are ordered as their bits
    is_one = numbers >= 0
    if not is_one.all():
        numbers, down = numbers[is_one], down[is_one]
    if len(numbers) > 2 * _PIECE:
        is_best = down <= np.partition(down, _PIECE)[_PIECE]
        yield _ordered(numbers, down, np.flatnonzero(is_best))
        yield _ordered(numbers, down, np.flatnonzero(~is_best))
    else:
        yield _ordered(numbers, down, np.arange(len(numbers)))


def _ordered(numbers: Places, down: NDArray[np.int32], places: Places) -> Places:
    """Return the numbers at places by what stands in ``down``, equal ones by number: keys of 64 bits are
    sorted five times as fast as places."""
    keys = (down.take(places).astype(np.int64) << _HALF) | numbers.take(places)
    keys.sort()
    return keys & _LOW


def _again(shelf: Shelf, whom: Whom, mine: list[int]) -> _Offer:
    """Offer what the customer bought before: what says most of their interest first."""
    pairs = zip(reversed(mine), reversed(whom.customer.touches), strict=True)  # of an item the newest counts
    bought = {at: one for at, one in pairs if at != UNKNOWN and one.act == BOUGHT}
    if not bought:
        return _Offer([])
    numbers = np.array(sorted(bought))
    felt = shelf.felt([bought[at] for at in numbers.tolist()], whom.clock)
    ordered = numbers[np.argsort(-felt, kind="stable")]
    return _Offer(_pieces(ordered), lambda numbers: [bought[one] for one in numbers])
