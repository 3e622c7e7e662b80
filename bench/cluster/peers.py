"""The peers: how each is started, what it lacks here, and the goal against it.

All do what we do of a row: 20 metrics in windows, RFM scores (by given cut points), 20 tags, 5 triggers; and
write the customer's document to the store.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.peers.run import INSTALL, MADE
from streams.errors import InputError

JVM = MADE / "jvm"
QUIX = MADE / "quix" / "bin" / "python"
# The heap is touched beforehand, or the first use of each page would be in the figure.
_JAVA = ("-Xms2g", "-Xmx2g", "-XX:+AlwaysPreTouch", "-XX:+UseParallelGC")
_OPENED = ("--add-opens=java.base/java.util=ALL-UNNAMED", "--add-opens=java.base/java.lang=ALL-UNNAMED")


@dataclass(frozen=True)
class Given:
    """What a peer is told. store: its address with the password; marks: after how many rows those that write
    each document by itself say that they are taken; folder: its own, with the generated ``customer.py``."""

    kafka: str
    store: str
    shop: str
    partitions: int
    marks: tuple[int, int]
    folder: Path


@dataclass(frozen=True)
class Peer:
    """title: as tables name it; goal: times our CPU; longer: times the rows of a slow peer, as CPU is told in
    hundredths of a second and a JVM compiles for long; lacks: what it lacks here, nothing if it can run;
    timers: whether rows leave windows when no row comes."""

    title: str
    goal: float
    longer: int
    command: Callable[[Given], list[str]]
    lacks: Callable[[], str]
    reads_uncommitted: bool = False
    timers: bool = False


def _faust(given: Given) -> list[str]:
    marks = ",".join(map(str, given.marks))
    words = [given.kafka, given.store, given.shop, str(given.partitions), marks, str(given.folder)]
    return [sys.executable, "-m", "bench.cluster.faust_peer", *words, "worker", "--without-web"]


def _quix(given: Given) -> list[str]:
    words = [given.kafka, given.store, given.shop, str(given.folder)]
    return [str(QUIX), "-m", "bench.cluster.quix_peer", *words]


def _flink(state: str) -> Callable[[Given], list[str]]:
    def command(given: Given) -> list[str]:
        jars = f"{JVM / 'classes'}:{JVM / 'lib'}/*"
        words = [given.kafka, given.store, given.shop, state, str(given.folder / "state")]
        return ["java", *_JAVA, *_OPENED, "-cp", jars, "tintype.OnKafka", *words]

    return command


_rocksdb, _heap = _flink("rocksdb"), _flink("hashmap")


def _no_quix() -> str:
    return "" if QUIX.exists() else f"no Quix Streams here: {INSTALL}"


def _no_flink() -> str:
    if shutil.which("java") is None:
        return f"no Java here: apt-get install openjdk-17-jdk-headless maven, then {INSTALL}"
    return "" if (JVM / "classes" / "tintype" / "OnKafka.class").exists() else f"not compiled here: {INSTALL}"


PEERS = {
    "faust": Peer("Faust", 25.0, 1, _faust, lambda: "", reads_uncommitted=True),
    "quix": Peer("Quix Streams, exactly once", 5.0, 1, _quix, _no_quix),
    "flink-rocksdb": Peer("Flink, exactly once, RocksDB", 4.0, 10, _rocksdb, _no_flink, timers=True),
    "flink-heap": Peer("Flink, exactly once, state on the heap", 1.0, 10, _heap, _no_flink, timers=True),
}


def chosen(text: str) -> tuple[str, ...]:
    """Return the peers that are named, with commas between. Raises InputError where one is not there.

    >>> chosen("quix,faust"), chosen("none")
    (('quix', 'faust'), ())
    """
    names = tuple(dict.fromkeys(text.split(","))) if text != "none" else ()
    for name in names:
        if name not in PEERS:
            raise InputError("--peers", f"no peer {name!r}", f"there are {', '.join(PEERS)}; or none")
    return names
