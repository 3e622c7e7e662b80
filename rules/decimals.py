"""Numbers with a point: refused, with the whole number to write instead (semantics M5)."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

from rules.error import RuleError, error_at
from rules.meaning import Text
from rules.typed import Typed
from rules.types import Type

_GENERAL = "write a whole number in the column's own units, money in minor units"
_DIGITS = 15  # beyond the largest value of the contract (M1) no suggestion is worth making


def refuse_decimal(value: Typed, other: Type) -> RuleError:
    """Return the error of a decimal beside a value of type ``other``, whose scale says the whole number."""
    number = _number(value)
    if abs(number.adjusted()) > _DIGITS or other.kind not in ("number", "average"):
        return _error(value, _GENERAL)
    if other.scale is None:
        whole = int(number) if number == number.to_integral_value() else None
        return _error(value, _GENERAL if whole is None else f"write {whole}")
    scaled = number.scaleb(other.scale)
    low = int(scaled.to_integral_value(rounding=ROUND_FLOOR))
    units = f"{other.origin or 'the other side'} counts in units of {Decimal(1).scaleb(-other.scale):f}"
    if scaled == low:
        return _error(value, f"write {low}: {units}")
    return _error(value, f"write {low} or {low + 1}: {units}")


def refuse_factor(value: Typed, op: str) -> RuleError:
    """Return the error of a decimal that multiplies or divides, with the same as a fraction."""
    number = _number(value)
    if abs(number.adjusted()) > _DIGITS or number == 0:
        return _error(value, _GENERAL)
    above, below = number.as_integer_ratio()
    if op == "/":
        above, below = (below, above) if above > 0 else (-below, -above)
    return _error(value, f"multiply by {above}" + (f" and divide by {below}" if below != 1 else ""))


def _number(value: Typed) -> Decimal:
    assert isinstance(value.meaning, Text)
    return Decimal(value.meaning.value)


def _error(value: Typed, hint: str) -> RuleError:
    return error_at(value.span, f"{_shown(value)} is no whole number", hint)


def _shown(value: Typed) -> str:
    assert isinstance(value.meaning, Text)
    return value.meaning.value
