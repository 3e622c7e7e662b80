"""Recommendation reads on a schedule, whatever the answers do, through the API and from the store.

A time runs from when a read was due (`bench.paced`). The model is of 20,000 items with 20 neighbours, each
customer has 60 touches, the slot all kinds of rules.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import numpy as np
import uvloop

from app.embedded import spare_the_collector
from bench.paced import Api, alone, measure, paced, served, store_in, tell
from console.keys import Keyring
from console.serving import Serving, counter_of
from sinks.recommendations.answer import items_of
from sinks.recommendations.customer import Customer, Touch
from sinks.recommendations.declaration import BOUGHT, Recommendations
from sinks.recommendations.fit import NEIGHBOURS
from sinks.recommendations.model import Facts, Model
from sinks.recommendations.serving import Counter
from sinks.recommendations.shelves import Shelves, Standing
from sinks.store.gathered import Gathered
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
    with tempfile.TemporaryDirectory() as folder, store_in(Path(folder)) as server:
        rng = np.random.default_rng(7)
        customers = [rng.bytes(16) for _ in range(CUSTOMERS)]
        _fill(server, customers, rng)
        who = [customers[at] for at in rng.integers(0, CUSTOMERS, rate * seconds)]
        spare_the_collector()
        uvloop.run(_serve(server, who, rate))
        key = Keyring(Path(folder)).add("bench", ["read"])
        asked = [(f"/v1/profiles/{one.hex()}/recommendations/home", key) for one in who]
        with served(server, Api(Path(folder), _View(), _with_slots), processes) as listening:
            measure(listening, asked, rate, f"API, {processes} process(es)")


async def _serve(server: EmbeddedServer, who: list[bytes], rate: int) -> None:
    """Serve slots in this process; print what it costs, and how long it takes on schedule."""
    store = Store(server.client, "bench")
    gathered, counter = Gathered(store, 1), Counter(DECLARED, Shelves(server.client, "bench", 1), store)

    async def ask(number: int) -> None:
        served = await counter.serve_gathered(gathered, "home", who[number])
        assert len(items_of(served, DECLARED.slots["home"])) == 10

    began = time.perf_counter()
    await ask(0)
    print(f"\na model of {ITEMS:,} items is taken over in {time.perf_counter() - began:.2f} s")
    for together in (1, 16):
        cost = await alone(2000, together, ask)
        print(f"store and choice, {together} at once: {cost:.0f} us of CPU a read")
    tell("store and choice, one process", rate, await paced(len(who), rate, ask))
    await gathered.close()


def _with_slots(serving: Serving) -> None:
    serving.slots = counter_of(
        serving.shop.model_copy(update={"recommendations": DECLARED}), serving.store
    )  # fmt: skip


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
