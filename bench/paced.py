"""Reads on a schedule, whatever the answers do, of a store and of an API in processes of its own.

A time runs from when a read was due, so that whoever falls behind is seen to.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import cast

import numpy as np
import redis
import uvloop

from app.embedded import spare_the_collector
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


async def alone(count: int, together: int, ask: Callable[[int], Awaitable[None]]) -> float:
    """Ask ``count`` times, so many at once, as fast as it goes; return microseconds of CPU a read."""
    cpu = process_time()
    for first in range(0, count, together):
        await asyncio.gather(*(ask(number) for number in range(first, min(first + together, count))))
    return (process_time() - cpu) / count * 1e6


@dataclass(frozen=True)
class Listening:
    """An API that listens. pids: of its processes."""

    port: int
    pids: Sequence[int]

    def cpu(self) -> float:
        """Return how many seconds of CPU its processes have used."""
        ticks = 0
        for pid in self.pids:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def served(server: EmbeddedServer, api: Api, processes: int) -> Iterator[Listening]:
    """Serve the store in processes of their own, on one socket."""
    listening = listen("127.0.0.1", 0)
    kwargs = server.client.connection_pool.connection_kwargs
    where = (kwargs["port"], kwargs["password"])
    context = multiprocessing.get_context("fork")
    serving = [context.Process(target=_serve, args=(listening, where, api)) for _ in range(processes)]
    for one in serving:
        one.start()
    try:
        yield Listening(listening.getsockname()[1], [one.pid for one in serving if one.pid is not None])
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
    server = Server(build_app(made), listening)
    spare_the_collector()
    server.run()


class _Asker(asyncio.Protocol):
    """One connection that stays: a request, then its answer. It is cheap, so that it is not what is measured.
    """

    def __init__(self) -> None:
        self._held, self._end = b"", 0
        self._answered: asyncio.Future[None]
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def ask(self, request: bytes) -> asyncio.Future[None]:
        """Send a request; return what is done once it is answered with 200."""
        self._held, self._end = b"", 0
        self._answered = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._answered

    def data_received(self, data: bytes) -> None:
        self._held += data
        if not self._end and (head := self._held.find(b"\r\n\r\n")) >= 0:
            assert self._held.startswith(b"HTTP/1.1 200"), self._held
            length = self._held[:head].lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            self._end = head + 4 + int(length)
        if self._end and len(self._held) == self._end:
            self._answered.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._answered.done():
            self._answered.set_exception(ConnectionError(f"the API went away: {error}"))


async def over_http(port: int, asked: list[tuple[str, str]], rate: int) -> list[float]:
    """Get each (path, bearer) over connections that stay; return as `paced`."""
    loop, free = asyncio.get_running_loop(), asyncio.Queue[_Asker]()
    for _ in range(CONNECTIONS):
        free.put_nowait((await loop.create_connection(_Asker, "127.0.0.1", port))[1])
    made = [
        f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bearer}\r\n\r\n".encode()
        for path, bearer in asked
    ]

    async def ask(number: int) -> None:
        one = await free.get()
        await one.ask(made[number])
        free.put_nowait(one)

    try:
        return await paced(len(asked), rate, ask)
    finally:
        while not free.empty():
            free.get_nowait().transport.close()


def measure(listening: Listening, asked: list[tuple[str, str]], rate: int, what: str) -> None:
    """Print how long reads over HTTP took, and what they cost the API; a second of them to warm up."""
    uvloop.run(over_http(listening.port, asked[:rate], rate))
    cpu = listening.cpu()
    times = uvloop.run(over_http(listening.port, asked, rate))
    cost = (listening.cpu() - cpu) / len(asked) * 1e6
    tell(what, rate, times)
    print(f"{what}: {cost:.0f} us of CPU a read, so {1e6 / cost:,.0f} reads a second of a core")
