"""The console channel: a line for each message, for trying and for development."""

from __future__ import annotations

from collections.abc import Callable

from sinks.channels.message import Message


class ConsoleChannel:
    """Writes ``channel -> to: text`` through ``write``, which adds the end of the line."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def send(self, message: Message) -> None:
        """Write the message."""
        self._write(f"{message.channel} -> {message.to}: {message.text}")

    def close(self) -> None:
        """Nothing is held."""
