"""What a trigger of a shop is to bring about (semantics D8)."""

from __future__ import annotations

from app.shop import Shop
from streams.errors import InputError
from triggers.trigger import Goal


def goal_of(shop: Shop, name: str) -> Goal:
    """Return a trigger's goal. Raises InputError where it has none."""
    goal = shop.triggers[name].goal
    if goal is None:
        hint = "say in its file what it is to bring about, such as goal: {source: orders, within: 7d}"
        raise InputError(f"triggers/{name}.yaml", "has no goal, so there is nothing to count", hint)
    return goal
