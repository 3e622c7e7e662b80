"""The console: a line for each message, for trying and for development."""

from __future__ import annotations

from typing import Literal

from sinks.channels.batch import Batch
from sinks.channels.outcome import Accepted
from sinks.channels.provider import Around
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

    async def send(self, batch: Batch) -> None:
        """Write the messages."""
        for message in batch:
            self._write(f"{message.channel} -> {message.to}: {message.text}")
            batch.tell(message, Accepted())

    async def close(self) -> None:
        """Nothing is held."""
