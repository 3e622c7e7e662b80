"""Messages of a channel into inboxes: the contract, on a real store behind a wire that can break."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from sinks.channels.inbox import InboxProvider, InboxSettings
from sinks.channels.message import Message
from sinks.channels.outcome import Accepted, Outcome, Refused
from sinks.channels.provider import Around, Receipt
from sinks.inbox.inbox import Inboxes
from sinks.inbox.message import InboxMessage
from sinks.inbox.putting import DIGEST
from sinks.store.beside import asynchronous
from sinks.store.server import EmbeddedServer
from tests.sinks.provider_contract import MESSAGE, Loop, ProviderContract, handed

NEVER = Retry(NoBackoff(), 0)
WHO = bytes.fromhex(MESSAGE.customer)


class Wire:
    """Carries bytes between clients and the store; ends a connection, or fills the store, where it is told
    to when a message passes."""

    def __init__(self, port: int, admin: redis.Redis) -> None:
        self._to, self._admin = port, admin
        self.breaks = self.fills = False
        self._open: list[socket.socket] = []
        self.port = 0
        self.listen()

    def listen(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def away(self) -> None:
        """Take no connections, and end those that are."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        while self._open:
            _end(self._open.pop())

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listening.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                self._open += (near, far)
                threading.Thread(target=self._carry, args=(near, far, True), daemon=True).start()
                threading.Thread(target=self._carry, args=(far, near, False), daemon=True).start()

    def _carry(self, source: socket.socket, to: socket.socket, forth: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                puts = forth and b"EVALSHA" in data
                if puts and self.fills:
                    self.fills = False
                    self._admin.config_set("maxmemory", 1)
                    to.sendall(data)
                    to = _Emptied(to, self._admin)  # type: ignore[assignment]  # as far as sendall goes
                    continue
                if puts and self.breaks:
                    self.breaks = False
                    _end(source)
                to.sendall(data)
        _end(source)
        _end(to)


class _Emptied:
    """Gives the store its memory back before the next message."""

    def __init__(self, to: Any, admin: redis.Redis) -> None:
        self._to, self._admin = to, admin

    def sendall(self, data: bytes) -> None:
        self._admin.config_set("maxmemory", 0)
        self._to.sendall(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._to, name)


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


class FarInbox:
    """The store behind a wire."""

    def __init__(self, server: EmbeddedServer, folder: Path) -> None:
        self.receipts: list[Receipt] = []
        self._admin = server.client
        kwargs = server.client.connection_pool.connection_kwargs
        self.wire = Wire(kwargs["port"], server.client)
        store = redis.asyncio.Redis(
            port=self.wire.port, password=kwargs["password"], socket_timeout=5,
            retry=NEVER,
        )  # fmt: skip
        around = Around(folder, lambda _: None, self.receipts.extend, store=store, shop="tea", partitions=4)
        self.provider = InboxProvider(InboxSettings(), around)

    def messages(self) -> list[InboxMessage]:
        return Inboxes(self._admin, "tea", 4).read(WHO, 0).visible

    def came_out(self) -> Sequence[str]:
        return [one.shown.text for one in self.messages()]

    def refuse(self, verdict: str) -> bool:
        self.wire.fills = verdict == "retry"  # the store's memory is full
        return self.wire.fills

    def go_away(self) -> bool:
        self.wire.away()
        return True

    def come_back(self) -> None:
        self.wire.listen()

    def break_off(self) -> bool:
        self.wire.breaks = True
        return True


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    running = EmbeddedServer(tmp_path_factory.mktemp("inbox"))
    yield running
    running.stop()


@pytest.fixture
def far(server: EmbeddedServer, tmp_path: Path) -> Iterator[FarInbox]:
    server.client.flushall()
    server.client.config_set("maxmemory", 0)
    found = FarInbox(server, tmp_path)
    yield found
    with contextlib.suppress(OSError):
        found.wire.away()


class TestInbox(ProviderContract):
    """`far` is a store; nothing that it refuses would never pass later."""

    @pytest.fixture
    def far(self, far: FarInbox) -> FarInbox:
        return far


def sent(far: FarInbox, *messages: Message) -> list[Outcome]:
    async def work() -> list[Outcome]:
        try:
            return await handed(far.provider, messages)
        finally:
            await far.provider.close()

    return asyncio.run(work())


def test_a_message_is_shown_with_all_that_it_brings(far: FarInbox) -> None:
    values = {"link": "https://shop.example/鞋"}
    whole = replace(MESSAGE, priority=5, values=values)
    assert sent(far, whole) == [Accepted(MESSAGE.id)]
    [one] = far.messages()
    assert (one.id, one.priority, one.read, one.dismissed) == (MESSAGE.id, 5, 0, 0)
    shown = one.shown
    assert (shown.title, shown.text, shown.link) == (MESSAGE.title, MESSAGE.text, values["link"])
    assert one.expires - one.created == 30 * 86_400_000


def test_the_same_decision_twice_is_accepted_and_shown_once(far: FarInbox) -> None:
    assert sent(far, MESSAGE) == [Accepted(MESSAGE.id)]
    assert sent(far, MESSAGE) == [Accepted(MESSAGE.id)]
    assert len(far.messages()) == 1


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", " javascript:alert(1)", "data:text/html,x", "//evil", "/\\evil", "x"]
)
def test_a_link_that_could_be_more_than_a_page_is_left_out(far: FarInbox, link: str) -> None:
    sent(far, replace(MESSAGE, values={"link": link}))
    assert [one.shown.link for one in far.messages()] == [""]


def test_nobodys_message_is_given_up_and_the_others_are_put(far: FarInbox) -> None:
    nobody, other = replace(MESSAGE, customer="", id="01" * 16), replace(MESSAGE, id="02" * 16)
    first, second, third = sent(far, MESSAGE, nobody, other)
    assert isinstance(second, Refused)
    assert second.verdict == "give_up"
    assert [first, third] == [Accepted(MESSAGE.id), Accepted(other.id)]


def test_a_store_that_lost_its_scripts_gets_them_again(far: FarInbox, server: EmbeddedServer) -> None:
    sent(far, MESSAGE)
    server.client.script_flush()
    assert sent(far, replace(MESSAGE, id="01" * 16)) == [Accepted("01" * 16)]
    assert server.client.script_exists(DIGEST) == [True]


def test_a_wrong_password_stops_the_channel(server: EmbeddedServer, tmp_path: Path) -> None:
    port = server.client.connection_pool.connection_kwargs["port"]
    wrong = redis.asyncio.Redis(port=port, password="wrong", retry=NEVER)
    provider = InboxProvider(InboxSettings(), Around(tmp_path, lambda _: None, store=wrong, shop="tea"))
    loop = Loop()
    (outcome,) = loop.run(handed(provider, [MESSAGE]))
    loop.run(provider.close())
    loop.close()
    assert isinstance(outcome, Refused)
    assert outcome.verdict == "stop"


def test_without_a_store_the_channel_stops(tmp_path: Path) -> None:
    provider = InboxProvider(InboxSettings(), Around(tmp_path, lambda _: None))
    loop = Loop()
    (outcome,) = loop.run(handed(provider, [MESSAGE]))
    loop.run(provider.close())
    loop.close()
    assert isinstance(outcome, Refused)
    assert outcome.verdict == "stop"


def test_a_client_beside_another_speaks_with_the_same_server(server: EmbeddedServer) -> None:
    server.client.set("x", "1")

    async def read() -> Any:
        async with asynchronous(server.client) as client:
            return await client.get("x")

    assert asyncio.run(read()) == b"1"
