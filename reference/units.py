"""What is judged as one, and in which order: single tags and exclusive groups (semantics G2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reference.pieces import Pieces
from streams.errors import InputError


@dataclass(frozen=True)
class Unit:
    """One tag by itself, or an exclusive group: its tags in the group's order."""

    name: str
    tags: tuple[str, ...]


def units_in_order(pieces: Pieces) -> list[Unit]:
    """Return all units so that each stands behind those its rules read; of several ready ones the first name.

    A tag's group is its ``group``, its place in it the group's declared order. Raises InputError for a cycle.
    """
    units = {unit.name: unit for unit in _units(pieces)}
    home = {tag: unit.name for unit in units.values() for tag in unit.tags}
    needs = {
        unit.name: {home[read] for tag in unit.tags for read in pieces.tags_read_by(tag)}
        for unit in units.values()
    }
    ordered: list[Unit] = []
    while needs:
        ready = sorted(name for name, wanted in needs.items() if not wanted)
        if not ready:
            raise InputError(f"tags {sorted(needs)}", "rest on each other in a circle", "break it (G2)")
        ordered.append(units[ready[0]])
        del needs[ready[0]]
        for wanted in needs.values():
            wanted.discard(ready[0])
    return ordered


def members(unit: Unit, candidate: Mapping[str, bool] | Callable[[str], bool]) -> dict[str, bool]:
    """Return who of a unit's tags is member: in a group only the first candidate (G2)."""
    is_candidate = candidate if callable(candidate) else candidate.__getitem__
    found = {tag: bool(is_candidate(tag)) for tag in unit.tags}
    if len(found) > 1:
        first = next((tag for tag, holds in found.items() if holds), None)
        found = {tag: tag == first for tag in found}
    return found


def _units(pieces: Pieces) -> list[Unit]:
    grouped: dict[str, set[str]] = {}
    alone = []
    for name, tag in pieces.tags.items():
        group = tag.group or next((g for g, order in pieces.groups.items() if name in order), None)
        if group is None:
            alone.append(Unit(name, (name,)))
        else:
            grouped.setdefault(group, set()).add(name)
    return alone + [Unit(group, _ordered(pieces, group, tags)) for group, tags in grouped.items()]


def _ordered(pieces: Pieces, group: str, tags: set[str]) -> tuple[str, ...]:
    order = pieces.groups.get(group)
    if order is None or set(order) != tags:
        problem = f"must order exactly its tags {sorted(tags)}"
        raise InputError(f"group '{group}'", problem, "write them in [groups]")
    return tuple(order)
