"""A served slot as the API and the command line show it."""

from __future__ import annotations

from msgspec import Raw
from msgspec.json import encode

from sinks.recommendations.choose import Chosen
from sinks.recommendations.declaration import Slot
from sinks.recommendations.serving import Served
from sinks.recommendations.shelf import Shelf


def items_of(served: Served, slot: Slot) -> list[Raw]:
    """Return the items in order, each as JSON: ``id``, what the catalogue has of ``title`` by language,
    ``category``, ``price``, ``image`` and ``link``, ``strategy``, and ``because`` if the slot has reasons."""
    return [Raw(_item(served.shelf, one, slot.reasons)) for one in served.chosen]


def _item(shelf: Shelf, one: Chosen, with_reason: bool) -> bytes:
    """Return an item of pieces that are kept written: to write them anew would take as long as to choose."""
    item = b'%b,"strategy":%b' % (shelf.described[one.number][:-1], encode(one.strategy))
    if not with_reason:
        return item + b"}"
    because = one.because
    act, whose = (None, None) if because is None else (because.act, because.item)
    return b'%b,"because":%b}' % (item, shelf.reasons[one.strategy, act, whose])
