"""Control records: what a log holds beside rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

(TICK, RESUME, MANUAL, CONSENT, SETTINGS, CONFLICT, REFERENCE, EPOCH, FRESH, ERASE, CUTS, SWITCH,
 RECEIPT) = (
    "tick", "resume", "manual", "consent", "settings", "conflict", "reference", "epoch", "fresh", "erase",
    "cuts", "switch", "receipt",
)  # fmt: skip
KIND_OF_SOURCE = {"tags": MANUAL, "consent": CONSENT}


@dataclass(frozen=True)
class Control:
    """One control record. customer: 16 bytes, or None where it is nobody's; body: canonical JSON."""

    kind: str
    customer: bytes | None
    body: str


def canonical(body: Mapping[str, Any]) -> str:
    """Write a body as JSON with sorted names and no spaces, so that equal bodies are equal bytes."""
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def manual(customer: bytes, tag: str, on: bool | None, until: int | None = None) -> Control:
    """Set a tag by hand, on or off, with or without an end minute; None removes it (semantics G1)."""
    return Control(MANUAL, customer, canonical({"tag": tag, "on": on, "until": until}))


def consent(customer: bytes, channel: str, purpose: str, granted: bool, until: int | None = None) -> Control:
    """Grant or withdraw consent for a channel and purpose, with or without an end minute."""
    body = {"channel": channel, "purpose": purpose, "granted": granted, "until": until}
    return Control(CONSENT, customer, canonical(body))


def fresh(source: str, until: int) -> Control:
    """Say that a source was heard of until a minute (semantics D4)."""
    return Control(FRESH, None, canonical({"source": source, "until": until}))


def cuts(body: Mapping[str, Any]) -> Control:
    """Put cut points in force (semantics R5); ``body``: as `rfm.record.said` writes it."""
    return Control(CUTS, None, canonical(body))


def switch(what: str, off: bool, reason: str = "") -> Control:
    """Stop everything (what: ""), ``channel/NAME`` or ``trigger/NAME``, or let it go on (semantics D5)."""
    return Control(SWITCH, None, canonical({"what": what, "off": off, "reason": reason}))


def receipt(
    customer: bytes, decision: str, trigger: str, minute: int, cause: Mapping[str, Any], state: str
) -> Control:
    """Say what became of a decision to act of a minute: a state of deliveries.

    One that failed or expired gives back the slots that it has taken of caps (semantics D5).
    """
    body = {"decision": decision, "trigger": trigger, "minute": minute, "cause": cause, "state": state}
    return Control(RECEIPT, customer, canonical(body))


def of_row(kind: str, customer: bytes, values: Mapping[str, Any]) -> Control:
    """Return the control record that a row of a source of tags or consent makes."""
    if kind == MANUAL:
        on = None if values["on"] is None else bool(values["on"])
        return manual(customer, values["tag"], on, values["until"] if on is not None else None)
    return consent(customer, values["channel"], values["purpose"], bool(values["granted"]), values["until"])


def taken_back(kind: str, customer: bytes, body: Mapping[str, Any]) -> Control:
    """Return the record that takes a former one back: the tag by hand removed, the consent withdrawn."""
    if kind == MANUAL:
        return manual(customer, body["tag"], None)
    return consent(customer, body["channel"], body["purpose"], False)
