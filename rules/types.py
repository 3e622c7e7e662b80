"""The types of the rule language, and how two numbers go together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from streams.contract.source import Column

Kind = Literal["number", "bool", "text", "segment", "average", "recency", "decimal"]

IN_WORDS: dict[Kind, str] = {
    "number": "a whole number", "bool": "true or false", "text": "a text", "segment": "a segment",
    "average": "an average", "recency": "a recency", "decimal": "a number with a point",
}  # fmt: skip


@dataclass(frozen=True)
class Type:
    """The type of a value.

    ``scale`` of a number: decimal digits that its units stand for (money in cents: 2), None where it is
    not known, as of a literal; ``currency`` likewise. ``allowed``: the texts that a column may hold, empty
    for any; ``origin``: what to call it in messages. ``model`` and ``segments``: of a segment, its RFM
    model and the model's names in order. Kinds ``average`` and ``recency`` may only be compared (M4, R6);
    ``decimal`` is a literal that is always refused (M5).
    """

    kind: Kind
    scale: int | None = None
    currency: str | None = None
    allowed: tuple[str, ...] = ()
    origin: str = ""
    model: str = ""
    segments: tuple[str, ...] = ()

    def __str__(self) -> str:
        words = IN_WORDS[self.kind]
        return f"{self.origin} ({words})" if self.origin else words


BOOL = Type("bool")
TEXT = Type("text")
NUMBER = Type("number")
COUNT = Type("number", scale=0)


def column_type(column: Column, origin: str) -> Type:
    """Return the type of a column's values; times and dates are numbers (epoch minutes)."""
    if column.type == "bool":
        return Type("bool", origin=origin)
    if column.type == "text":
        allowed = tuple(value for value in column.allowed or () if isinstance(value, str))
        return Type("text", allowed=allowed, origin=origin)
    return Type("number", column.scale, column.currency, origin=origin)


def clash(left: Type, right: Type) -> tuple[str, str] | None:
    """Say why two numbers must not be compared or added: what is wrong and what to do; None if they may be.

    Numbers of unknown scale or currency, such as literals and products, go with everything (M1).
    """
    if left.currency and right.currency and left.currency != right.currency:
        return f"{left.currency} and {right.currency} are two currencies", "keep to one currency in a rule"
    if left.scale is None or right.scale is None or left.scale == right.scale:
        return None
    factor = 10 ** abs(left.scale - right.scale)
    coarse = left if left.scale < right.scale else right
    name = coarse.origin or ("the left side" if coarse is left else "the right side")
    reason = f"units of {_unit(left.scale)} and units of {_unit(right.scale)} are mixed"
    return reason, f"multiply {name} by {factor}"


def sum_type(left: Type, right: Type) -> Type:
    """Return the type of left + right, left - right or a choice between them."""
    scale = right.scale if left.scale is None else left.scale
    return Type("number", scale, left.currency or right.currency)


def product_type(left: Type, right: Type) -> Type:
    """Return the type of left * right: known only where one side is a plain count."""
    if right.scale == 0 and not right.currency:
        return Type("number", left.scale, left.currency)
    if left.scale == 0 and not left.currency:
        return Type("number", right.scale, right.currency)
    return NUMBER


def quotient_type(left: Type, right: Type) -> Type:
    """Return the type of left / right: that of left per piece, or a plain ratio of two alike."""
    if right.scale == 0 and not right.currency:
        return Type("number", left.scale, left.currency)
    alike = left.scale is not None and left.scale == right.scale and left.currency == right.currency
    return COUNT if alike else NUMBER


def _unit(scale: int) -> str:
    return "1" if scale == 0 else f"0.{'0' * (scale - 1)}1"
