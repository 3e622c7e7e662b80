"""What is asked of the shared index, and told to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Seen:
    """What a batch has seen and makes of it. Flat lists: references: key, customer and strength, key of what
    the customer is about to get; keys: key, field, wrapped key; rows: key, entry ("" without one); under:
    key, number of members, members; marks: keys of what nobody else may change until the batch is applied;
    identified: key, value ("" without one) of each customer who was asked for strong references; identifies:
    keys of those who get one."""

    references: list[Any] = field(default_factory=list)
    keys: list[Any] = field(default_factory=list)
    rows: list[Any] = field(default_factory=list)
    under: list[Any] = field(default_factory=list)
    marks: list[Any] = field(default_factory=list)
    identified: list[Any] = field(default_factory=list)
    identifies: list[Any] = field(default_factory=list)

    def lists(self) -> list[list[Any]]:
        """Return the lists, in the order in which the script takes them."""
        seen = [self.references, self.keys, self.rows, self.under]
        return [*seen, self.marks, self.identified, self.identifies]


@dataclass(frozen=True)
class Standing:
    """Where a lane stands.

    life: in which of the index's lives it was claimed; next: the first offset of its topic that is not in the
    index; offset: the last one given out (semantics W2); positions: source -> [epoch, last position]; at:
    when it was written, ms; by: who reserved something for it that was not applied, "" for nobody.
    """

    epoch: int
    next: int
    offset: int
    positions: Mapping[str, tuple[int, int]]
    at: int
    life: str = ""
    by: str = ""


@dataclass
class Writes:
    """What is to be written. Flat lists: set, newer: key, value; fields: key, field, value; add, remove: key,
    member; drop: key. ``newer`` stays undone where the server has a newer entry. references: key, value: only
    of what is filled from the log, where they stay undone if they are somebody else's."""

    set: list[Any] = field(default_factory=list)
    newer: list[Any] = field(default_factory=list)
    fields: list[Any] = field(default_factory=list)
    add: list[Any] = field(default_factory=list)
    remove: list[Any] = field(default_factory=list)
    drop: list[Any] = field(default_factory=list)
    references: list[Any] = field(default_factory=list)

    def lists(self) -> list[list[Any]]:
        """Return the lists, in the order in which the scripts take them."""
        return [self.set, self.newer, self.fields, self.add, self.remove, self.drop]


@dataclass(frozen=True)
class Filling:
    """For whom the index is filled from the log: a lane, claimed at this epoch, in a life of this name (""
    where there is none)."""

    lane: str
    epoch: int
    life: str
