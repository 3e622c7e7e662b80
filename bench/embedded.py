"""The whole embedded product: a real year through import, log, store and history; a restart; in parts.

``python -m bench.embedded [journey|restart ...] [--customers N] [--json]`` prints the rows. CPU is this
process's; the store is a process of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from app.load import load_shop
from app.log_folder import data_folder, open_log
from app.owner import Owner
from app.replay import Replay
from app.runtime import keep_settings
from app.shop import Shop
from bench.figures import cpu, figure
from bench.messages import debezium_shop
from bench.shops import small_shop
from bench.stream import Stream
from sinks.history.embedded import ChdbHistory
from sinks.history.relay import HistoryRelay
from sinks.store.effects import StoreEffects
from sinks.store.server import EmbeddedServer
from sinks.store.store import Store
from streams.arrive import Arrivals
from streams.intake import import_files
from streams.live import append_changes, append_ticks
from streams.log.log import Log
from streams.message import Message
from streams.scan import arriving as arriving_of

ROOT = Path(__file__).resolve().parents[1]
RESTART_SECONDS = 10.0
INTAKE_CUSTOMERS, INTAKE_BATCHES = 20_000, 40
CUSTOMERS, BEHIND = 1_000_000, 100_000  # of the restart: customers, and records behind the last snapshot


def main() -> None:
    """Print the rows of what was asked for."""
    parser = argparse.ArgumentParser(description="The embedded product against the engine alone.")
    parts = ["intake", "journey", "restart"]
    parser.add_argument("what", nargs="*", choices=[*parts, "all"], default="all")
    parser.add_argument("--customers", type=int, default=CUSTOMERS, help="of the restart")
    parser.add_argument("--json", action="store_true", help="print a list of measurements")
    said = parser.parse_args()
    chosen = parts if "all" in said.what else said.what
    subprocess.run([sys.executable, "-m", "engine.warm"], check=True, stdout=subprocess.DEVNULL)
    rows: list[dict[str, Any]] = []
    if "intake" in chosen:
        rows += intake()
    if "journey" in chosen:
        rows += journey()
    if "restart" in chosen:
        rows += restart(said.customers)
    if said.json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.3f}"
        value = f"{row['value']:10.2f} {row['unit']:10}"
        print(f"{row['what']:70} {value} {row['against']:40} {ratio:8} {row['reached']}")


@dataclass
class Opened:
    """A shop's folder, opened for a measurement."""

    folder: Path
    shop: Shop
    data: Path
    log: Log
    store: Store

    def owner(self, drained: list[int] | None = None) -> Owner:
        """Claim the store and find the newest snapshot."""

        def away(error: Exception) -> None:
            raise error

        return Owner(self.log, self.shop, self.data, self.store, drained or [0] * self.log.partitions, away)


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[Opened]:
    shop = load_shop(folder)
    data = data_folder(folder, shop)
    data.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(open_log(folder, shop, write=True))
        keep_settings(log, shop)
        server = EmbeddedServer(data / "store")
        stack.callback(server.stop)
        yield Opened(folder, shop, data, log, Store(server.client, shop.settings.name))


def intake() -> list[dict[str, Any]]:
    """Take change messages into the log in batches of 1,000: with the scanner, and without."""
    shop = debezium_shop(small_shop())
    stream = Stream(shop, INTAKE_CUSTOMERS)
    batches = []
    for _ in range(INTAKE_BATCHES):
        minute = stream.minute(1_000)
        tables = [stream.loaded.plan.metric.sources[number] for number in minute.batch.source.tolist()]
        pairs = zip(tables, minute.messages, strict=True)
        batches.append([Message(table, "feed/0/0", message) for table, message in pairs])
        stream.open_minute()
    scanned, decoded = (_taken(shop, batches, size) for size in (arriving_of.WORTH_WHILE, 10**9))
    against = f"each message decoded by itself: {decoded:.1f} us"
    return [figure("a message into the log, batch 1,000", scanned, "us", against, decoded / scanned, None)]


