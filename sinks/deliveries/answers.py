"""What customers have answered: who, to which message, when, and whether it unsubscribes; and what of it the
log knows. Neither its words nor its address are kept."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from engine.outcome import Decision
from sinks.deliveries.ledger import Ledger
from streams.control import Control, receipt

REPLIED, UNSUBSCRIBED = "replied", "unsubscribed"  # in the log: beside the states of deliveries


@dataclass(frozen=True)
class Answer:
    """One customer's answer, of which the log has not been told. decision: of the message that is answered,
    None where the channel has sent none of late."""

    id: int
    customer: str
    channel: str
    opts_out: bool
    decision: Decision | None


def untold(ledger: Ledger, limit: int) -> list[Answer]:
    """Return up to ``limit`` answers of which the log has not been told."""
    rows = ledger.rows(
        "SELECT a.id, a.customer, a.channel, a.opts_out, c.body FROM answer a "
        "LEFT JOIN decision c USING (number) WHERE a.told = 0 ORDER BY a.id LIMIT ?", (limit,),
    )  # fmt: skip
    return [
        Answer(at, customer, channel, bool(opts_out),
               None if body is None else msgspec.json.decode(body, type=Decision))
        for at, customer, channel, opts_out, body in rows
    ]  # fmt: skip


def record_of(one: Answer, made: Decision) -> Control:
    """Return what the log is told of an answer to a message, which was another's if the number is too."""
    state = UNSUBSCRIBED if one.opts_out else REPLIED
    return receipt(bytes.fromhex(made.customer), made.id, made.trigger, made.minute, made.cause, state)


def has_opted_out(ledger: Ledger, customer: str, channel: str) -> bool:
    """Say whether a customer has unsubscribed from a channel and the log does not know yet."""
    query = (
        "SELECT EXISTS (SELECT 1 FROM answer WHERE told = 0 AND opts_out = 1 AND customer = ? "
        "AND channel = ?)"
    )
    return bool(ledger.rows(query, (customer, channel))[0][0])


@dataclass(frozen=True)
class Given:
    """An answer as an export has it. at: seconds since 1970; decision: of its message, if it has one."""

    at: float
    channel: str
    decision: str | None
    unsubscribes: bool


def answers_of(ledger: Ledger, customer: str) -> list[Given]:
    """Return what a customer (32 hex digits) has answered, in order."""
    rows = ledger.rows(
        "SELECT a.at, a.channel, c.id, a.opts_out FROM answer a LEFT JOIN decision c USING (number) "
        "WHERE a.customer = ? ORDER BY a.id", (customer,),
    )  # fmt: skip
    return [Given(at, channel, decision, bool(opts_out)) for at, channel, decision, opts_out in rows]


def of_nobody(ledger: Ledger) -> dict[str, int]:
    """Return how many answers came from whom nobody is known by, replies and others."""
    found = dict(ledger.rows("SELECT opts_out, count(*) FROM answer WHERE customer = '' GROUP BY 1"))
    return {REPLIED: found.get(0, 0), UNSUBSCRIBED: found.get(1, 0)}
