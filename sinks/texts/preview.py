"""What a message would say, without sending it: the text, how long it is, and what stands against it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sinks.channels.message import HeldBack, Message
from sinks.channels.sms_text import count

IN_WORDS = {"gsm": "GSM 7-bit", "ucs2": "UCS-2"}


@dataclass(frozen=True)
class Parts:
    """How an SMS is charged. encoding: such as GSM 7-bit or UCS-2; units: of it, in all; parts: messages."""

    encoding: str
    units: int
    parts: int


Measure = Callable[[str], Parts]


@dataclass(frozen=True)
class Preview:
    """What would be sent; message is None where it would be held back, for the reason given.

    characters: of the text; sms: how it is charged, of a channel of SMS.
    """

    message: Message | None
    held_back: str | None
    characters: int = 0
    sms: Parts | None = None


def preview(make: Callable[[], Message], measure: Measure | None = None) -> Preview:
    """Return what a message would say. make: makes it, as it is made to be sent; raises HeldBack. measure: of
    SMS, where the channel is one.
    """
    try:
        message = make()
        sms = measure(message.text) if measure is not None else None
    except HeldBack as reason:
        return Preview(None, str(reason))
    return Preview(message, None, len(message.text), sms)


def parts_of(text: str, always_ucs2: bool = False) -> Parts:
    """Return how a text is charged as an SMS. always_ucs2: as providers in China count. Raises HeldBack where
    no SMS can carry it.

    >>> parts_of("hello"), parts_of("您好")
    (Parts(encoding='GSM 7-bit', units=5, parts=1), Parts(encoding='UCS-2', units=2, parts=1))
    """
    try:
        counted = count(text, always_ucs2=always_ucs2)
    except ValueError as error:
        raise HeldBack(str(error)) from None
    return Parts(IN_WORDS[counted.alphabet], counted.units, counted.parts)


def note_on_parts(sms: Parts) -> str | None:
    """Return what whoever writes an SMS should know of its length; None where there is nothing to say.

    >>> note_on_parts(Parts("UCS-2", 95, 2))
    'is charged as 2 messages (95 units of UCS-2)'
    """
    if sms.parts <= 1:
        return None
    return f"is charged as {sms.parts} messages ({sms.units} units of {sms.encoding})"
