"""A shop's cluster for a measurement: topics, workers as processes, where the store's partitions stand."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.errors import CoordinatorLoadInProgressError, CoordinatorNotAvailableError, NotCoordinatorError

from app.shop import Shop
from bench.cluster.feeding import transaction
from bench.cluster.process import held_partitions, session_cpu
from bench.cluster.rows import Row
from bench.folder import NOTHING, write_shop
from deploy.servers.places import ROOT, Place
from sinks.store.store import Head, Store
from streams.changes.topics import Topics
from streams.worker.log_reader import LogReader

SECRET = bytes(range(32))  # of shops that live as long as a measurement
POLL_SECONDS = 0.05
SETTLED_SECONDS = 300.0


@dataclass(frozen=True)
class Running:
    """A worker's process, and the folder of its copies."""

    process: subprocess.Popen[bytes]
    data: Path
    log: Path

    @property
    def cpu(self) -> float:
        """Its CPU seconds so far, those of its children included."""
        return session_cpu(self.process.pid)

    @property
    def partitions(self) -> set[int]:
        """The partitions of the log that it owns."""
        return held_partitions(self.process.pid, self.data)

    def kill(self) -> None:
        """Kill it at once (`kill -9`), and what it has made."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass
class Cluster:
    """One shop on real servers; its sources' topics and its log have the same number of partitions. Use
    `cluster`."""

    kafka: Place
    store: Place
    folder: Path
    shop: Shop
    workers: dict[str, Running] = field(default_factory=dict)
    _ends: dict[TopicPartition, int] = field(default_factory=dict)  # behind the last message sent

    @property
    def name(self) -> str:
        """The shop's name."""
        return self.shop.settings.name

    @property
    def partitions(self) -> int:
        """How many the log has."""
        return self.shop.settings.partitions

    @property
    def store_url(self) -> str:
        """The store's address, with its password."""
        return f"redis://:{self.store.password}@{self.store.address}/0"

    def command(self, *words: str) -> list[str]:
        """Return a command of Tintype."""
        return [str(ROOT / "tintype"), *words]

    @property
    def environment(self) -> dict[str, str]:
        """Where the servers are, as a worker is told."""
        return {
            **os.environ, "TINTYPE_KAFKA": self.kafka.address, "TINTYPE_STORE": self.store_url,
            "TINTYPE_SECRET": SECRET.hex(),
        }  # fmt: skip

    def start(self, name: str) -> Running:
        """Start a worker."""
        log, data = self.folder / f"{name}.log", self.folder / name
        words = self.command("worker", str(self.folder / "shop"), "--data", str(data))
        with log.open("ab") as file:
            process = subprocess.Popen(  # noqa: S603 - this checkout's own command
                words, env=self.environment, stdout=file, stderr=file, start_new_session=True
            )
        self.workers[name] = Running(process, data, log)
        return self.workers[name]

    def topic(self, source: str) -> str:
        """Return the topic of a source."""
        return f"{self.name}.{source}"

    def place_of(self, row: Row) -> TopicPartition:
        """Return the partition of a topic that a row goes to."""
        return TopicPartition(self.topic(row.source), row.customer % self.partitions)

    def send(self, producer: KafkaProducer, row: Row) -> tuple[TopicPartition, Any]:
        """Send a row to its partition; return that, and the future of it."""
        at = self.place_of(row)
        return at, producer.send(at.topic, row.value, key=row.key, partition=at.partition)

    @contextmanager
    def feed(self, rows: Iterable[Row]) -> Iterator[None]:
        """Write rows in one transaction, which is committed when the block ends: readers of what is
        committed see all of them from that moment on, and nothing before."""
        with transaction(self.kafka, f"{self.name}.feed") as producer:
            self.note_sent(self.send(producer, row) for row in rows)
            producer.flush()
            yield

    def note_sent(self, sent: Iterable[tuple[TopicPartition, Any]]) -> None:
        """Remember which messages are there to be taken in: what `send` has returned."""
        for at, newest in dict(sent).items():
            self._ends[at] = newest.get(60).offset + 1

    def note_ends(self, ends: Mapping[TopicPartition, int]) -> None:
        """Remember which messages somebody else has sent: those before these ends of the topics."""
        self._ends.update(ends)

    def is_taken_in(self) -> bool:
        """Whether all messages noted as sent are in the log."""
        group = f"{Topics(self.name).changes}.intake"
        admin = KafkaAdminClient(bootstrap_servers=self.kafka.address)
        try:
            reached = {at: one.offset for at, one in admin.list_group_offsets(group)[group].items()}
        except (CoordinatorNotAvailableError, CoordinatorLoadInProgressError, NotCoordinatorError):
            return False  # a broker that has only begun makes the topic of offsets first
        finally:
            admin.close()
        return all(reached.get(at, 0) >= end for at, end in self._ends.items())

    def logged(self) -> list[int]:
        """Return how many records each partition of the log has."""
        found = [0] * self.partitions
        reader = LogReader(self.kafka.address, Topics(self.name))
        try:
            for one in reader.log(None):
                found[one.partition] += one.count
        finally:
            reader.close()
        return found

    def heads(self) -> list[Head]:
        """Return where the store's partitions stand."""
        store = Store(redis.Redis.from_url(self.store_url), self.name)
        try:
            return [store.head(one) for one in range(self.partitions)]
        finally:
            store.client.close()

    def wait(self, until: Callable[[], object], what: str, seconds: float = SETTLED_SECONDS) -> None:
        """Wait until something holds. Raises TimeoutError, and RuntimeError where a worker has ended."""
        deadline = time.monotonic() + seconds
        while not until():
            for name, one in self.workers.items():
                if one.process.poll() not in (None, -signal.SIGKILL):
                    raise RuntimeError(f"worker {name} ended:\n{one.log.read_text()[-3000:]}")
            if time.monotonic() > deadline:
                logs = "\n".join(one.log.read_text()[-1500:] for one in self.workers.values())
                raise TimeoutError(f"not within {seconds:.0f} s: {what}\n{logs}")
            time.sleep(POLL_SECONDS)

    def settle(self) -> list[int]:
        """Wait until all that was sent is committed in the store; return the records of each partition."""
        self.wait(self.is_taken_in, "all messages are in the log")
        ends = self.logged()
        self.wait(lambda: is_behind(ends, [one.step for one in self.heads()]), "the log is in the store")
        return ends


