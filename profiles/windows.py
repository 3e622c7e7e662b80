"""What a window is: an interval of event minutes that moves with the clock (semantics W5).

At minute T every window is the half-open interval ``[low(T), high(T))`` of event minutes, and both
ends only ever move forward. A trailing window of length w is ``[T - w + 1, T + 1)``; an offset window
is the same, moved back; an anchored window ends and begins at calendar boundaries.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MINUTES = {"m": 1, "h": 60, "d": 1440, "w": 10080}
CALENDAR = ("day", "week", "month", "quarter", "year")
LONGEST_MINUTES = 20 * 366 * 1440  # twenty years: the limit of a rule's window
_LENGTH = re.compile(r"^\s*(\d+)\s*([mhdw])\s*$")
_OFFSET = re.compile(r"^\s*(\d+\s*[mhdw])\s+offset\s+(\d+\s*[mhdw])\s*$")
_ANCHORED = re.compile(r"^\s*(day|week|month|quarter|year)(?:\s+offset\s+(\d+))?\s*$")
_OWN = re.compile(r"^\s*year\s+from\s+customer\.(\w+)(?:\s+offset\s+(\d+))?\s*$")


@dataclass(frozen=True)
class Window:
    """One window, in minutes.

    kind: ``all``, ``trailing`` (with ``offset`` minutes back), ``calendar`` (``unit``; ``offset``
    whole units back) or ``own`` (the customer's own year from the date attribute ``attribute``;
    ``offset`` years back).
    """

    kind: str
    length: int = 0
    offset: int = 0
    unit: str = ""
    attribute: str = ""

    def __str__(self) -> str:
        if self.kind == "all":
            return "all"
        if self.kind == "trailing":
            back = f" offset {write_length(self.offset)}" if self.offset else ""
            return write_length(self.length) + back
        name = self.unit if self.kind == "calendar" else f"year from customer.{self.attribute}"
        return f"{name} offset {self.offset}" if self.offset else name


def parse_length(text: str) -> int:
    """Read a length such as ``10m``, ``2h``, ``30d`` or ``1w``; return whole minutes.

    Raises ValueError with what is wrong and what to write instead.

    >>> parse_length("365d")
    525600
    """
    found = _LENGTH.match(text)
    if not found:
        raise ValueError(f"'{text}' is no length; write a whole number and m, h, d or w, such as '30d'")
    if len(found[1]) > 9:
        raise ValueError(f"'{text[:20]}...' is longer than 20 years; write a shorter one")
    minutes = int(found[1]) * MINUTES[found[2]]
    if minutes < 1:
        raise ValueError(f"'{text}' is empty; the shortest length is '1m'")
    if minutes > LONGEST_MINUTES:
        raise ValueError(f"'{text}' is longer than 20 years; write a shorter one")
    return minutes


def parse_window(text: str) -> Window:
    """Read a window: ``30d``, ``30d offset 30d``, ``month``, ``month offset 1``, ``all``,
    ``year from customer.joined``.

    Raises ValueError with what is wrong and what to write instead.

    >>> parse_window("30d offset 30d")
    Window(kind='trailing', length=43200, offset=43200, unit='', attribute='')
    """
    if text.strip() == "all":
        return Window("all")
    if found := _OFFSET.match(text):
        return Window("trailing", parse_length(found[1]), parse_length(found[2]))
    if found := _ANCHORED.match(text):
        return Window("calendar", unit=found[1], offset=_units(found[2]))
    if found := _OWN.match(text):
        return Window("own", attribute=found[1], offset=_units(found[2]))
    if _LENGTH.match(text):
        try:
            return Window("trailing", parse_length(text))
        except ValueError as error:
            told = str(error).replace("write a shorter one", "write 'all' for everything")
            raise ValueError(told) from None
    raise ValueError(
        f"'{text}' is no window; write a length such as '30d', '30d offset 30d', "
        "'day', 'week', 'month', 'quarter', 'year', 'year from customer.joined' or 'all'"
    )


def write_length(minutes: int) -> str:
    """Write a length of whole minutes in its largest whole unit.

    >>> write_length(525600), write_length(90)
    ('365d', '90m')
    """
    for unit in ("d", "h"):
        if minutes % MINUTES[unit] == 0:
            return f"{minutes // MINUTES[unit]}{unit}"
    return f"{minutes}m"


def _units(text: str | None) -> int:
    units = int((text or "0")[:9])  # more digits are too many whatever they say
    if units > 20:
        raise ValueError(f"offset {units} is too far back; the limit is 20")
    return units
