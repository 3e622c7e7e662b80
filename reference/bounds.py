"""Which event minutes a window holds at a minute, and at which minute it lets a row go (semantics W5)."""

from __future__ import annotations

from profiles.windows import Window
from reference.calendar import (
    EARLIEST,
    LATEST,
    local_date,
    local_midnight,
    own_year_start,
    unit_start,
)


def bounds(window: Window, minute: int, zone: str, anchor: int | None = None) -> tuple[int, int]:
    """Return the half-open interval ``(low, high)`` of event minutes that ``window`` holds at ``minute``.

    ``anchor`` is the customer's date attribute in epoch minutes, for windows of kind ``own``; without it
    such a window is empty. ``high`` is never beyond ``minute + 1``: the future counts nowhere.

    >>> bounds(Window("trailing", 10), 100, "UTC")
    (91, 101)
    """
    now = minute + 1
    if window.kind == "all":
        return EARLIEST, now
    if window.kind == "trailing":
        return now - window.offset - window.length, now - window.offset
    low, high = _unit(window, minute, zone, anchor, window.offset)
    return low, min(high, now)


def enters(window: Window, event: int, zone: str, anchor: int | None = None) -> int:
    """Return the first minute at which ``window`` holds a row of event minute ``event``.

    For an ``own`` window without its anchor that is never: ``LATEST``.
    """
    if window.kind == "all":
        return event
    if window.kind == "trailing":
        return event + window.offset
    start, _ = _unit(window, event, zone, anchor, -window.offset)
    return max(event, start)


def leaves(window: Window, event: int, zone: str, anchor: int | None = None) -> int:
    """Return the first minute at which ``window`` holds a row of event minute ``event`` no longer.

    >>> leaves(Window("trailing", 10), 91, "UTC")
    101
    """
    if window.kind == "all":
        return LATEST
    if window.kind == "trailing":
        return event + window.offset + window.length
    return _unit(window, event, zone, anchor, -window.offset)[1]


def _unit(window: Window, minute: int, zone: str, anchor: int | None, back: int) -> tuple[int, int]:
    """Return begin and end of the anchored unit ``back`` before the one that holds ``minute``."""
    day = local_date(minute, zone)
    if window.kind == "calendar":
        first, following = unit_start(day, window.unit, back), unit_start(day, window.unit, back - 1)
    elif anchor is None:
        return LATEST, LATEST
    else:
        born = local_date(anchor, zone)
        first, following = own_year_start(day, born, back), own_year_start(day, born, back - 1)
    return local_midnight(first, zone), local_midnight(following, zone)
