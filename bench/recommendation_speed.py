"""Recommendation reads on a schedule, whatever the answers do, through the API and from the store.

A time runs from when a read was due (`bench.inbox`). The model is of 20,000 items with 20 neighbours, each
customer has 60 touches, the slot all kinds of rules.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import numpy as np
import redis

from app.load import load_shop
from app.shop import Shop
from bench.inbox import CONNECTIONS, SHOP, _Idle, _paced, _store, _tell
from console.form import Answers, Coupons, Deliveries, Effects, Rights, Sending, View, Work
from console.keys import Keyring
from console.server import Server, build_app, listen
from console.serving import Serving, counter_of
from sinks.recommendations.answer import items_of
from sinks.recommendations.customer import Customer, Touch
from sinks.recommendations.declaration import BOUGHT, Recommendations
from sinks.recommendations.fit import NEIGHBOURS
from sinks.recommendations.model import Facts, Model
from sinks.recommendations.serving import Counter
from sinks.recommendations.shelves import Shelves, Standing
from sinks.store.server import EmbeddedServer
from sinks.store.store import Commit, Store

ITEMS, CUSTOMERS, TOUCHES, CATEGORIES = 20_000, 5_000, 60, 200
CLOCK = 29_538_000
DECLARED = Recommendations.model_validate({
    "catalogue": {"source": "orders", "item": "sku", "category": "c", "stock": "s"},
    "interests": [{"source": "orders", "item": "sku"}],
    "slots": {"home": {
        "title": {"zh": "猜你喜欢", "en": "For you"}, "count": 10,
        "rules": {"in_stock": True, "not_bought_within": "90d", "max_per_category": 3},
    }},
})  # fmt: skip


class _View:
    """Customers by their ids."""

    def customers(self, named: list[str]) -> list[bytes | None]:
        return [bytes.fromhex(one) for one in named]


def speed(rate: int, seconds: int, processes: int) -> None:
    """Print how long reads take, and how many a second of CPU there are."""
    with tempfile.TemporaryDirectory() as folder, _store(Path(folder)) as server:
        rng = np.random.default_rng(7)
        customers = [rng.bytes(16) for _ in range(CUSTOMERS)]
        _fill(server, customers, rng)
        who = [customers[at] for at in rng.integers(0, CUSTOMERS, rate * seconds)]
        counter = Counter(DECLARED, Shelves(server.client, "bench", 1), Store(server.client, "bench"))
        began = time.perf_counter()
        counter.serve("home", who[0])
        print(f"\na model of {ITEMS:,} items is taken over in {time.perf_counter() - began:.2f} s")
        cpu = time.process_time()
        for one in customers[:2000]:
            _read(counter, one)
        print(f"reads of the store: {2000 / (time.process_time() - cpu):,.0f} a second of CPU")
        _tell("store and choice, one process", rate, _from_store(counter, who, rate))
        with _served(server, Path(folder), processes) as (port, key):
            asyncio.run(_over_http(port, key, who[:rate], rate))  # warm
            _tell(f"API, {processes} process(es)", rate, asyncio.run(_over_http(port, key, who, rate)))


def _fill(server: EmbeddedServer, customers: list[bytes], rng: np.random.Generator) -> None:
    """Put a model, a catalogue, profiles and customers' touches into the store."""
    items = [f"SKU{number:06d}" for number in range(ITEMS)]
    near = rng.integers(0, ITEMS, (ITEMS, NEIGHBOURS)).astype(np.int32)
    scores = -np.sort(-rng.random((ITEMS, NEIGHBOURS)), axis=1).astype(np.float32)
    popular = {"popular": rng.permutation(ITEMS).astype(np.int32)}
    model = Model(items, near, scores, popular, CLOCK, ITEMS * 50, CUSTOMERS)
    bare, names = Facts.none(ITEMS), [f"类 {number}" for number in range(CATEGORIES)]
    facts = Facts(
        bare.listed, [{"zh": f"商品 {one}", "en": f"Item {one}"} for one in items], names,
        rng.integers(0, CATEGORIES, ITEMS).astype(np.int32), (rng.random(ITEMS) < 0.9).astype(np.int32),
        bare.margin, ["19.90"] * ITEMS, bare.image, bare.link,
    )  # fmt: skip
    shelves, store = Shelves(server.client, "bench", 1), Store(server.client, "bench")
    versions = shelves.write("model", model.packed()), shelves.write("facts", facts.packed())
    shelves.stand(Standing(*versions, "", time.time(), time.time(), {}))
    store.claim(0)
    document = json.dumps({"rfm": {"rfm": {"segment": "冠军客户"}}, "tags": {"vip": {}}}).encode()
    fields: dict[str, str | int] = {"step": 1, "clock": CLOCK, "effects": 0, "digest": "", "program": ""}
    store.commit(0, Commit("1:0", fields, [], [(one, document) for one in customers]))
    ages = [np.sort(rng.integers(1, 400_000, TOUCHES)).tolist() for _ in customers]
    bought = rng.integers(0, ITEMS, (len(customers), TOUCHES)).tolist()
    shelves.keep(
        (one.hex(), Customer([
            Touch(items[item], 0, BOUGHT, 1, CLOCK - age)
            for item, age in zip(bought[at], ages[at], strict=True)
        ]))
        for at, one in enumerate(customers)
    )  # fmt: skip


