"""What training makes: items, their nearest neighbours, what is popular; and the catalogue's facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]
UNKNOWN_MARGIN = -(1 << 31)


@dataclass(frozen=True)
class Model:
    """items: ids, ascending, an item's number is its place; neighbours: int32 of shape (items, K), numbers,
    the most similar first, -1 where there are no more; scores: float32 of the same shape; popular: strategy
    to numbers, most first; as_of: epoch minute of the newest row in it; rows, customers: how many."""

    items: Sequence[str]
    neighbours: Ints
    scores: Floats
    popular: Mapping[str, Ints]
    as_of: int
    rows: int
    customers: int
    number: Mapping[str, int] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "number", {item: at for at, item in enumerate(self.items)})

    @property
    def coverage(self) -> float:
        """The share of items that some other item has as a neighbour."""
        if not len(self.items):
            return 0.0
        return len(np.unique(self.neighbours[self.neighbours >= 0])) / len(self.items)

    def packed(self) -> bytes:
        """Return it as bytes."""
        return msgspec.msgpack.encode({
            "items": list(self.items), "k": self.neighbours.shape[1],
            "neighbours": _bytes(self.neighbours, "<i4"), "scores": _bytes(self.scores, "<f4"),
            "popular": {name: _bytes(numbers, "<i4") for name, numbers in self.popular.items()},
            "as_of": self.as_of, "rows": self.rows, "customers": self.customers,
        })  # fmt: skip

    @classmethod
    def unpacked(cls, packed: bytes) -> Model:
        """Return what `packed` packed."""
        found: dict[str, Any] = msgspec.msgpack.decode(packed)
        shape = (len(found["items"]), found["k"])
        return cls(
            found["items"], np.frombuffer(found["neighbours"], "<i4").reshape(shape),
            np.frombuffer(found["scores"], "<f4").reshape(shape),
            {name: np.frombuffer(numbers, "<i4") for name, numbers in found["popular"].items()},
            found["as_of"], found["rows"], found["customers"],
        )  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """What a catalogue says of a model's items, one entry an item.

    listed: whether it has the item; titles: language to title; category: number in ``categories``, -1 for
    none; stock: 1 there are some, 0 none, -1 unknown; margin: in hundredths of a percent, `UNKNOWN_MARGIN`
    where it is not known; price, image, link: as they are written, "" for none.
    """

    listed: NDArray[np.bool_]
    titles: Sequence[Mapping[str, str]]
    categories: Sequence[str]
    category: Ints
    stock: Ints
    margin: Ints
    price: Sequence[str]
    image: Sequence[str]
    link: Sequence[str]

    @classmethod
    def none(cls, items: int) -> Facts:
        """Return what is known of items without a catalogue: they are listed, and that is all."""
        blank, empty = [""] * items, np.full(items, -1, np.int32)
        margin = np.full(items, UNKNOWN_MARGIN, np.int32)
        return cls(np.ones(items, np.bool_), [{}] * items, [], empty, empty, margin, blank, blank, blank)

    def packed(self) -> bytes:
        """Return it as bytes."""
        return msgspec.msgpack.encode({
            "listed": _bytes(self.listed, "?"), "titles": list(self.titles),
            "categories": list(self.categories), "category": _bytes(self.category, "<i4"),
            "stock": _bytes(self.stock, "<i4"), "margin": _bytes(self.margin, "<i4"),
            "price": list(self.price), "image": list(self.image), "link": list(self.link),
        })  # fmt: skip

    @classmethod
    def unpacked(cls, packed: bytes) -> Facts:
        """Return what `packed` packed."""
        found: dict[str, Any] = msgspec.msgpack.decode(packed)
        numbers = {name: np.frombuffer(found[name], "<i4") for name in ("category", "stock", "margin")}
        return cls(
            np.frombuffer(found["listed"], "?"), found["titles"], found["categories"], numbers["category"],
            numbers["stock"], numbers["margin"], found["price"], found["image"], found["link"],
        )  # fmt: skip


def _bytes(numbers: NDArray[Any], kind: str) -> bytes:
    return np.ascontiguousarray(numbers, dtype=kind).tobytes()
