"""Looking at deliveries: lists with filters, one delivery's whole life, and counts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

_COLUMNS = (
    "number, id, customer, d.trigger, channel, template, purpose, state, reason, attempts, parts, decided, "
    "expires, iif(paused IS NULL, due, NULL), changed, k.first, coalesce(k.times, 0), "
    "(SELECT min(at) FROM answer w WHERE w.number = d.number), "
    "(SELECT count(*) FROM answer w WHERE w.number = d.number), "
    "EXISTS (SELECT 1 FROM answer w WHERE w.number = d.number AND opts_out = 1)"
)
_FROM = "FROM delivery d JOIN decision c USING (number) LEFT JOIN click k USING (number)"
_ATTEMPT = (
    "attempt, provider, claimed, ended, outcome, reference, parts, code, reason, receipt, receipt_at, "
    "receipt_code"
)


@dataclass(frozen=True)
class Wanted:
    """Which deliveries: None, where anything will do. since: decided then or later, seconds since 1970;
    until: decided before."""

    state: str | None = None
    channel: str | None = None
    trigger: str | None = None
    customer: str | None = None
    since: float | None = None
    until: float | None = None

    def where(self) -> tuple[str, list[Any]]:
        """Return the condition and its values."""
        named = {
            "state = ?": self.state, "channel = ?": self.channel, "d.trigger = ?": self.trigger,
            "customer = ?": self.customer, "decided >= ?": self.since, "decided < ?": self.until,
        }  # fmt: skip
        asked = {text: value for text, value in named.items() if value is not None}
        return " AND ".join(asked) or "1", list(asked.values())


@dataclass(frozen=True)
class Listed:
    """A delivery in a list. Times in seconds since 1970; due: when it goes on, of what is queued, and None
    while it is paused; clicked: when its link was followed first, and clicks: how often; replied: when it was
    answered first, replies: how often, unsubscribed: whether one of them wants no more messages."""

    number: int
    id: str
    customer: str
    trigger: str
    channel: str
    template: str
    purpose: str
    state: str
    reason: str
    attempts: int
    parts: int
    decided: float
    expires: float
    due: float | None
    changed: float
    clicked: float | None
    clicks: int
    replied: float | None
    replies: int
    unsubscribed: bool


@dataclass(frozen=True)
class Attempt:
    """One attempt; outcome: ``accepted``, ``refused: ...``, ``unknown``, empty while it is on its way."""

    attempt: int
    provider: str
    claimed: float
    ended: float | None
    outcome: str
    reference: str | None
    parts: int | None
    code: str
    reason: str
    receipt: str | None
    receipt_at: float | None
    receipt_code: str | None


@dataclass(frozen=True)
class Act:
    """What a person did, and why."""

    at: float
    act: str
    reason: str


@dataclass(frozen=True)
class Count:
    """Deliveries of a trigger, on a day (UTC, from 1970), by a channel, in a state; parts: as charged;
    clicked: of how many somebody has followed the link; replied: how many were answered, and unsubscribed: of
    these, how many by who wants no more; last: when the last of what is queued, and not paused, is due; cost:
    of the parts at the providers' present prices, in the shop's currency, None where one is not known."""

    trigger: str
    day: int
    channel: str
    state: str
    deliveries: int
    parts: int
    clicked: int
    replied: int
    unsubscribed: int
    last: float | None
    cost: str | None


def listed(
    connection: sqlite3.Connection, wanted: Wanted, limit: int, after: int = 0, newest: bool = False
) -> list[Listed]:
    """Return deliveries in the order of deciding, or the newest first; those behind a number in that order,
    0: from its beginning."""
    where, values = wanted.where()
    order, behind = ("DESC", "<") if newest and after else ("DESC" if newest else "ASC", ">")
    query = f"SELECT {_COLUMNS} {_FROM} WHERE number {behind} ? AND {where} ORDER BY number {order} LIMIT ?"
    return [_listed(row) for row in connection.execute(query, (after, *values, limit))]


def _listed(row: tuple[Any, ...]) -> Listed:
    return Listed(*(*row[:-1], bool(row[-1])))


def life_of(
    connection: sqlite3.Connection, delivery: str
) -> tuple[Listed, Sequence[Attempt], Sequence[Act]] | None:
    """Return a delivery by its id with its attempts and what was done by hand; None where there is none."""
    query = f"SELECT {_COLUMNS} {_FROM} WHERE id = ? AND outcome = 'act'"
    row = connection.execute(query, (delivery,)).fetchone()
    if row is None:
        return None
    found = _listed(row)
    attempts = f"SELECT {_ATTEMPT} FROM attempt WHERE number = ? ORDER BY attempt"  # noqa: S608 - constants
    acts = "SELECT at, act, reason FROM by_hand WHERE number = ? ORDER BY id"
    return (
        found,
        [Attempt(*one) for one in connection.execute(attempts, (found.number,))],
        [Act(*one) for one in connection.execute(acts, (found.number,))],
    )


def counts(
    connection: sqlite3.Connection, wanted: Wanted, prices: Mapping[str, Decimal] = MappingProxyType({})
) -> list[Count]:
    """Return deliveries counted by trigger, day, channel and state. prices: of one part, by provider
    (``channel/name``), of those whose is known."""
    where, values = wanted.where()
    query = (  # of constants, as the next one
        "SELECT d.trigger, CAST(decided / 86400 AS INTEGER) AS day, channel, state, count(*), sum(parts), "  # noqa: S608
        "count(k.number), "
        "sum(EXISTS (SELECT 1 FROM answer w WHERE w.number = d.number)), "
        "sum(EXISTS (SELECT 1 FROM answer w WHERE w.number = d.number AND opts_out = 1)), "
        "max(due) FILTER (WHERE state = 'queued' AND paused IS NULL) "
        f"{_FROM} WHERE {where} GROUP BY 1, 2, 3, 4 ORDER BY 2, 1, 3, 4"
    )
    charged = (
        "SELECT d.trigger, CAST(decided / 86400 AS INTEGER), channel, state, a.provider, sum(a.parts) "  # noqa: S608
        "FROM delivery d JOIN decision c USING (number) JOIN attempt a USING (number) "
        f"WHERE a.parts > 0 AND {where} GROUP BY 1, 2, 3, 4, 5"
    )
    parts: dict[tuple[Any, ...], dict[str, int]] = {}
    for *key, provider, number in connection.execute(charged, values) if prices else ():
        parts.setdefault(tuple(key), {})[provider] = number
    return [
        Count(*(*row, _cost(row[2], parts.get(tuple(row[:4]), {}), prices)))
        for row in connection.execute(query, values)
    ]


def _cost(channel: str, parts: Mapping[str, int], prices: Mapping[str, Decimal]) -> str | None:
    """Return what parts cost, by provider; None where that is not known."""
    if not parts:
        return "0" if any(one.startswith(f"{channel}/") for one in prices) else None
    if not parts.keys() <= prices.keys():
        return None
    return f"{sum((prices[one] * number for one, number in parts.items()), Decimal(0)):f}"


def states_of(connection: sqlite3.Connection, decisions: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return (state, reason) of those decisions to act, by their ids, that became deliveries."""
    query = (
        "SELECT id, state, reason FROM decision JOIN delivery USING (number) "
        "WHERE outcome = 'act' AND id IN (SELECT value FROM json_each(?))"
    )
    found = connection.execute(query, (json.dumps(list(decisions)),))
    return {name: (state, reason) for name, state, reason in found}


def off(connection: sqlite3.Connection) -> dict[str, str]:
    """Return what a cluster's sender has switched off, by its names in the log, and why."""
    return dict(connection.execute("SELECT what, reason FROM off ORDER BY what"))
