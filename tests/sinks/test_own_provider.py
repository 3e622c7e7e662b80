"""What docs/channels shows runs: write-your-own.md's provider passes the contract, the receiver verifies."""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
import socketserver
import sys
import threading
import types
from collections.abc import Iterator, Sequence
from http.server import HTTPServer
from pathlib import Path
from typing import Any, Literal

import pytest

from sinks.channels.outcome import Accepted, Refused
from sinks.channels.provider import Around, Provider, Receipt
from sinks.channels.settings import ProviderSettings
from sinks.channels.web.webhook import Webhook, WebhookSettings
from tests.sinks.provider_contract import MESSAGE, ProviderContract, handed
from tests.sinks.test_webhook import NEW, OLD

FOLDER = Path(__file__).parents[2] / "docs" / "channels"
ANSWERS = {"retry": b"NO busy\n", "give_up": b"NO such pager\n", "stop": b"NO login\n"}


def shown(page: str, name: str) -> types.ModuleType:
    """Return what a page of docs/channels shows in its block ```python NAME, as a module."""
    text = (FOLDER / page).read_text("utf-8")
    (code,) = re.findall(rf"^```python {name}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    module = types.ModuleType(f"shown_{name}")
    sys.modules[module.__name__] = module  # pydantic looks annotations up there
    exec(compile(code, f"docs/channels/{page}", "exec"), module.__dict__)
    return module


class FarPager:
    """The pager, on loopback."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.next: list[bytes | None] = []
        self.receipts: list[Receipt] = []
        self.port = 0
        self.come_back()
        module = shown("write-your-own.md", "provider")
        settings = module.PagerSettings(host="127.0.0.1", port=self.port)
        assert isinstance(settings, ProviderSettings)
        self.provider: Provider = module.Pager(settings, Around(Path(), print))

    def come_back(self) -> None:
        far = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                line = self.rfile.readline().decode()
                answer = far.next.pop(0) if far.next else b"OK\n"
                if answer == b"OK\n":
                    far.lines.append(line)
                if answer is not None:
                    self.wfile.write(answer)

        socketserver.TCPServer.allow_reuse_address = True
        self._server = socketserver.TCPServer(("127.0.0.1", self.port), Handler)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def go_away(self) -> bool:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        return True

    def came_out(self) -> Sequence[str]:
        return self.lines

    def refuse(self, verdict: Literal["retry", "give_up", "stop"]) -> bool:
        self.next.append(ANSWERS[verdict])
        return True

    def break_off(self) -> bool:
        self.next.append(None)
        return True


class TestOwnProvider(ProviderContract):
    @pytest.fixture
    def far(self) -> Iterator[FarPager]:
        far = FarPager()
        yield far
        far.go_away()


def test_the_receiver_of_the_page_takes_a_webhook_once_and_refuses_a_forged_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    receiver: Any = shown("webhooks.md", "receiver").Receiver
    monkeypatch.setenv("CRM_HOOK_SECRET", NEW)
    monkeypatch.setattr(receiver, "log_message", lambda *_: None)
    server = HTTPServer(("127.0.0.1", 0), receiver)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            outcomes = [sent(server.server_address[1], secret) for secret in (NEW, NEW, OLD)]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert outcomes[:2] == [Accepted(MESSAGE.id)] * 2
    assert isinstance(outcomes[2], Refused)
    assert (outcomes[2].verdict, outcomes[2].code) == ("stop", "401")
    assert printed.getvalue() == f"{MESSAGE.to} {MESSAGE.text}\n"


def sent(port: Any, secret: str) -> Any:
    """Send the message, signed with a secret."""
    url = f"http://127.0.0.1:{port}/"
    settings = WebhookSettings(url=url, secrets_env=["S"], plain_http=True, allow=["127.0.0.1"])

    async def work() -> Any:
        hook = Webhook(settings, Around(Path(), print, environment={"S": secret}))
        await hook.open()
        try:
            (outcome,) = await handed(hook, [MESSAGE])
            return outcome
        finally:
            await hook.close()

    return asyncio.run(work())
