"""A served slot as the API and the command line show it."""

from __future__ import annotations

from collections.abc import Mapping
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
    found = {**served.shelf.described(one.number), "strategy": one.strategy}
    if slot.reasons:
        because, item, titles = one.because, None, _NO_TITLES
        if because is not None:
            item = because.item
            titles = titles_of(served.shelf.model, served.shelf.facts, item)
        found["because"] = {
            "act": None if because is None else because.act, "item": item, "title": titles,
            "text": words_of(one, titles),
        }  # fmt: skip
    return found


_NO_TITLES: Mapping[str, str] = {}
