"""An answer leaves as one piece: its head waits for the first of its body."""

from __future__ import annotations

import asyncio
from typing import Any


class Whole:
    """A connection's transport. uvicorn writes head and body of an answer one after the other, and each piece
    would be a call of the system, a packet, and a waking up of whoever waits for it.

    A head behind which nothing is written at once, as of a stream of events, goes alone as soon as the event
    loop has its turn.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._head = b""
        self.is_closing = transport.is_closing  # asked for with each request

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, piece: bytes) -> None:
        """Write a piece, behind a head that waits."""
        if self._head:
            whole, self._head = self._head + piece, b""
            self._transport.write(whole)
        elif piece.startswith(b"HTTP/"):
            self._head = piece
            self._loop.call_soon(self._alone)
        else:
            self._transport.write(piece)

    def close(self) -> None:
        """End the connection behind what was written."""
        self._alone()
        self._transport.close()

    def _alone(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)