def _taken(shop: Shop, batches: list[list[Message]], worth_while: int) -> float:
    """Return microseconds of process CPU a message, without the first batches, which teach the scanner."""
    kept, arriving_of.WORTH_WHILE = arriving_of.WORTH_WHILE, worth_while
    try:
        with TemporaryDirectory(prefix="tintype-bench-") as name, Log.create(Path(name), "bench", 1) as log:
            arrivals = Arrivals(log)
            times = [
                cpu(partial(arrivals.take, shop, [(batch, None)], MINUTE)) / len(batch) for batch in batches
            ]
    finally:
        arriving_of.WORTH_WHILE = kept
    return median(times[len(times) // 4 :]) * 1e6


def journey() -> list[dict[str, Any]]:
    """Import The Complete Journey, follow it, commit it, copy it into history; and the engine alone."""
    with TemporaryDirectory(prefix="tintype-bench-") as name:
        folder, files = Path(name) / "shop", Path(name) / "files"
        files.mkdir()
        shutil.copytree(ROOT / "examples" / "grocer", folder, ignore=shutil.ignore_patterns(".data"))
        prepare = [sys.executable, str(ROOT / "examples" / "grocer" / "prepare.py"), str(files)]
        subprocess.run(prepare, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
        pairs = [(path.stem, path) for path in sorted(files.glob("*.parquet"))]
        with _opened(folder) as opened:
            parts = {"import": cpu(lambda: import_files(opened.log, opened.shop, pairs))}
            owner = opened.owner()
            parts["engine, blocks, commit"] = cpu(owner.follow)
            parts["history"] = cpu(lambda: _copy_to_history(opened))
            alone = _engine_alone(opened)
            records = sum(opened.log.next_steps())
    parts["end to end"] = sum(parts.values())
    return [
        figure(
            f"Complete Journey, {records:,} records, {part}",
            seconds / records * 1e6,
            "us/record",
            f"engine alone: {alone / records * 1e6:.2f} us",
            alone / seconds,
            0.5 if part == "end to end" else None,
            at_least=True,
        )
        for part, seconds in parts.items()
    ]


def _copy_to_history(opened: Opened) -> None:
    history = ChdbHistory(opened.data / "history", opened.shop.settings.zone)
    with contextlib.closing(history):
        relay = HistoryRelay(history, opened.log, StoreEffects(opened.store))
        while relay.step():
            pass


def _engine_alone(opened: Opened) -> float:
    """Return the seconds of process CPU of the engine over the log's records, which are columns already."""
    replay = Replay(opened.log, opened.shop, lambda *_: None)
    batches = [
        (partition, replay._batch(partition, block))
        for partition in range(opened.log.partitions)
        for block in opened.log.blocks(partition)
    ]

    def run() -> None:
        for partition, batch in batches:
            replay.engine.feed(partition, batch, replay.engine.steps[partition])
        replay.engine.run()

    return cpu(run)


SOURCE = """\
format: {type: auto}
key: [id]
references: [{type: member, column: member}]
event_time: {column: at, zone: UTC}
columns:
  id: {type: int}
  amount: {type: decimal, scale: 2}
"""
FILES = {
    "tintype.toml": 'name = "Bench"\nzone = "Asia/Shanghai"\n',
    "sources/orders.yaml": SOURCE,
    "metrics.yaml": 'orders_30d: count(orders, "30d")\npaid_365d: sum(orders.amount, "365d")\n',
    "tags/vip.yaml": "rule: paid_365d >= 50000\n",
    "channels.yaml": "console:\n  templates:\n    thanks: thanks\n",
    "triggers/thanks.yaml": "when: {event: {source: orders}}\naction: {channel: console, template: thanks}\n",
}
MINUTE = 29_540_000  # in March 2026


def restart(customers: int) -> list[dict[str, Any]]:
    """Build a shop with two orders a customer and a snapshot, let it trade on, and time the next start."""
    with TemporaryDirectory(prefix="tintype-bench-") as name:
        folder = Path(name)
        for path, text in FILES.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        with _opened(folder) as opened:
            orders = _orders(folder / "orders.parquet", customers)
            import_files(opened.log, opened.shop, [("orders", orders)])
            owner = opened.owner()
            owner.follow()
            append_ticks(opened.log, MINUTE)
            owner.follow()
            owner.save_snapshot()
            for first in range(0, BEHIND, 5_000):
                append_changes(opened.log, opened.shop, "orders", _rows(customers, first), MINUTE + 1)
            owner.follow()
            del owner
            return _start_again(opened, customers)


def _start_again(opened: Opened, customers: int) -> list[dict[str, Any]]:
    heads = [opened.store.head(partition).effects for partition in range(opened.log.partitions)]
    began = time.perf_counter()
    owner = opened.owner(heads)
    loaded = time.perf_counter()
    owner.follow()
    replayed = time.perf_counter()
    effects = sum(digest.count for digest in owner.engine.digests)
    append_changes(opened.log, opened.shop, "orders", _rows(customers, BEHIND)[:1], MINUTE + 2)
    owner.follow()
    decided = time.perf_counter()
    assert sum(digest.count for digest in owner.engine.digests) > effects, "no decision was made"
    what = f"restart with {customers:,} customers: "
    whole = decided - began
    return [
        figure(f"{what}load the snapshot", loaded - began, "s", "", None, None),
        figure(f"{what}replay {BEHIND:,} records", replayed - loaded, "s", "", None, None),
        figure(f"{what}the next decision", decided - replayed, "s", "", None, None),
        figure(f"{what}to the first new decision", whole, "s", f"limit: {RESTART_SECONDS:.0f} s",
               whole / RESTART_SECONDS, 1.0),
    ]  # fmt: skip


def _orders(path: Path, customers: int) -> Path:
    """Write two orders of each customer, spread over the year before ``MINUTE``."""
    random = np.random.default_rng(7)
    count = 2 * customers
    seconds = MINUTE * 60 - np.sort(random.integers(60, 364 * 86_400, count))[::-1]
    prices = random.integers(100, 99_900, count).tolist()
    table = pa.table(
        {
            "id": np.arange(count),
            "member": pa.array([f"M{number}" for number in random.permutation(count) % customers]),
            "amount": pa.array([f"{cents // 100}.{cents % 100:02}" for cents in prices]),
            "at": pa.array((seconds * 1_000_000).astype("datetime64[us]")),
        }
    )
    pq.write_table(table, path)
    return path


def _rows(customers: int, first: int) -> list[dict[str, object]]:
    return [
        {"id": 10**9 + first + at, "member": f"M{(first + at) * 7919 % customers}", "amount": "12.50",
         "at": "2026-03-01 10:00:00"}
        for at in range(5_000)
    ]  # fmt: skip


if __name__ == "__main__":
    main()
