"""`tintype bench feed`: from Debezium's bytes to decisions, against msgspec, Bytewax, pandas, Java and Flink.

All read the same bytes in the same run and keep the same 20 metrics (or 60), RFM, 20 tags (or 100) and 5
triggers; their final metrics and tags are compared with ours, customer by customer. Times are process CPU a
live change, once all rows of the past are in.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from app.shop import Shop
from bench.figures import cpu, figure
from bench.messages import debezium_shop
from bench.peers import run
from bench.peers.decode import COLUMNS
from bench.peers.generate import Writer
from bench.peers.shop import with_fixed_cuts
from bench.reader import Reader
from bench.shops import large_shop, small_shop
from bench.stream import MINUTES, Minute, Stream
from streams.cdc.positions import SourceBlock
from streams.cdc.reading import digits
from streams.contract.columns import file_columns

CUSTOMERS, CHANGES, BATCH = 100_000, 200_000, 1_000
PEERS_CUSTOMERS = 30_000  # so that Bytewax has its past in within minutes; more would make it slower
AIM = 0.25  # of msgspec's rate
GOALS = {"Bytewax": 10.0, "Flink, state on the heap": 1.0}  # times our rate


@dataclass(frozen=True)
class Taken:
    """Microseconds of process CPU a change, the median over minutes."""

    whole: float  # bytes to decisions, the opening of the minute with it
    reading: float  # bytes to columns alone
    msgspec: float  # msgspec into typed structs


def measure(
    customers: int = CUSTOMERS, peers_customers: int = PEERS_CUSTOMERS, changes: int = CHANGES
) -> list[dict[str, Any]]:
    """Return the table: {what, value, unit, against, ratio, goal, reached} each. Takes ten minutes.

    Raises CalledProcessError if the kernel does not compile, or a peer that is there fails.
    """
    subprocess.run([sys.executable, "-m", "engine.warm"], check=True, stdout=subprocess.DEVNULL)
    small, large = debezium_shop(small_shop()), debezium_shop(large_shop())
    few, many = "20 metrics, 20 tags", "60 metrics, 100 tags"
    of_small, of_large = _ours(small, customers, changes), _ours(large, customers, changes)
    rows = [
        _against_msgspec(f"{few}, {customers:,} customers", of_small, AIM),
        _against_msgspec(f"{many}, {customers:,} customers", of_large, None),
        _reading(of_small),
    ]
    with TemporaryDirectory(prefix="tintype-bench-") as name:
        folder = Path(name)
        beside = _ours(small, peers_customers, changes)
        answers = _write(with_fixed_cuts(small), peers_customers, changes, folder)
        peers = {
            "Bytewax": run.bytewax(folder, answers),
            "Flink, state on the heap": run.java(folder, answers, "OnFlink"),
            "plain Java": run.java(folder, answers, "Plain"),
            "pandas, anew each minute": run.pandas(folder, answers),
        }
        beside_large = _ours(large, peers_customers, changes)
        answers = _write(with_fixed_cuts(large), peers_customers, changes, folder, again=True)
        peers_large = {f"Bytewax at {many}": run.bytewax(folder, answers)}
    what = f"{few}, {peers_customers:,} customers"
    rows += [_against(what, beside, peer, outcome, GOALS.get(peer)) for peer, outcome in peers.items()]
    what = f"{many}, {peers_customers:,} customers"
    rows.append(_against(what, beside_large, f"Bytewax at {few}", peers["Bytewax"], 8.0))
    rows += [_against(what, beside_large, peer, outcome, None) for peer, outcome in peers_large.items()]
    compared = {**peers, **peers_large}.items()
    return [*rows, *(_same(peer, outcome, peers_customers) for peer, outcome in compared)]


def _write(shop: Shop, customers: int, changes: int, folder: Path, again: bool = False) -> dict[str, str]:
    """Write the stream, and the peers' Python for the shop; return our answers, which come from the bytes
    too.

    again: the folder holds the stream already.
    """
    stream = Stream(shop, customers)
    if not again:
        stream.write_history(folder / "history.jsonl")
    reader = _reader(stream)
    with (folder / ("live-again.jsonl" if again else "live.jsonl")).open("wb") as file:
        for _ in range(MINUTES):
            minute = stream.minute(changes // MINUTES)
            file.writelines(message + b"\n" for message in minute.messages)
            _apply(stream, reader, minute)
            stream.open_minute()
    about = {
        "history": stream.rows, "live_from": stream.live_from, "until": stream.loaded.engine.clock,
        "changes": changes // MINUTES * MINUTES,
    }  # fmt: skip
    (folder / "about.json").write_text(json.dumps(about))
    columns = {name: list(names) for name, names in COLUMNS.items()}
    (folder / "customer.py").write_text(Writer(shop, columns).write())
    return stream.answers()


def _ours(shop: Shop, customers: int, changes: int) -> Taken:
    stream = Stream(shop, customers)
    reader = _reader(stream)
    floor = _Floor(shop, stream)
    times = []
    for _ in range(MINUTES):
        minute = stream.minute(changes // MINUTES)
        reading = cpu(partial(_read, stream, reader, minute))
        alone = cpu(partial(floor.decode, minute))
        whole = cpu(partial(_apply, stream, reader, minute)) + cpu(stream.open_minute)
        times.append([taken / len(minute.messages) * 1e6 for taken in (whole, reading, alone)])
    return Taken(*(median(column) for column in zip(*times[1:], strict=True)))


def _reader(stream: Stream) -> Reader:
    """Return a reader that has met every customer in every table, as it has when the past came through it."""
    reader = Reader(stream.shop, stream.loaded.plan, stream.loaded.engine.partitions[0])
    for source, messages in stream.introductions():
        reader.learn(messages[0], source)
        for first in range(0, len(messages), BATCH):
            reader.read_one_table(messages[first : first + BATCH], source)
    return reader


def _read(stream: Stream, reader: Reader, minute: Minute) -> None:
    for first in range(0, len(minute.messages), BATCH):
        reader.batch(
            minute.messages[first : first + BATCH], minute.batch.source[first : first + BATCH],
            stream.loaded.engine.clock,
        )  # fmt: skip


def _apply(stream: Stream, reader: Reader, minute: Minute) -> None:
    engine = stream.loaded.engine
    for first in range(0, len(minute.messages), BATCH):
        batch = reader.batch(
            minute.messages[first : first + BATCH], minute.batch.source[first : first + BATCH], engine.clock
        )
        engine.feed(0, batch, engine.steps[0])
        engine.run()


class _Floor:
    """msgspec alone: each table's declared columns and the source's block, typed."""

    def __init__(self, shop: Shop, stream: Stream) -> None:
        self._decoders = [self._decoder(shop, name) for name in stream.loaded.plan.metric.sources]

    @staticmethod
    def _decoder(shop: Shop, name: str) -> Any:
        row = msgspec.defstruct(
            "Row", [(column, Any, None) for column in file_columns(shop.sources[name])], gc=False
        )
        fields: list[Any] = [
            ("op", str),
            ("after", row | None),
            ("before", row | None),
            ("source", SourceBlock),
        ]
        return msgspec.json.Decoder(msgspec.defstruct("Envelope", fields, gc=False), float_hook=digits)

    def decode(self, minute: Minute) -> None:
        """Decode all messages and keep nothing."""
        decoders = [decoder.decode for decoder in self._decoders]
        for source, message in zip(minute.batch.source.tolist(), minute.messages, strict=True):
            decoders[source](message)


def _against_msgspec(what: str, taken: Taken, goal: float | None) -> dict[str, Any]:
    against = f"msgspec decoding the same bytes: {taken.msgspec:.2f} us"
    return figure(f"a change from Debezium's bytes, {what}, batch {BATCH:,}", taken.whole, "us", against,
                  taken.msgspec / taken.whole, goal, at_least=True)  # fmt: skip


def _reading(taken: Taken) -> dict[str, Any]:
    against = f"msgspec decoding the same bytes: {taken.msgspec:.2f} us"
    return figure(f"a change from Debezium's bytes to columns, batch {BATCH:,}", taken.reading, "us", against,
                  taken.msgspec / taken.reading, None)  # fmt: skip


def _against(what: str, taken: Taken, peer: str, outcome: run.Outcome, goal: float | None) -> dict[str, Any]:
    ratio = None if outcome.microseconds is None else outcome.microseconds / taken.whole
    said = f"not run ({outcome.why_not})" if ratio is None else f"{outcome.microseconds:.2f} us"
    change = f"a change from Debezium's bytes, {what}"
    return figure(change, taken.whole, "us", f"{peer}: {said}", ratio, goal, at_least=True)


def _same(peer: str, outcome: run.Outcome, customers: int) -> dict[str, Any]:
    what = "customers with other final metrics or tags"
    if outcome.microseconds is None:
        return figure(what, None, "", f"{peer}: not run", None, None)
    different = float(outcome.different)
    return figure(what, different, "", f"{peer}: of {customers:,}", different, 0.0)
