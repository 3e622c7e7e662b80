"""Where a rule stands: what it may name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Scope:
    """``customer``: rules of tags and triggers. ``row``: filters and ``where``, bare columns of ``source``
    and nothing else. ``event``: a trigger's ``if`` on an event of ``source``: a customer's rule that may
    also read ``row.COLUMN``.
    """

    kind: Literal["customer", "row", "event"]
    source: str = ""


CUSTOMER = Scope("customer")


def row_of(source: str) -> Scope:
    """Return the scope of a rule over one row of a source."""
    return Scope("row", source)


def event_of(source: str) -> Scope:
    """Return the scope of a trigger's ``if`` on an event of a source."""
    return Scope("event", source)
