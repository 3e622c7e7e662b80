"""Quoted texts: CEL's quotes and escapes."""

from __future__ import annotations

import re

from rules.error import error_at
from rules.syntax import Span

_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\?\"'`])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))"
)
_SIMPLE = dict(zip("abfnrtv", "\a\b\f\n\r\t\v", strict=True))


def read_text(rule: str, start: int, opening: str, here: Span) -> tuple[str, int]:
    """Read the quoted text that begins at offset ``start`` with ``opening`` (such as ``r'`` or ``\"\"\"``).

    Returns its value and the offset behind its closing quotes. Raises RuleError when it is not closed
    or an escape is unknown.
    """
    raw, quotes = opening[0] in "rR", opening.lstrip("rR")
    at, pieces = start + len(opening), []
    while not rule.startswith(quotes, at):
        if at >= len(rule) or (len(quotes) == 1 and rule[at] in "\r\n"):
            raise error_at(here, "the text is not closed", f"end it with {quotes}")
        if rule[at] == "\\" and not raw:
            sign, at = _escape(rule, at, start, here)
            pieces.append(sign)
        else:
            pieces.append(rule[at])
            at += 1
    value = "".join(pieces)
    if any(0xD800 <= ord(sign) <= 0xDFFF for sign in value):
        raise error_at(here, "the text holds half of a character", "write the whole character")
    return value, at + len(quotes)


def _escape(rule: str, at: int, start: int, here: Span) -> tuple[str, int]:
    found = _ESCAPE.match(rule, at)
    if not found:
        hint = r"write \\ for a backslash; known are \n \t \" \' \xHH \uHHHH and the like"
        place = f"at character {at - start + 1} of the text"
        raise error_at(here, f"'{rule[at : at + 2]}' {place} is no escape", hint)
    simple, *numbers, octal = found.groups()
    if simple:
        return _SIMPLE.get(simple, simple), found.end()
    code = int(octal, 8) if octal else int(next(digits for digits in numbers if digits), 16)
    if code > 0x10FFFF:
        raise error_at(here, f"'{found[0]}' is no character", "the last one is \\U0010FFFF")
    return chr(code), found.end()
