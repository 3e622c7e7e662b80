"""What somebody may have meant who wrote a name that nobody declared."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_SHOWN = 8


def suggest(word: str, known: Iterable[str], kind: str) -> str:
    """Return a hint: the declared name nearest to ``word``, else the names there are.

    >>> suggest("ordrs", ["orders", "views"], "source")
    "did you mean 'orders'?"
    >>> suggest("x", ["orders", "views"], "source")
    'there are: orders, views'
    >>> suggest("x", [], "source")
    'no source is declared'
    """
    names = {name.casefold(): name for name in sorted(known)}
    if near := get_close_matches(word.casefold(), names, n=1):
        return f"did you mean '{names[near[0]]}'?"
    if not names:
        return f"no {kind} is declared"
    shown = ", ".join(list(names.values())[:_SHOWN])
    return f"there are: {shown}" + (", ..." if len(names) > _SHOWN else "")