def is_behind(ends: Iterable[int], steps: Iterable[int]) -> bool:
    """Say whether partitions that stand at ``steps`` have these ends of the log behind them.

    >>> is_behind([3, 4], [3, 5]), is_behind([3, 4], [4, 3])
    (True, False)
    """
    return all(step >= end for step, end in zip(steps, ends, strict=True))


@contextmanager
def cluster(
    kafka: Place, store: Place, folder: Path, partitions: int, triggers: Mapping[str, Any] = NOTHING
) -> Iterator[Cluster]:  # fmt: skip
    """Make the measured shop's topics and apply its settings; afterwards end its workers, remove what it
    has. triggers: more of them."""
    name = f"bench{uuid.uuid4().hex[:12]}"
    topics = "".join(f'{one} = "{name}.{one}"\n' for one in ("orders", "refunds", "tickets", "views"))
    (folder / "shop" / "none").mkdir(parents=True)
    settings = f"partitions = {partitions}\nhistory = false\n"
    tables = f'[kafka]\nconnectors = "none"\n[kafka.topics]\n{topics}'
    made = Cluster(kafka, store, folder, write_shop(folder / "shop", name, settings, tables, triggers))
    admin = KafkaAdminClient(bootstrap_servers=kafka.address)
    wanted = {made.topic(source): {"num_partitions": partitions} for source in made.shop.sources}
    try:
        admin.create_topics(wanted, wait_for_metadata=True)
        subprocess.run(  # noqa: S603 - this checkout's own command
            made.command("apply", str(folder / "shop")), env=made.environment, check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        yield made
    finally:
        for one in made.workers.values():
            if one.process.poll() is None:
                one.kill()
        mine = [one for one in admin.list_topics() if name in one]
        admin.delete_topics(mine)
        admin.close()
        _forget(made)
        shutil.rmtree(folder)


def _forget(made: Cluster) -> None:
    client = redis.Redis.from_url(made.store_url)
    keys = list(client.scan_iter(f"*{made.name}*", count=1000))
    for first in range(0, len(keys), 500):
        client.delete(*keys[first : first + 500])
    client.close()
