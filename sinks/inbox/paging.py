"""The order of an inbox's messages, and cursors into it that stay right when messages come and go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from sinks.inbox.message import InboxMessage

Order = Literal["newest", "priority"]
Place = tuple[int, int, str]
_PLACES: dict[Order, Callable[[InboxMessage], Place]] = {
    "newest": lambda one: (0, one.created, one.id),
    "priority": lambda one: (one.priority, one.created, one.id),
}


def page(
    messages: Sequence[InboxMessage], order: Order, limit: int, cursor: str | None = None
) -> tuple[list[InboxMessage], str | None]:
    """Return up to ``limit`` messages behind a cursor, newest or most important first, and the cursor behind
    them, None at the end. Raises ValueError for a cursor that is none."""
    place = _PLACES[order]
    ordered = sorted(messages, key=place, reverse=True)
    if cursor is not None:
        behind = _read(cursor)
        ordered = [one for one in ordered if place(one) < behind]
    shown = ordered[:limit]
    if len(ordered) <= limit:
        return shown, None
    return shown, ".".join(map(str, place(shown[-1])))


def _read(cursor: str) -> Place:
    priority, created, name = cursor.split(".")
    return int(priority), int(created), name
