"""Whole numbers and decimals, exactly: text to units of 10**-scale, never through a float."""

from __future__ import annotations

import re
from dataclasses import dataclass

LIMIT = 10**13  # semantics M1: so that sums of many rows stay far below 2**63
_LONGEST = 60  # digits; beyond it the text is no number of a shop, and int() grows slow
_NUMBER = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,3}))?")
_SHOWN = 60  # characters of a value that a problem shows
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?")
_LARGE_HINT = "check the number and the scale"
_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")


class ValueProblem(ValueError):
    """A value that breaks its column's contract: what is wrong, and what to do."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem, hint)
        self.problem = problem
        self.hint = hint


def quoted(text: str) -> str:
    """Return a value as a problem shows it: between quotes, and in short."""
    return f"'{text}'" if len(text) <= _SHOWN else f"'{text[: _SHOWN - 3]}...'"


@dataclass(frozen=True)
class Exact:
    """The number ``digits * 10**-places``."""

    digits: int
    places: int

    def times(self, other: Exact) -> Exact:
        """Return the exact product."""
        return Exact(self.digits * other.digits, self.places + other.places)


def parse_number(text: str) -> Exact:
    """Read a number such as ``-1234.50`` or ``1e-5``. Raises ValueProblem.

    >>> parse_number("-2.55")
    Exact(digits=-255, places=2)
    """
    found = _NUMBER.fullmatch(text.strip())
    if not found or not (found[2] or found[3]):
        raise ValueProblem(f"{quoted(text)} is no number", _number_hint(text.strip()))
    after = found[3] or ""
    if len(found[2]) + len(after) > _LONGEST:
        raise ValueProblem(f"'{text[:20]}...' has more than {_LONGEST} digits", "check the column")
    digits = int(found[2] + after)
    return Exact(-digits if found[1] == "-" else digits, len(after) - int(found[4] or 0))


def _number_hint(text: str) -> str:
    if len(text) > _SHOWN:
        return "check the column"
    if _THOUSANDS.fullmatch(text):
        return f"write it without thousands separators: {text.replace(',', '')}"
    if _COMMA.fullmatch(text):
        return f"write the decimal sign as a point: {text.replace(',', '.')}"
    return "write digits, with a point for decimals, such as -1234.50"


def scaled(number: Exact, scale: int) -> int:
    """Return the number in whole units of 10**-scale.

    Raises ValueProblem if digits beyond the scale are not zero (nothing is rounded, semantics M1), or
    the result lies beyond 10**13.

    >>> scaled(parse_number("2.550"), 2)
    255
    """
    missing = scale - number.places
    if missing >= 0:
        # An exponent may be large: judge the size before the power is taken.
        units = number.digits * 10**missing if missing <= 30 or number.digits == 0 else LIMIT + 1
    else:
        units, rest = divmod(number.digits, 10**-missing)
        if rest:
            raise ValueProblem(
                f"{plain(number)} has more than {scale} decimals"
                if scale
                else f"{plain(number)} is not whole",
                f"round it, or declare a scale of {number.places}" if number.places <= 6 else "round it",
            )
    if abs(units) > LIMIT:
        hint = _LARGE_HINT if scale else "check the number; an identifier is text, not int"
        raise ValueProblem(f"{plain(number)} is beyond the limit of 10^13 units", hint)
    return units


def plain(number: Exact) -> str:
    """Write the number in digits, in short form where it is very long."""
    if number.places <= 0:
        return f"{number.digits}" if number.places == 0 else f"{number.digits}e{-number.places}"
    if number.places > _LONGEST:
        return f"{number.digits}e-{number.places}"
    sign, digits = ("-" if number.digits < 0 else ""), str(abs(number.digits)).rjust(number.places + 1, "0")
    return f"{sign}{digits[: -number.places]}.{digits[-number.places :]}"
