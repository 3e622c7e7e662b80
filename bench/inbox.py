"""Inboxes: reads at 2,000 a second through the API and from the store, and writes a second of CPU.

    python -m bench.inbox [--rate 2000] [--seconds 10] [--messages 20] [--processes 1]

Reads are sent on a schedule, whatever the answers do: a time runs from when a read was due.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import secrets
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import numpy as np
import redis

from app.load import load_shop
from console.form import Answers, Coupons, Deliveries, Effects, Rights, Sending, View, Work
from console.keys import Keyring
from console.server import Server, build_app, listen
from console.serving import Serving
from console.tokens import Bearer, Tokens
from sinks.channels.inbox import InboxProvider, InboxSettings
from sinks.channels.message import Message
from sinks.channels.provider import Around
from sinks.inbox.inbox import Inboxes
from sinks.store.beside import asynchronous
from sinks.store.server import EmbeddedServer
from sinks.store.store import Store

SHOP = Path(__file__).resolve().parent.parent / "examples" / "shop"
CUSTOMERS = 2_000
CONNECTIONS = 64
TEXT = "您常逛的 鞋 上新了，回来看看？满 299 元包邮，今天下单明天送达。"


class _Idle:
    """What an inbox does not ask: rows that wait, and effects."""

    def behind_since(self) -> float | None:
        return None

    def listen(self, *_: object) -> None:
        """Bring no news."""


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--messages", type=int, default=20)
    parser.add_argument("--processes", type=int, default=1, help="of the API")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _store(Path(folder)) as server:
        rng = np.random.default_rng(7)
        customers = [rng.bytes(16) for _ in range(CUSTOMERS)]
        _write(server, customers, said.messages)
        _read_one_by_one(server, customers)
        count = said.rate * said.seconds
        who = [customers[at] for at in rng.integers(0, CUSTOMERS, count)]
        _tell(f"store, {said.messages} messages an inbox", said.rate, _from_store(server, who, said.rate))
        with _served(server, Path(folder), said.processes) as (port, tokens):
            asked = [tokens.make(Bearer(one, int(time.time()) + 3600)) for one in who]
            asyncio.run(_over_http(port, asked[: said.rate], said.rate))  # warm
            times = asyncio.run(_over_http(port, asked, said.rate))
            _tell(f"API, {said.processes} process(es)", said.rate, times)


def _tell(what: str, rate: int, times: list[float]) -> None:
    p50, p99 = np.percentile(np.array(times) * 1000, [50, 99])
    print(f"{what}: {len(times):,} reads at {rate:,} a second: p50 {p50:.2f} ms, p99 {p99:.2f} ms")


@contextlib.contextmanager
def _store(folder: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(folder / "store")
    try:
        yield server
    finally:
        server.stop()


def _write(server: EmbeddedServer, customers: list[bytes], messages: int) -> None:
    """Put messages through the provider, 500 at once; print how many a second, and of CPU of this process."""

    async def work() -> None:
        async with asynchronous(server.client) as store:
            around = Around(Path(), print, store=store, shop="bench", partitions=1)
            provider = InboxProvider(InboxSettings(), around)
            made = [
                Message(secrets.token_hex(16), 0, "phone:1", "app", "x", TEXT, "好久不见", one.hex())
                for _ in range(messages) for one in customers
            ]  # fmt: skip
            wall, cpu = time.perf_counter(), time.process_time()
            for at in range(0, len(made), 500):
                await provider.send(made[at : at + 500])
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            print(f"writes: {len(made) / wall:,.0f} a second, {len(made) / cpu:,.0f} a second of CPU")

    asyncio.run(work())


def _read_one_by_one(server: EmbeddedServer, customers: list[bytes]) -> None:
    """Read inboxes one after the other; print how many a second of CPU of this process."""
    inboxes, cpu = Inboxes(server.client, "bench", 1), time.process_time()
    for one in customers:
        inboxes.read(one, time.time())
    print(f"reads of the store: {len(customers) / (time.process_time() - cpu):,.0f} a second of CPU")


async def _paced(count: int, rate: int, ask: Callable[[int], Awaitable[None]]) -> list[float]:
    """Ask ``count`` times on schedule; return seconds from when each was due to its end."""
    begun, times = time.perf_counter() + 0.2, [0.0] * count
    running: set[asyncio.Task[None]] = set()

    async def one(number: int) -> None:
        await ask(number)
        times[number] = time.perf_counter() - begun - number / rate

    for number in range(count):
        wait = begun + number / rate - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(one(number))
        running.add(task)
        task.add_done_callback(running.discard)
    while running:
        await asyncio.wait(set(running))
    return times


def _from_store(server: EmbeddedServer, who: list[bytes], rate: int) -> list[float]:
    inboxes = Inboxes(server.client, "bench", 1)

    async def work() -> list[float]:
        with ThreadPoolExecutor(8) as threads:
            loop = asyncio.get_running_loop()

            async def ask(number: int) -> None:
                await loop.run_in_executor(threads, inboxes.read, who[number], time.time())

            return await _paced(len(who), rate, ask)

    return asyncio.run(work())


@contextlib.contextmanager
def _served(server: EmbeddedServer, folder: Path, processes: int) -> Iterator[tuple[int, Tokens]]:
    """Serve inboxes in processes of their own, on one socket; yield its port."""
    listening, tokens = listen("127.0.0.1", 0), Tokens(folder, "bench")
    tokens.make(Bearer(bytes(16), 0))
    kwargs = server.client.connection_pool.connection_kwargs
    where = (kwargs["port"], kwargs["password"])
    context = multiprocessing.get_context("fork")
    serving = [context.Process(target=_serve, args=(listening, where, folder)) for _ in range(processes)]
    for one in serving:
        one.start()
    try:
        yield listening.getsockname()[1], tokens
    finally:
        for one in serving:
            one.terminate()
            one.join()
        listening.close()


def _serve(listening: Any, where: tuple[int, str], folder: Path) -> None:
    client = redis.Redis(port=where[0], password=where[1])
    shop = load_shop(SHOP)
    settings = shop.settings.model_copy(update={"name": "bench", "partitions": 1})
    shop, idle = shop.model_copy(update={"settings": settings}), _Idle()
    made = Serving(
        shop, Store(client, "bench"), cast(View, idle), cast(Work, idle), cast(Answers, idle),
        cast(Effects, idle), cast(Rights, idle), cast(Deliveries, idle), cast(Sending, idle),
        cast(Coupons, idle), Keyring(folder),
    )  # fmt: skip
    Server(build_app(made), listening).run()


async def _over_http(port: int, tokens: list[str], rate: int) -> list[float]:
    """Ask for each token's inbox over connections that stay."""
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", port))

    async def ask(number: int) -> None:
        reader, writer = await free.get()
        bearer = f"Authorization: Bearer {tokens[number]}"
        writer.write(f"GET /v1/profiles/me/messages HTTP/1.1\r\nHost: x\r\n{bearer}\r\n\r\n".encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200"), answer
        length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        free.put_nowait((reader, writer))

    try:
        return await _paced(len(tokens), rate, ask)
    finally:
        while not free.empty():
            free.get_nowait()[1].close()


if __name__ == "__main__":
    main()