def _read(counter: Counter, customer: bytes) -> None:
    served = counter.serve("home", customer)
    assert len(items_of(served, DECLARED.slots["home"])) == 10


def _from_store(counter: Counter, who: list[bytes], rate: int) -> list[float]:
    async def work() -> list[float]:
        with ThreadPoolExecutor(4) as threads:
            loop = asyncio.get_running_loop()

            async def ask(number: int) -> None:
                await loop.run_in_executor(threads, _read, counter, who[number])

            return await _paced(len(who), rate, ask)

    return asyncio.run(work())


@contextlib.contextmanager
def _served(server: EmbeddedServer, folder: Path, processes: int) -> Iterator[tuple[int, str]]:
    """Serve in processes of their own, on one socket; yield its port and a key."""
    listening, key = listen("127.0.0.1", 0), Keyring(folder).add("bench", ["read"])
    kwargs = server.client.connection_pool.connection_kwargs
    where = (kwargs["port"], kwargs["password"])
    context = multiprocessing.get_context("fork")
    serving = [context.Process(target=_serve, args=(listening, where, folder)) for _ in range(processes)]
    for one in serving:
        one.start()
    try:
        yield listening.getsockname()[1], key
    finally:
        for one in serving:
            one.terminate()
            one.join()
        listening.close()


def _serve(listening: Any, where: tuple[int, str], folder: Path) -> None:
    store, idle = Store(redis.Redis(port=where[0], password=where[1]), "bench"), _Idle()
    shop: Shop = load_shop(SHOP)
    settings = shop.settings.model_copy(update={"name": "bench", "partitions": 1})
    shop = shop.model_copy(update={"settings": settings, "recommendations": DECLARED})
    made = Serving(
        shop, store, cast(View, _View()), cast(Work, idle), cast(Answers, idle), cast(Effects, idle),
        cast(Rights, idle), cast(Deliveries, idle), cast(Sending, idle),
        cast(Coupons, idle), Keyring(folder),
        slots=counter_of(shop, store),
    )  # fmt: skip
    Server(build_app(made), listening).run()


async def _over_http(port: int, key: str, who: list[bytes], rate: int) -> list[float]:
    """Ask for each customer's slot over connections that stay."""
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", port))

    async def ask(number: int) -> None:
        reader, writer = await free.get()
        path = f"/v1/profiles/{who[number].hex()}/recommendations/home"
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n"
        writer.write(head.encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200"), answer
        length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        free.put_nowait((reader, writer))

    try:
        return await _paced(len(who), rate, ask)
    finally:
        while not free.empty():
            free.get_nowait()[1].close()
