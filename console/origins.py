"""Which other sites' pages may read inboxes: those named in TINTYPE_ORIGINS, and no other path than these."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from streams.errors import InputError

ENVIRONMENT = "TINTYPE_ORIGINS"
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d+)?|https?://\[[0-9a-fA-F:]+\](:\d+)?")
_INBOX = re.compile(r"/v1/profiles/.+/messages(:read|/.+)?")
_MINUTES = 10  # for which a browser keeps the answer


def origins(environment: Mapping[str, str]) -> list[str]:
    """Return the origins that are named, with spaces or commas between. Raises InputError for what is none.

    >>> origins({"TINTYPE_ORIGINS": "https://shop.example, http://localhost:3000"})
    ['https://shop.example', 'http://localhost:3000']
    """
    found = environment.get(ENVIRONMENT, "").replace(",", " ").split()
    for one in found:
        if not _ORIGIN.fullmatch(one):
            hint = "write scheme and host, such as https://shop.example; each by its name, '*' is none"
            raise InputError(ENVIRONMENT, f"'{one}' is no origin", hint)
    return found


class InboxOrigins:
    """ASGI middleware: lets pages of these origins read inboxes. No cookies: a token comes in a header."""

    def __init__(self, app: ASGIApp, allowed: Sequence[str]) -> None:
        self._app = app
        self._shared = CORSMiddleware(
            app, allow_origins=list(allowed), allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Last-Event-ID"], max_age=_MINUTES * 60,
        )  # fmt: skip

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_inbox = scope["type"] == "http" and _INBOX.fullmatch(scope["path"])
        await (self._shared if is_inbox else self._app)(scope, receive, send)
