"""A served slot as the API and the command line show it."""

from __future__ import annotations

from typing import Any

from sinks.recommendations.choose import Chosen
from sinks.recommendations.declaration import Slot
from sinks.recommendations.reasons import titles_of, words_of
from sinks.recommendations.serving import Served


def items_of(served: Served, slot: Slot) -> list[dict[str, Any]]:
    """Return the items in order: ``id``, ``title`` by language, what the catalogue has of ``category``,
    ``price``, ``image`` and ``link``, ``strategy``, and where the slot gives reasons ``because``."""
    return [_item(served, slot, one) for one in served.chosen]


def _item(served: Served, slot: Slot, one: Chosen) -> dict[str, Any]:
    model, facts, at = served.shelf.model, served.shelf.facts, one.number
    category = int(facts.category[at])
    found: dict[str, Any] = {
        "id": model.items[at], "title": facts.titles[at],
        "category": facts.categories[category] if category >= 0 else "", "price": facts.price[at],
        "image": facts.image[at], "link": facts.link[at], "strategy": one.strategy,
    }  # fmt: skip
    if slot.reasons:
        item = None if one.because is None else one.because.item
        titles = {} if item is None else titles_of(model, facts, item)
        found["because"] = {
            "act": None if one.because is None else one.because.act, "item": item, "title": titles,
            "text": words_of(one, titles),
        }  # fmt: skip
    return found
