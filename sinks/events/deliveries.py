"""Changes of a delivery's state as events."""

from __future__ import annotations

from dataclasses import dataclass

from sinks.events.envelope import Envelope, moment_text, source_of


@dataclass(frozen=True)
class DeliveryChange:
    """A delivery came into another state, or into its first. It names no address and quotes no text.

    number: its place among the ledger's changes, a cursor; partition, seq, id: the decision's; change: which
    one of this delivery it is, from 1; attempt: how many were made; provider: of the last one,
    ``channel/name``, empty before the first; at: seconds since 1970 (of the first state: the decision's
    minute).
    """

    number: int
    partition: int
    seq: int
    id: str
    customer: str
    trigger: str
    channel: str
    template: str
    purpose: str
    change: int
    state: str
    attempt: int
    provider: str
    at: float
    reason: str


def event_of_change(one: DeliveryChange, shop: str) -> Envelope:
    """Return the event of a change, ``tintype.delivery.STATE``.

    Its id is PARTITION-SEQ-CHANGE: that of the decision's event, and which change of the delivery it is. It
    says nothing of the ledger that holds it, so it is the same wherever the change is told.
    """
    at, place = moment_text(one.at), f"{one.partition}-{one.seq}-{one.change}"
    return Envelope(
        place, source_of(shop), delivery_type(one.state), one.customer, at,
        {
            "partition": one.partition, "seq": one.seq, "decision": one.id, "customer": one.customer,
            "trigger": one.trigger, "channel": one.channel, "template": one.template, "purpose": one.purpose,
            "change": one.change, "state": one.state, "attempt": one.attempt, "provider": one.provider,
            "at": at, "reason": one.reason,
        },
    )  # fmt: skip


def delivery_type(state: str) -> str:
    """Return the type of an event that tells of a state.

    >>> delivery_type("held back")
    'tintype.delivery.held-back'
    """
    return f"tintype.delivery.{state.replace(' ', '-')}"
