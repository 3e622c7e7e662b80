"""How one telephone number may be written: customers' references and providers' callbacks differ in it."""

from __future__ import annotations

import re
from collections.abc import Sequence

CHINA = "86"
_BETWEEN = re.compile(r"[\s().-]")
_MAINLAND = re.compile(r"1\d{10}")  # a mobile number of mainland China, as it is written there
_FEWEST = 7  # digits of a number without its country's code; fewer are a service's, or a member's
_SEEN = 3


def spellings(address: str, codes: Sequence[str]) -> list[str]:
    """Return the ways in which an address may be written, the given one first: a number with the country's
    code behind ``+``, ``00`` or nothing, without it, and in groups of digits as people in China write it.
    What is no number is itself, and in small letters.

    codes: of the countries whose numbers may come without one.

    >>> spellings("13800001001", ["86"])[:4]
    ['13800001001', '8613800001001', '+8613800001001', '008613800001001']
    >>> spellings("+85212345678", ["86"])
    ['+85212345678', '85212345678', '0085212345678']
    >>> spellings("A.B@example.com", ["86"])
    ['A.B@example.com', 'a.b@example.com']
    """
    bare = _BETWEEN.sub("", address)
    digits = bare.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        return list(dict.fromkeys([address, address.lower()]))
    found = [address]
    is_whole = bare.startswith(("+", "00"))  # with its country's code, for certain
    digits = digits.removeprefix("00")
    if is_whole or not any(_is_local(digits, code) for code in codes):
        found += [digits, f"+{digits}", f"00{digits}"]
    for code in codes:
        if digits.startswith(code) and len(digits) - len(code) >= _FEWEST:
            found += _written(digits.removeprefix(code), code)
        if not is_whole and (code != CHINA or _is_local(digits, code)) and len(digits) >= _FEWEST:
            found += _written(digits, code)
    return list(dict.fromkeys(found))


def masked(address: str) -> str:
    """Return an address as a line for people may hold it.

    >>> masked("+8613800001234"), masked("a@b.example"), masked("10086")
    ('+86****34', 'a@b****le', '****')
    """
    return f"{address[:_SEEN]}****{address[-2:]}" if len(address) > 2 * _SEEN else "****"


def _is_local(digits: str, code: str) -> bool:
    return code == CHINA and _MAINLAND.fullmatch(digits) is not None


def _written(national: str, code: str) -> list[str]:
    grouped = [national]
    if len(national) == 11:
        grouped += [f"{national[:3]}{mark}{national[3:7]}{mark}{national[7:]}" for mark in " -"]
    before = [f"{sign}{code}" for sign in ("", "+", "00")]
    spaced = [f"{one}{mark}{group}" for one in before for mark in ("", " ", "-") for group in grouped]
    return [national, *(f"{one}{national}" for one in before), *grouped, *spaced]
