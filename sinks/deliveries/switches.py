"""Switches as people turn them, beside the running shop: on disk at once, records of the log soon after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sinks.deliveries.ledger import Ledger
from sinks.deliveries.left import left_to
from sinks.deliveries.pausing import PAUSED
from sinks.deliveries.records import Position, Record, Switched, SwitchesTold, Turned


@dataclass(frozen=True)
class Asked:
    """A switch that somebody has turned. what: "" everything, ``channel/NAME`` or ``trigger/NAME``."""

    number: int
    what: str
    off: bool
    reason: str


@dataclass(frozen=True)
class Stopped:
    """What is switched off, everything ("") first, and what is paused, by their names in the log; and why."""

    off: Mapping[str, str]
    paused: Mapping[str, str]


def ask(ledger: Ledger, what: str, to: Position, reason: str, now: float) -> None:
    """Turn a switch; on disk when this returns. now: seconds since 1970.

    A pause is no record of the log: no decision follows from it.
    """
    turned: list[Record] = [Turned(what, to, reason, now)]
    if to != "paused":
        turned.insert(0, Switched(what, to == "off", reason, now))
    ledger.do(*turned)


def asked(ledger: Ledger) -> list[Asked]:
    """Return the switches that are not in the log yet, in the order in which they were turned."""
    rows = ledger.rows("SELECT number, what, off, reason FROM switch ORDER BY number")
    return [Asked(number, what, bool(off), reason) for number, what, off, reason in rows]


def pauses(ledger: Ledger) -> dict[str, str]:
    """Return what is paused, by its name in the log, and why."""
    found = dict(ledger.rows(PAUSED))
    to = left_to(ledger.connection)
    return found if to is None else {**found, "": f"what waits here is sent by {to} now"}


def in_log(ledger: Ledger, number: int) -> None:
    """Forget those up to a number: the log has them."""
    ledger.do(SwitchesTold(number))


def off_with(in_log: Iterable[str], turned: Sequence[Asked]) -> list[str]:
    """Return what is off, everything ("") first: by the log, and by switches that are not in it yet.

    >>> off_with(["channel/sms"], [Asked(1, "", True, "fire"), Asked(2, "channel/sms", False, "mended")])
    ['']
    """
    last = {one.what: one.off for one in turned}
    return sorted({what for what in (*in_log, *last) if last.get(what, True)})


def reasons_with(in_log: Mapping[str, str], turned: Sequence[Asked]) -> dict[str, str]:
    """Return the same with why: of what the log has off, and of what was turned off since.

    >>> reasons_with({"channel/sms": "late"}, [Asked(1, "", True, "fire")])
    {'': 'fire', 'channel/sms': 'late'}
    """
    why = {**in_log, **{one.what: one.reason for one in turned if one.off}}
    return {what: why[what] for what in off_with(in_log, turned)}
