"""`tintype bench latency`: from a change that is due to its customer's profile readable, over load.

The embedded form at work, nothing left out: log synced, engine, Valkey, channels, history, snapshots written
by a child, more often than in life. First the most that it takes is measured, then loads that are shares of
it, handed in on a fixed schedule (`bench.schedule`) by a thread of the same process, as a feed does, and over
HTTP by another process. What is looked for is the document itself, in the store, by a process of its own
(`bench.watch`).

In every load one minute opens, with new cut points. Percentiles are those of a minute: what was due in the
wake of the opening counts once, everything else as often as it would come in the rest of a minute.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import app.owner
from app.commands.run import serving
from app.embedded import STORE_FOLDER
from app.restore import FOLDER
from bench.at_work import AtWork, at_work
from bench.latency_report import Run, outcome
from bench.messages import members
from bench.offer import Address, HttpClient, check, messages_of, offer
from bench.outcome import Outcome
from bench.schedule import Load, by_source, minute_weights, spread
from bench.watch import Looking, Watch
from console.server import Server, build_app, listen, served
from streams.arrive import Arrived
from streams.identity.references import new_id
from streams.personal.conceal import hide

CUSTOMERS, ROWS_KEPT = 30_000, 28
SECONDS = 10.0  # of a load
SHARES = (0.10, 0.25, 0.50, 0.75, 0.90)
HTTP_SHARES = (0.25, 0.50)
BEFORE = 1.0  # seconds to come to rest in, once the clock was put forward
EVERY = 0.005  # seconds between requests, and so between changes looked for
HTTP_GATHERED = 8  # requests whose changes are sent together over HTTP: every 40 ms
SNAPSHOT_SECONDS = 4.0  # a snapshot is begun when that much of the load has come
CAPACITY_SECONDS, CAPACITY_REQUEST, WAITING = 8.0, 500, 20  # WAITING: requests, two of the service's batches
MOST = 20_000  # changes a second that are prepared to measure the capacity
METRIC = "orders_365d"
OPENING = 0.3  # of a load's time has passed when its minute opens
WAKE = 3.0  # seconds after an opening that it may make late: longer ones count as if there were many


def measure(
    customers: int = CUSTOMERS, seconds: float = SECONDS, shares: Sequence[float] = SHARES,
    http_shares: Sequence[float] = HTTP_SHARES,
) -> Outcome:  # fmt: skip
    """Return rows, table and drawing. Takes three minutes.

    Raises CalledProcessError if the kernel does not compile, ValueError if a message is rejected, and
    TimeoutError if a change does not become readable.
    """
    busy = f"load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    subprocess.run([sys.executable, "-m", "engine.warm"], check=True, stdout=subprocess.DEVNULL)
    probes = round(seconds / EVERY)
    with (
        TemporaryDirectory(prefix="tintype-bench-") as name,
        at_work(Path(name), customers, ROWS_KEPT, probes) as shop,
        _api(shop) as address,
        _snapshots_more_often(),
    ):
        capacity = _capacity(shop, min(seconds, CAPACITY_SECONDS))
        bench = _Bench(shop, address, customers, probes, seconds)
        runs = [bench.run(share, share * capacity) for share in shares]
        runs += [bench.run(share, share * capacity, over_http=True) for share in http_shares]
    return outcome(capacity, customers, busy, runs)


@contextlib.contextmanager
def _api(shop: AtWork) -> Iterator[Address]:
    """Serve the HTTP API, as `tintype run` does."""
    listening = listen("127.0.0.1", 0)
    with contextlib.closing(listening), serving(shop.opened) as answering:
        answering.now = shop.now
        key = answering.keyring.add("bench", ["write"])
        with served(Server(build_app(answering), listening)):
            host, port = listening.getsockname()[:2]
            yield Address(host, port, key)


@contextlib.contextmanager
def _snapshots_more_often() -> Iterator[None]:
    """Put back how many records make a snapshot worth its while, which each load sets for itself."""
    usual = app.owner.SNAPSHOT_EVERY
    try:
        yield
    finally:
        app.owner.SNAPSHOT_EVERY = usual


def _capacity(shop: AtWork, seconds: float) -> float:
    """Return the changes a second that are taken and committed while more are always waiting."""
    pairs = list(zip(*shop.changes(2_000), strict=True))
    shop.settle()
    shop.opened.service.accept(messages_of(pairs))  # they teach the scanner
    pairs = list(zip(*shop.changes(round(MOST * seconds)), strict=True))
    shop.settle()
    app.owner.SNAPSHOT_EVERY = round(len(pairs) / seconds * SNAPSHOT_SECONDS / 2)
    waiting: deque[Future[Arrived]] = deque()
    began = time.monotonic()
    sent = 0
    while sent < len(pairs) and time.monotonic() < began + seconds:
        if len(waiting) == WAITING:
            check(waiting.popleft().result())
        request = messages_of(pairs[sent : sent + CAPACITY_REQUEST])
        waiting.append(shop.opened.service.accept(request))
        sent += len(request)
    shop.opened.service.ask(lambda _: None).result()
    return sent / (time.monotonic() - began)


@dataclass
class _Bench:
    """What all loads share. probes: customers without a past, each of whom gets one order a load."""

    shop: AtWork
    address: Address
    customers: int
    probes: int
    seconds: float
    loads: int = 0

    def run(self, share: float, rate: float, over_http: bool = False) -> Run:
        """Offer one load of ``rate`` changes a second, and say what became of the orders in it."""
        shop = self.shop
        self.loads += 1
        load = self._load(rate, over_http)
        app.owner.SNAPSHOT_EVERY = round(rate * SNAPSHOT_SECONDS)
        watch = Watch(self._looking(load))
        client = HttpClient(self.address, load) if over_http else None
        shop.settle()
        began = self._begin()
        watch.begin(began)
        if client is not None:
            client.begin(began)
            accepted = client.result()
        else:
            accepted = offer(shop.opened.service, load, began)
        behind = shop.opened.relays.lag.rows
        seen = watch.result()
        if np.isinf(seen.readable).any():
            never = int(np.isinf(seen.readable).sum())
            raise TimeoutError(f"{never} of {self.probes} orders were not in the store after half a minute")
        due, opening = began + load.probe_due, began + OPENING * self.seconds
        accepted_ms = (accepted[load.probe_request] - due) * 1e3
        readable_ms = (seen.readable - due) * 1e3
        weights = minute_weights(due - opening, self.seconds, min(WAKE, self.seconds / 2))
        return Run(share, rate, over_http, accepted_ms, readable_ms, weights, due, seen.writing, behind)

    def _begin(self) -> float:
        """Put the clock forward to where the load's minute will open in time; return when the load begins."""
        while True:
            began = time.monotonic() + BEFORE
            self.shop.now.open_minute_at(began + OPENING * self.seconds)
            self.shop.opened.service.ask(lambda _: None).result()  # what opened by that is behind
            if time.monotonic() < began:
                return began

    def _load(self, rate: float, over_http: bool) -> Load:
        who = np.arange(self.customers, self.customers + self.probes)
        probes = list(zip(*self.shop.orders(who), strict=True))
        count = max(0, round(rate * self.seconds) - self.probes)
        load = spread(list(zip(*self.shop.changes(count), strict=True)), probes, EVERY)
        return by_source(load, HTTP_GATHERED) if over_http else load

    def _looking(self, load: Load) -> Looking:
        vault = self.shop.opened.log.vault
        names = members(self.customers + self.probes)[self.customers :]
        ids = [new_id(hide(vault, f"member:{name}")) for name in names]
        start = f"tintype:{{{self.shop.opened.shop.settings.name}/0}}:profile:"
        keys = [start + one.hex() for one in ids]
        data = self.shop.opened.data
        told: dict[str, Any] = json.loads((data / STORE_FOLDER / "address.json").read_text(encoding="utf-8"))
        due = load.probe_due.tolist()
        return Looking(told["port"], told["password"], keys, due, METRIC, self.loads, data / FOLDER)
