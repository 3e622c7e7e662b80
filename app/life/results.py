"""What a trigger of a shop has brought (semantics D8)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from app.life.goal import goal_of
from app.shop import Shop
from rules.schema import Schema
from sinks.history.history import History
from sinks.history.results import read_results
from triggers.results import Group, Results


def results_of(
    history: History, shop: Shop, name: str, since: int | None = None, until: int | None = None
) -> Results:
    """Return what a trigger has brought, of its decisions from epoch minute ``since`` on, before ``until``.

    Raises InputError where it has no goal, and where history cannot answer.
    """
    schema = Schema.build(shop.sources, shop.metrics, shop.rfm, shop.tags)
    return read_results(history, schema, name, goal_of(shop, name), since, until)


def written(found: Results) -> dict[str, Any]:
    """Return results as a document: as they are, with each group's ``rate`` and ``value_each``."""
    groups = {"reached": found.reached, "held_out": found.held_out}
    return asdict(found) | {name: _of_group(group) for name, group in groups.items()}


def _of_group(group: Group) -> dict[str, Any]:
    return asdict(group) | {"rate": group.rate, "value_each": group.value_each}
