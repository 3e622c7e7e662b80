"""Which answers of customers mean that they want no more messages."""

from __future__ import annotations

_WORDS = frozenset(
    {"T", "TD", "N", "R", "QX", "退订", "退", "取消", "拒收", "STOP", "STOPALL", "CANCEL", "QUIT"}
)


def unsubscribes(text: str) -> bool:
    """Tell whether an answer is one of the words, and nothing else.

    >>> [unsubscribes(text) for text in ("td", " 退订 ", "Stop", "don't stop")]
    [True, True, True, False]
    """
    return text.strip().upper() in _WORDS
