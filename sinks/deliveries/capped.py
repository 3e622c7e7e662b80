"""The caps that stood against a decision: its message counts under them, and is counted against them (D5)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec


class Capped(msgspec.Struct, array_like=True, frozen=True):
    """A cap: at most so many messages to a customer in any stretch of so many minutes."""

    name: str
    most: int
    minutes: int


def written(caps: Sequence[Capped]) -> str:
    """Return caps as the ledger keeps them with a delivery; empty where there are none."""
    return msgspec.json.encode(caps).decode() if caps else ""


@lru_cache(maxsize=1024)  # a shop has few of them, and each of its messages has some
def read(text: str) -> tuple[Capped, ...]:
    """Return what `written` wrote."""
    return msgspec.json.decode(text, type=tuple[Capped, ...]) if text else ()


@lru_cache(maxsize=1024)
def names_in(text: str) -> frozenset[str]:
    """Return the names of the caps that `written` wrote."""
    return frozenset(cap.name for cap in read(text))
