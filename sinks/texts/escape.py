"""How a value is written into a text of one kind of channel, so that it stays a value.

A value comes from a shop's data, so from anybody. Nowhere may it begin a line of its own, turn the direction
of writing, hide what stands there, or be read as markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote

EscapeName = Literal["plain", "sms", "robot", "values", "link"]

_BREAKS = "\t\n\r\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029"
_CONTROLS = [code for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in _BREAKS]
# Embeddings, overrides, isolates and marks of direction (UAX #9, table of explicit formatting characters).
_DIRECTIONS = [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
# Signs without a shape, tags among them. U+200C and U+200D stay: emoji and Persian need them.
_SHAPELESS = [
    0x00AD, 0x180E, 0x200B, *range(0x2060, 0x2066), *range(0x206A, 0x2070), 0xFEFF,
    *range(0xFFF9, 0xFFFC), 0xFFFE, 0xFFFF, *range(0xE0000, 0xE0080),
]  # fmt: skip
_HALVES = range(0xD800, 0xE000)  # half a character cannot be written as UTF-8
_GONE: dict[int, str | None] = dict.fromkeys((*_CONTROLS, *_DIRECTIONS, *_SHAPELESS, *_HALVES))
ONE_LINE = _GONE | dict.fromkeys(map(ord, _BREAKS), " ")
LINES = _GONE | dict.fromkeys(map(ord, "\r\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029"), "\n")
# None of the three is in the alphabet of plain SMS: one of them would halve what a part holds.
NARROW = {0x2026: "...", 0x00A0: " ", 0x202F: " "}
# A robot's text is plain, but for <@somebody>, which calls that member.
CALLS = {ord("<"): "\uff1c"}


class Address(str):
    """The address of a message's link, percent-encoded by now: it stands in any text as it is."""

    __slots__ = ()


@dataclass(frozen=True)
class Escape:
    """How values are written. longest: characters of one value; a longer one holds the message back.
    clean: what becomes of single characters of any value; marks: of those with a meaning in this kind.
    """

    name: EscapeName
    longest: int
    clean: Mapping[int, str | None] = field(repr=False)
    marks: Mapping[int, str] = field(default_factory=dict, repr=False)
    quoted: bool = False

    def __call__(self, value: str) -> str:
        """Return the value as it is to stand in the text.

        >>> ESCAPES["robot"]("<@all>"), ESCAPES["sms"]("a\\nb"), ESCAPES["link"]("a&b=c")
        ('＜@all>', 'a b', 'a%26b%3Dc')
        """
        if isinstance(value, Address):
            return value
        if not value.isprintable():  # all that is cleaned away is not printable
            value = value.replace("\r\n", "\n").translate(self.clean)
        if self.quoted:
            return quote(value, safe="")
        if self.marks:
            value = value.translate(self.marks)
        return value


ESCAPES: dict[EscapeName, Escape] = {
    "plain": Escape("plain", 2_000, ONE_LINE),
    "sms": Escape("sms", 200, ONE_LINE, NARROW),
    "robot": Escape("robot", 2_000, ONE_LINE, CALLS),
    "values": Escape("values", 10_000, LINES),  # each stands in JSON by itself, which escapes it
    "link": Escape("link", 500, ONE_LINE, quoted=True),
}


def is_blank(value: str) -> bool:
    """Say whether nothing of a value can be seen.

    >>> is_blank(" \\u200b\\n"), is_blank("鞋")
    (True, False)
    """
    return not (value if value.isprintable() else value.translate(ONE_LINE)).strip()
