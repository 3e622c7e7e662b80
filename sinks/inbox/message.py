"""One message of an inbox, and how it stands in the store."""

from __future__ import annotations

import msgspec


class Shown(msgspec.Struct, frozen=True, gc=False):
    """What a customer sees. link: an address that the message leads to, "" for none."""

    title: str
    text: str
    link: str = ""
    trigger: str = ""


class InboxMessage(msgspec.Struct, frozen=True, gc=False):
    """A message. id: the decision's, 32 hex digits. Times are ms since 1970.

    changed: number of its last change, which grows over all changes of one inbox; expires: from when it is
    not shown; read, dismissed: 0 while it was not; body: what is shown, as the store has it.
    """

    id: str
    changed: int
    created: int
    expires: int
    priority: int
    read: int
    dismissed: int
    body: bytes

    @property
    def shown(self) -> Shown:
        """What a customer sees of it, read anew at each look: an inbox holds more than a page shows."""
        return _SHOWN.decode(self.body)

    def is_visible(self, now: int) -> bool:
        """Whether a customer sees it at a time (ms since 1970)."""
        return not self.dismissed and self.expires > now


def unpacked(name: str, value: bytes) -> InboxMessage:
    """Return a message as its field of the inbox's hash has it: six numbers, then JSON (put.lua writes it).

    >>> unpacked("ab", b'5 1 9 0 0 0 {"title": "", "text": "hi"}').shown.text
    'hi'
    """
    *numbers, body = value.split(b" ", 6)
    changed, created, expires, priority, read, dismissed = map(int, numbers)
    return InboxMessage(name, changed, created, expires, priority, read, dismissed, body)


_SHOWN = msgspec.json.Decoder(Shown)
