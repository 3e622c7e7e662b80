"""Runs a peer over rows of the same stream, as many as ours are partitioned, and returns what they cost."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from kafka import KafkaAdminClient, KafkaProducer

from bench.cluster.expected import Documents, Expected, different, peers_shop
from bench.cluster.feeding import transaction
from bench.cluster.peer_names import TABLES, document_key, taken_key, topic
from bench.cluster.peers import Given, Peer
from bench.cluster.process import session_cpu
from bench.cluster.rows import Row, Rows
from bench.messages import members
from bench.peers.decode import COLUMNS
from bench.peers.generate import Writer
from deploy.servers.places import ROOT, Place

POLL_SECONDS = 0.02
DONE_SECONDS = 900.0  # Faust takes some milliseconds a row
READ_AT_ONCE = 1_000  # documents
FIRED_SECONDS = 5.0  # what falls due when a minute begins is in the documents by then


@dataclass(frozen=True)
class PeerTaken:
    """microseconds: of the process's CPU a row, its children's and compiler's included; rate: rows a second
    by the clock; different: customers whose documents are not what the rows say."""

    rows: int
    microseconds: float
    rate: float
    customers: int
    different: int


def peer_taken(
    peer: Peer, kafka: Place, store: Place, folder: Path, rows: int, customers: int, partitions: int
) -> PeerTaken:
    """Let a peer take rows in, as `bench.cluster.taking.taken` lets a worker, and measure it.

    It runs already, with a past of every customer behind it and half as many changes as are measured, so that
    what a JVM compiles is compiled, and is idle: rows are written in one transaction, and the measurement
    goes from its commit to the last document. One that reads what is not committed is measured from the
    first row on; it must be slower than they are written. Raises TimeoutError where it is not done in time,
    and RuntimeError where it ends.
    """
    warming = rows // 2
    drawn = Rows(customers)
    past, warm = drawn.past(warming + rows), drawn.changes(warming)
    before = customers + warming + rows + warming
    folder.mkdir(parents=True)
    write_customer(folder)
    given = _given(kafka, store, folder, partitions, (before, before + rows))
    with _running(peer, kafka, given, members(customers)) as run:
        with run.fed("past", itertools.chain(past, warm)):
            pass
        run.wait(before)
        began = run.sample()
        with run.fed("measured", drawn.changes(rows)):
            if not peer.reads_uncommitted:
                began = run.sample()
        run.wait(before + rows)
        cpu, seconds = (now - then for now, then in zip(run.sample(), began, strict=True))
        until = int(time.time() - FIRED_SECONDS) // 60 if peer.timers else 0
        wrong = different(run.expected, run.documents(), until)
        return PeerTaken(rows, cpu / rows * 1e6, rows / seconds, len(run.expected.customers), len(wrong))


def write_customer(folder: Path) -> None:
    """Write the customer generated for the peers in Python."""
    columns = {name: list(held) for name, held in COLUMNS.items()}
    (folder / "customer.py").write_text(Writer(peers_shop(), columns).write())


@dataclass(frozen=True)
class _Run:
    """A peer at work."""

    title: str
    process: subprocess.Popen[bytes]
    log: Path
    kafka: Place
    client: redis.Redis
    given: Given
    members: list[str]
    expected: Expected

    def sample(self) -> tuple[float, float]:
        """Return its CPU seconds so far, and the monotonic clock."""
        return session_cpu(self.process.pid), time.monotonic()

    @contextmanager
    def fed(self, name: str, rows: Iterable[Row]) -> Iterator[None]:
        """Write rows in one transaction, committed when the block ends; the key is the customer's."""
        with transaction(self.kafka, f"{self.given.shop}.{name}") as producer:
            self._send(producer, rows)
            producer.flush()
            yield

    def _send(self, producer: KafkaProducer, rows: Iterable[Row]) -> None:
        for row in rows:
            self.expected.take(row)
            key = self.members[row.customer].encode()
            lane = row.customer % self.given.partitions
            producer.send(topic(self.given.shop, row.source), row.value, key=key, partition=lane)

    def wait(self, rows: int) -> None:
        """Wait until so many rows are in the documents."""
        deadline = time.monotonic() + DONE_SECONDS
        while True:
            taken: Any = self.client.get(taken_key(self.given.shop))
            if int(taken or 0) >= rows:
                return
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.title} ended:\n{self.log.read_text()[-3000:]}")
            if time.monotonic() > deadline:
                said = f"{int(taken or 0)} of {rows} rows in {DONE_SECONDS:.0f} s"
                raise TimeoutError(f"{self.title}: {said}:\n{self.log.read_text()[-1500:]}")
            time.sleep(POLL_SECONDS)

    def documents(self) -> Documents:
        """Return every customer's document."""
        prefix = document_key(self.given.shop, "")
        keys = {key.decode() for key in self.client.scan_iter(f"{prefix}*", count=1000)}
        wanted = sorted(keys - {taken_key(self.given.shop)})
        found: Documents = {}
        for first in range(0, len(wanted), READ_AT_ONCE):
            names = wanted[first : first + READ_AT_ONCE]
            texts: Any = self.client.mget(names)
            found |= {
                name.removeprefix(prefix): json.loads(text) for name, text in zip(names, texts, strict=True)
            }
        return found


def _given(kafka: Place, store: Place, folder: Path, partitions: int, marks: tuple[int, int]) -> Given:
    shop = f"bench{uuid.uuid4().hex[:12]}"
    url = f"redis://:{store.password}@{store.address}/0"
    return Given(kafka.address, url, shop, partitions, marks, folder)


@contextmanager
def _running(peer: Peer, kafka: Place, given: Given, names: list[str]) -> Iterator[_Run]:
    """Make the topics and start the peer; afterwards end it and remove what it has."""
    shop, log = given.shop, given.folder / "log"
    admin = KafkaAdminClient(bootstrap_servers=kafka.address)
    try:
        wanted = {topic(shop, table): {"num_partitions": given.partitions} for table in TABLES}
        admin.create_topics(wanted, wait_for_metadata=True)
        with log.open("ab") as file, redis.Redis.from_url(given.store) as client:
            process = subprocess.Popen(  # noqa: S603 - our own programs
                peer.command(given), cwd=ROOT, stdout=file, stderr=file, start_new_session=True
            )
            try:
                yield _Run(peer.title, process, log, kafka, client, given, names, Expected(len(names)))
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                for key in client.scan_iter(document_key(shop, "*"), count=1000):
                    client.delete(key)
    finally:
        admin.delete_topics([one for one in admin.list_topics() if shop in one])
        admin.close()
