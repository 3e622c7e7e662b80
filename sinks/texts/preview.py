"""What a message would say, without sending it: the text, how long it is, and what stands against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sinks.channels.message import HeldBack, Value
from sinks.texts.escape import EscapeName
from sinks.texts.texts import Texts, Written
from sinks.texts.words import Template


@dataclass(frozen=True)
class Parts:
    """How an SMS is charged. encoding: such as GSM 7-bit or UCS-2; units: of it, in all; parts: messages."""

    encoding: str
    units: int
    parts: int


Measure = Callable[[str], Parts]


@dataclass(frozen=True)
class Preview:
    """What would be sent; None where it would be held back, for the reason given.

    characters: of the text; sms: how it is charged, of a channel of SMS.
    """

    written: Written | None
    held_back: str | None
    characters: int = 0
    sms: Parts | None = None


def preview(
    texts: Texts, template: Template, values: Mapping[str, Value], escape: EscapeName = "plain",
    measure: Measure | None = None,
) -> Preview:  # fmt: skip
    """Return what a message of these values would say. measure: of SMS, where the channel is one.

    Raises TextError for a template that the check refuses.
    """
    try:
        written = texts.write(template, values, escape)
    except HeldBack as reason:
        return Preview(None, str(reason))
    sms = measure(written.text) if measure is not None else None
    return Preview(written, None, len(written.text), sms)


def note_on_parts(sms: Parts) -> str | None:
    """Return what whoever writes an SMS should know of its length; None where there is nothing to say.

    >>> note_on_parts(Parts("UCS-2", 95, 2))
    'is charged as 2 messages (95 units of UCS-2)'
    """
    if sms.parts <= 1:
        return None
    return f"is charged as {sms.parts} messages ({sms.units} units of {sms.encoding})"
