"""A mail server on loopback, steered by a test: what it took in, and what it answers next."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass(frozen=True)
class Taken:
    """One letter that was accepted."""

    sender: str
    to: list[str]
    content: bytes
    connection: int  # a number for each

    @property
    def letter(self) -> EmailMessage:
        return cast(EmailMessage, message_from_bytes(self.content, policy=cast(Any, POLICY)))

    @property
    def text(self) -> str:
        """The text, with the line's end that every letter has."""
        return str(self.letter.get_content())


@dataclass
class Answers:
    """What is answered next, each once, by command (``MAIL RCPT DATA``); ``break`` closes instead."""

    next: dict[str, list[str]] = field(default_factory=dict)

    def put(self, command: str, *answers: str) -> None:
        self.next.setdefault(command, []).extend(answers)

    def pop(self, command: str) -> str | None:
        waiting = self.next.get(command)
        return waiting.pop(0) if waiting else None


class LoopbackSmtp:
    """``password``: of the user shop; nobody needs to log in without."""

    def __init__(
        self, password: str = "", implicit: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        self.taken: list[Taken] = []
        self.connections: list[asyncio.Transport] = []
        self.answers = Answers()
        self.port = 0
        self._password, self._implicit, self._starttls = password, implicit, starttls
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server: asyncio.Server | None = None
        self.come_back()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def come_back(self) -> None:
        """Listen, at the same port as before."""
        self._run(self._listen())

    async def _listen(self) -> None:
        self._server = await self._loop.create_server(
            self._make, "127.0.0.1", self.port, ssl=self._implicit, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]

    def _make(self) -> SMTP:
        return _Noted(
            self, hostname="mail.example", loop=self._loop, tls_context=self._starttls,
            require_starttls=self._starttls is not None, auth_required=bool(self._password),
            auth_require_tls=False, authenticator=self._authenticate if self._password else None,
        )  # fmt: skip

    def _authenticate(self, _: Any, __: Any, ___: Any, mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and data.password == self._password.encode()
        return AuthResult(success=good and data.login == b"shop", handled=False)

    def go_away(self) -> None:
        """Take no connections, and close those that there are."""
        self._run(self._leave())

    async def _leave(self) -> None:
        if self._server:
            self._server.close()
            await self._server.wait_closed()
            self._server = None
        for one in self.connections:
            one.abort()

    def stop(self) -> None:
        """Go away for good."""
        self.go_away()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    # what aiosmtpd asks its handler

    async def handle_MAIL(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self._answer(server, "MAIL") or "250 OK"
        if answer.startswith("250"):
            envelope.mail_from = address
        return answer

    async def handle_RCPT(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self._answer(server, "RCPT") or "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        answer = self._answer(server, "DATA") or "250 OK"
        if answer.startswith("250"):
            content = cast(bytes, envelope.original_content)
            connection = int(session.peer[1]) if session.peer else 0
            self.taken.append(Taken(str(envelope.mail_from), list(envelope.rcpt_tos), content, connection))
        return answer

    def _answer(self, server: Any, command: str) -> str | None:
        answer = self.answers.pop(command)
        if answer == "break":
            server.transport.abort()
            return "451 gone"
        return answer


class _Noted(SMTP):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.event_handler.connections.append(transport)
        super().connection_made(transport)
