"""What a value of a text is, as far as it can be told before there is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

What = Literal["any", "number", "moment", "text"]
IN_WORDS: dict[What, str] = {
    "any": "a value", "number": "a whole number", "moment": "a date or time", "text": "a text",
}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """What a value is. A moment is an epoch minute. scale: decimal digits that a number's units stand for
    (money in cents: 2), currency: of money; None where it is not known.
    """

    what: What = "any"
    scale: int | None = None
    currency: str | None = None

    def fits(self, takes: frozenset[What]) -> bool:
        """Say whether the value may be one of these; what is not known may be anything."""
        return self.what == "any" or "any" in takes or self.what in takes


ANY, NUMBER, MOMENT, TEXT = Kind(), Kind("number"), Kind("moment"), Kind("text")
