"""Inboxes: reads at 2,000 a second through the API and from the store, and writes a second of CPU.

    python -m bench.inbox [--rate 2000] [--seconds 10] [--messages 20] [--processes 1]

Reads are sent on a schedule, whatever the answers do: a time runs from when a read was due.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import tempfile
import time
from pathlib import Path

import numpy as np
import uvloop

from bench.paced import Api, Idle, alone, measure, paced, served, store_in, tell
from console.tokens import Bearer, Tokens
from sinks.channels.batch import Batch
from sinks.channels.inbox import InboxProvider, InboxSettings
from sinks.channels.message import Message
from sinks.channels.provider import Around
from sinks.inbox.inbox import contents
from sinks.inbox.names import inbox_key
from sinks.store.beside import asynchronous
from sinks.store.gathered import Gathered
from sinks.store.server import EmbeddedServer
from sinks.store.store import Store

CUSTOMERS = 2_000
TEXT = "您常逛的 鞋 上新了，回来看看？满 299 元包邮，今天下单明天送达。"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--messages", type=int, default=20)
    parser.add_argument("--processes", type=int, default=1, help="of the API")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, store_in(Path(folder)) as server:
        rng = np.random.default_rng(7)
        customers = [rng.bytes(16) for _ in range(CUSTOMERS)]
        _write(server, customers, said.messages)
        count = said.rate * said.seconds
        who = [customers[at] for at in rng.integers(0, CUSTOMERS, count)]
        print(f"{said.messages} messages an inbox")
        uvloop.run(_read(server, who, said.rate))
        tokens = Tokens(Path(folder), "bench")
        until = int(time.time()) + 3600
        asked = [("/v1/profiles/me/messages", tokens.make(Bearer(one, until))) for one in who]
        with served(server, Api(Path(folder), Idle()), said.processes) as listening:
            measure(listening, asked, said.rate, f"API, {said.processes} process(es)")


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
                await provider.send(Batch(made[at : at + 500]))
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            print(f"writes: {len(made) / wall:,.0f} a second, {len(made) / cpu:,.0f} a second of CPU")

    asyncio.run(work())


async def _read(server: EmbeddedServer, who: list[bytes], rate: int) -> None:
    """Read inboxes of the store in this process; print what it costs, and how long it takes on schedule."""
    store = Store(server.client, "bench")
    gathered = Gathered(store, 1)

    async def ask(number: int) -> None:
        told = await gathered.ask(hashes=[inbox_key("bench", 1, who[number])])
        contents(told.hashes[0], time.time())

    await ask(0)
    for together in (1, 16):
        cost = await alone(2000, together, ask)
        print(f"store, {together} at once: {cost:.0f} us of CPU a read")
    tell("store, one process", rate, await paced(len(who), rate, ask))
    await gathered.close()


if __name__ == "__main__":
    main()
