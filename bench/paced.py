"""Reads on a schedule, whatever the answers do, of a store and of an API in processes of its own.

A time runs from when a read was due, so that whoever falls behind is seen to.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import socket
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, cast

import numpy as np
import redis

from app.load import load_shop
from app.shop import Shop
from console.form import Answers, Coupons, Deliveries, Effects, Rights, Sending, Triggers, View, Work
from console.keys import Keyring
from console.server import Server, build_app, listen
from console.serving import Serving
from sinks.store.server import EmbeddedServer
from sinks.store.store import Store

SHOP = Path(__file__).resolve().parent.parent / "examples" / "shop"
CONNECTIONS = 64


class Idle:
    """What reads do not ask: rows that wait, and effects."""

    def behind_since(self) -> float | None:
        """Return None: nothing waits."""
        return None

    def listen(self, *_: object) -> None:
        """Bring no news."""


@dataclass(frozen=True)
class Api:
    """How each process serves. folder: of the keys; view: customers, as `console.form.View`; made: changes
    what is served."""

    folder: Path
    view: object
    made: Callable[[Serving], None] = lambda _: None


def tell(what: str, rate: int, times: list[float]) -> None:
    """Print how long reads took."""
    p50, p99 = np.percentile(np.array(times) * 1000, [50, 99])
    print(f"{what}: {len(times):,} reads at {rate:,} a second: p50 {p50:.2f} ms, p99 {p99:.2f} ms")


@contextlib.contextmanager
def store_in(folder: Path) -> Iterator[EmbeddedServer]:
    """Yield a store of this run's own."""
    server = EmbeddedServer(folder / "store")
    try:
        yield server
    finally:
        server.stop()


async def paced(count: int, rate: int, ask: Callable[[int], Awaitable[None]]) -> list[float]:
    """Ask ``count`` times on schedule; return seconds from when each was due to its end."""
    begun, times = perf_counter() + 0.2, [0.0] * count
    running: set[asyncio.Task[None]] = set()

    async def one(number: int) -> None:
        await ask(number)
        times[number] = perf_counter() - begun - number / rate

    for number in range(count):
        wait = begun + number / rate - perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(one(number))
        running.add(task)
        task.add_done_callback(running.discard)
    while running:
        await asyncio.wait(set(running))
    return times


def in_threads(count: int, rate: int, threads: int, read: Callable[[int], object]) -> list[float]:
    """Read on schedule in threads of this process; return as `paced`."""

    async def work() -> list[float]:
        with ThreadPoolExecutor(threads) as pool:
            loop = asyncio.get_running_loop()

            async def ask(number: int) -> None:
                await loop.run_in_executor(pool, read, number)

            return await paced(count, rate, ask)

    return asyncio.run(work())


@contextlib.contextmanager
def served(server: EmbeddedServer, api: Api, processes: int) -> Iterator[int]:
    """Serve the store in processes of their own, on one socket; yield its port."""
    listening = listen("127.0.0.1", 0)
    kwargs = server.client.connection_pool.connection_kwargs
    where = (kwargs["port"], kwargs["password"])
    context = multiprocessing.get_context("fork")
    serving = [context.Process(target=_serve, args=(listening, where, api)) for _ in range(processes)]
    for one in serving:
        one.start()
    try:
        yield listening.getsockname()[1]
    finally:
        for one in serving:
            one.terminate()
            one.join()
        listening.close()


def _serve(listening: socket.socket, where: tuple[int, str], api: Api) -> None:
    shop: Shop = load_shop(SHOP)
    settings = shop.settings.model_copy(update={"name": "bench", "partitions": 1})
    shop, idle = shop.model_copy(update={"settings": settings}), Idle()
    made = Serving(
        shop, Store(redis.Redis(port=where[0], password=where[1]), "bench"), cast(View, api.view),
        cast(Work, idle), cast(Answers, idle), cast(Effects, idle), cast(Rights, idle),
        cast(Deliveries, idle), cast(Sending, idle), cast(Coupons, idle), Keyring(api.folder),
        triggers=cast(Triggers, idle),
    )  # fmt: skip
    api.made(made)
    Server(build_app(made), listening).run()


async def over_http(port: int, asked: list[tuple[str, str]], rate: int) -> list[float]:
    """Get each (path, bearer) over connections that stay; return as `paced`."""
    free: asyncio.Queue[tuple[asyncio.StreamReader, Any]] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", port))

    async def ask(number: int) -> None:
        reader, writer = await free.get()
        path, bearer = asked[number]
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bearer}\r\n\r\n".encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200"), answer
        length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        free.put_nowait((reader, writer))

    try:
        return await paced(len(asked), rate, ask)
    finally:
        while not free.empty():
            free.get_nowait()[1].close()
