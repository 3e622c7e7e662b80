"""What a channel is: it takes messages that are decided and on disk, and carries them out."""

from __future__ import annotations

from typing import Protocol

from sinks.channels.message import Message


class Channel(Protocol):
    """One way out. A channel is given each decision's message at most once."""

    def send(self, message: Message) -> None:
        """Carry the message out; when this returns it is out."""

    def close(self) -> None:
        """Let go of what the channel holds; it may be closed twice."""
