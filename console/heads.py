"""How the API speaks HTTP: httptools, with a limit to what stands before and behind a request's body."""

from __future__ import annotations

import asyncio
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from console.whole import Whole

MOST_BYTES = 65_536  # of a request's line and headers; the parser has no limit of its own


class BoundedHead(HttpToolsProtocol):
    """One connection. It is ended with status 400 where more than `MOST_BYTES`, and what came with them in
    one piece, are read without any of a body."""

    _unsettled = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(cast(asyncio.Transport, Whole(transport, self.loop)))

    def data_received(self, data: bytes) -> None:
        self._unsettled += len(data)
        super().data_received(data)
        if self._unsettled > MOST_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_body(self, body: bytes) -> None:
        self._unsettled = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unsettled = 0
        super().on_message_complete()
