"""The filters by name: what each takes and gives, and its arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sinks.texts.kinds import TEXT, Kind, What

Style = Literal["short", "medium", "long"]
MOST_DECIMALS = 6


@dataclass(frozen=True)
class Argument:
    """An argument: a whole number from least to most, one of choices, a currency, a text, or any value."""

    name: str
    what: Literal["whole", "choice", "currency", "text", "value"]
    required: bool = False
    least: int = 0
    most: int = MOST_DECIMALS
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Form:
    """What a filter takes and gives (None: what it was given), and its arguments in order."""

    takes: frozenset[What]
    gives: Kind | None
    arguments: tuple[Argument, ...] = ()


_LIMIT = Argument("limit", "whole", required=True, least=1, most=10_000)
_STYLE = Argument("style", "choice", choices=("short", "medium", "long"))
_WORDS = (Argument("one", "text", required=True), Argument("other", "text", required=True))
_NUMBERS: frozenset[What] = frozenset({"number"})
_MOMENTS: frozenset[What] = frozenset({"moment"})
FORMS: dict[str, Form] = {
    "money": Form(_NUMBERS, TEXT, (Argument("currency", "currency"),)),
    "number": Form(_NUMBERS, TEXT, (Argument("decimals", "whole"),)),
    "percent": Form(_NUMBERS, TEXT, (Argument("decimals", "whole"),)),
    "date": Form(_MOMENTS, TEXT, (_STYLE,)),
    "time": Form(_MOMENTS, TEXT),
    "datetime": Form(_MOMENTS, TEXT, (_STYLE,)),
    "truncate": Form(frozenset({"text"}), TEXT, (_LIMIT,)),
    "default": Form(frozenset({"any"}), None, (Argument("fallback", "value", required=True),)),
    "plural": Form(_NUMBERS, TEXT, _WORDS),
}
