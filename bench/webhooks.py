"""Webhooks a second that a core sends, signed, to a server on loopback in another process.

``python -m bench.webhooks`` prints sends a second of CPU of the sending process (not of the receiver), the
same with all that a delivery is (claimed before, settled behind, on a disk that syncs), and beside them the
same POST without signature, guard and outcome, which is what the HTTP client itself costs.
"""

from __future__ import annotations

import asyncio
import base64
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import uvloop

from bench.deliveries import MINUTE, make, queue
from sinks.channels.batch import Batch
from sinks.channels.message import Message
from sinks.channels.outcome import Accepted
from sinks.channels.provider import Around
from sinks.channels.web.webhook import Webhook, WebhookSettings, write_body
from sinks.deliveries.dispatch import Dispatcher
from sinks.deliveries.lane import Lane, Surroundings
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import State
from sinks.deliveries.limits import Limits

MESSAGES, BATCH, CONNECTIONS = 20_000, 500, 8
# Answers every whole request with 204 and counts nothing: it must not be what is waited for.
_SERVER = """
import asyncio
class Answer(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.waiting = transport, b""
    def data_received(self, data):
        self.waiting += data
        while (end := self.waiting.find(b"\\r\\n\\r\\n")) >= 0:
            head = self.waiting[:end].lower()
            length = int(head.split(b"content-length:")[1].split(b"\\r\\n")[0])
            if len(self.waiting) < end + 4 + length:
                return
            self.waiting = self.waiting[end + 4 + length:]
            self.transport.write(b"HTTP/1.1 204 No Content\\r\\n\\r\\n")
async def main():
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""
MESSAGE = Message(
    "0" * 32, 29_540_000, "phone:13800001001", "crm", "win_back",
    "好久不见！您常逛的 鞋 上新了，回来看看？",
    customer="c" * 32, trigger="win_back", values={"category": "鞋"},
)  # fmt: skip


def main() -> None:
    """Print the figures."""
    server = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}/hook"
        signed = uvloop.run(_webhook(url))
        whole = _deliveries(url)
        bare = uvloop.run(_bare(url))
    finally:
        server.terminate()
        server.wait()
    print(f"{MESSAGES} webhooks of {len(write_body(MESSAGE))} bytes, {CONNECTIONS} connections")
    for what, (of_cpu, of_time) in (
        ("signed, guarded", signed), ("claimed and settled too", whole), ("HTTP client alone", bare)
    ):  # fmt: skip
        print(f"{what}: {of_cpu:,.0f} a second of CPU of a core, {of_time:,.0f} a second of time")


def _hook(url: str) -> Webhook:
    settings = WebhookSettings(
        url=url, secrets_env=["HOOK"], plain_http=True, allow=["127.0.0.1"], connections=CONNECTIONS
    )
    secret = "whsec_" + base64.b64encode(b"s" * 32).decode()
    return Webhook(settings, Around(Path(), print, environment={"HOOK": secret}))


async def _webhook(url: str) -> tuple[float, float]:
    hook = _hook(url)
    await hook.open()

    async def send(first: int) -> None:
        messages = [replace(MESSAGE, id=f"{n:032x}") for n in range(first, first + BATCH)]
        batch = Batch(messages)
        await hook.send(batch)
        assert all(isinstance(one, Accepted) for one in batch.outcomes("lost"))

    measured = await _measure(send)
    await hook.close()
    return measured


def _deliveries(url: str) -> tuple[float, float]:
    """Drain a ledger of queued deliveries; return how many a second of CPU and of time."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder))
        for first in range(0, MESSAGES, BATCH):
            queue(ledger, first, first + BATCH)
        cpu, at = time.process_time(), time.perf_counter()
        uvloop.run(_drain(ledger, url))
        cpu, at = time.process_time() - cpu, time.perf_counter() - at
        assert ledger.count(State.SENT) == MESSAGES
        ledger.close()
    return MESSAGES / cpu, MESSAGES / at


async def _drain(ledger: Ledger, url: str) -> None:
    around = Surroundings(
        ledger, make, lambda _: None, lambda: MINUTE * 60.0, random.Random(1), lambda _: None, print
    )  # fmt: skip
    hook = _hook(url)
    await hook.open()
    lane = Lane(around, "sms", "sms/0", hook, Limits([]), 0, 1)
    await Dispatcher(around, {"sms": [lane]}).run_until_idle()
    await hook.close()


async def _bare(url: str) -> tuple[float, float]:
    import aiohttp

    body = write_body(MESSAGE)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session:

        async def post() -> None:
            async with session.post(url, data=body) as response:
                assert response.status == 204

        async def send(_: int) -> None:
            await asyncio.gather(*(post() for _ in range(BATCH)))

        return await _measure(send)


async def _measure(send: Callable[[int], Awaitable[None]]) -> tuple[float, float]:
    """Return messages a second of CPU and of time, after one batch to warm up."""
    await send(0)
    cpu, at = time.process_time(), time.perf_counter()
    for first in range(0, MESSAGES, BATCH):
        await send(first)
    return MESSAGES / (time.process_time() - cpu), MESSAGES / (time.perf_counter() - at)


if __name__ == "__main__":
    main()
