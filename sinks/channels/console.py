"""The console: a line for each message, for trying and for development."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sinks.channels.message import Message
from sinks.channels.provider import Accepted, Around, Outcome
from sinks.channels.settings import ProviderSettings


class ConsoleSettings(ProviderSettings):
    """Lines on the terminal."""

    kind: Literal["console"] = "console"


class Console:
    """Writes ``channel -> to: text`` through `Around.write`, which adds the end of the line."""

    def __init__(self, settings: ConsoleSettings, around: Around) -> None:
        self._write = around.write

    async def open(self) -> None:
        """Nothing is connected to."""

    async def send(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Write the messages."""
        for message in messages:
            self._write(f"{message.channel} -> {message.to}: {message.text}")
        return [Accepted() for _ in messages]

    async def close(self) -> None:
        """Nothing is held."""
