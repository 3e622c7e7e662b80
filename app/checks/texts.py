"""Checks of small texts that many files carry: lengths, windows, zones, times of day, formats."""

from __future__ import annotations

import re
import time
import zoneinfo
from datetime import date

from app.problems import Problems
from profiles.windows import Window, parse_length, parse_window
from rules.suggest import suggest
from sinks.channels.settings import parse_seconds

_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
EPOCHS = ("epoch_s", "epoch_ms", "epoch_us")


def check_length(text: str | None, where: str, problems: Problems) -> None:
    """A length such as ``30d``; None is no length at all and fine."""
    if text is not None:
        try:
            parse_length(text)
        except ValueError as error:
            problems.add(where, *_split(error))


def check_seconds(text: str, where: str, problems: Problems) -> None:
    """A length of channels.yaml, which may be of seconds, such as ``30s``."""
    try:
        parse_seconds(text)
    except ValueError as error:
        problems.add(where, *_split(error))


def check_window(text: str, where: str, problems: Problems) -> Window | None:
    """A window such as ``30d offset 30d`` or ``month``; the window read, or None."""
    try:
        return parse_window(text)
    except ValueError as error:
        problems.add(where, *_split(error))
        return None


def check_zone(zone: str | None, where: str, problems: Problems) -> None:
    """A time zone of the IANA database."""
    zones = zoneinfo.available_timezones()
    if zone is not None and zone not in zones:
        near = suggest(zone, zones, "zone")  # six hundred zones are no help: only a near one is named
        problems.add(
            where, f"'{zone}' is no time zone", near if near.startswith("did you mean") else _ZONE_HINT
        )


def check_currency(currency: str | None, where: str, problems: Problems) -> None:
    """A currency's code as ISO 4217 has it; none is fine."""
    if currency and not re.fullmatch(r"[A-Z]{3}", currency):
        problems.add(where, f"'{currency}' is no currency", "write three capitals (EUR)")


def check_time_of_day(text: str, where: str, problems: Problems) -> None:
    """A local time of day, HH:MM."""
    if not _TIME_OF_DAY.fullmatch(text):
        problems.add(where, f"'{text}' is no time of day", "write HH:MM, such as 09:30")


def check_date(text: str, where: str, problems: Problems) -> None:
    """A date, YYYY-MM-DD."""
    try:
        known = date.fromisoformat(text).isoformat() == text
    except ValueError:
        known = False
    if not known:
        problems.add(where, f"'{text}' is no date", "write YYYY-MM-DD, such as 2026-12-01")


def check_time_format(text: str | None, where: str, problems: Problems, epochs: bool = False) -> None:
    """A strptime form; with ``epochs`` also epoch_s, epoch_ms, epoch_us."""
    if text is None or (epochs and text in EPOCHS):
        return
    try:
        time.strptime("", text)
    except ValueError as error:
        # An empty text fits no form: only a complaint about the form itself is a problem.
        if "bad directive" in str(error) or "stray %" in str(error):
            problems.add(
                where, f"'{text}' is no time format", "write strptime directives such as %Y-%m-%d %H:%M:%S"
            )
            return
    if "%" not in text:
        known = ", ".join(EPOCHS) + " or " if epochs else ""
        problems.add(
            where, f"'{text}' is no time format", f"write {known}directives such as %Y-%m-%d %H:%M:%S"
        )


_ZONE_HINT = "write a name such as Asia/Shanghai, Europe/London or UTC"


def _split(error: ValueError) -> tuple[str, str]:
    """Split a message ``what; what to do`` of profiles/windows.py."""
    problem, _, hint = str(error).partition("; ")
    return problem, hint or "write a shorter one"
