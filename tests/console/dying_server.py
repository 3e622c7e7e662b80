"""A shop's API whose process dies, once, after a request was taken and before it is answered.

    python -m tests.console.dying_server SHOP PORT MARK

Dies like by kill -9 at the first tracker request, unless the file MARK exists, which it makes before.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.commands import run


class Dying:
    """ASGI middleware: ends the process where the answer would go out."""

    def __init__(self, app: ASGIApp, mark: Path) -> None:
        self._app = app
        self._mark = mark

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if scope.get("path") == "/v1/batch" and not self._mark.exists():
                self._mark.touch()
                os._exit(137)
            await send(message)

        await self._app(scope, receive, sending)


if __name__ == "__main__":
    import console.server as server

    built = server.build_app

    def build_app(*arguments):
        app = built(*arguments)
        app.add_middleware(Dying, mark=Path(sys.argv[3]))
        return app

    server.build_app = build_app
    sys.exit(run.run(Path(sys.argv[1]), port=int(sys.argv[2]), json=True))
