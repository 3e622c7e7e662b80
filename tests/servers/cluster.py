"""A shop's cluster for a test: topics, workers as processes, and what it must come to."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pandas as pd
import redis
import yaml
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import CoordinatorNotAvailableError

from app.inspect import held_at
from app.replay import Replay, first_version
from app.shop import Shop
from deploy.servers.places import Place
from engine.documents import documents
from engine.outcome import Transition, transitions
from engine.partition import Partition, RawEffects
from reference.pieces import Pieces
from sinks.store.store import Head, Store
from sinks.topics.names import topics_of
from streams.changes.copy import Copy
from streams.changes.topics import Topics
from streams.log.rows import read_control
from streams.worker.log_reader import LogReader
from tests.called import SECRET
from tests.servers.forked import Forked
from tests.shared.small_shop import Feed, small_shop

PARTITIONS = 4
START_SECONDS = 90.0


def topic_of(shop: str, source: str) -> str:
    """Return where a source's messages stand, as its connector would name it."""
    return f"{shop}.public.{source}"


def write_folder(shop: Shop, folder: Path) -> None:
    """Write a shop's declarations as its folder."""
    said = shop.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    for kind in ("sources", "tags"):
        (folder / kind).mkdir(parents=True)
        for name, one in said[kind].items():
            one.pop("name")
            (folder / kind / f"{name}.yaml").write_text(yaml.safe_dump(one, allow_unicode=True), "utf-8")
    (folder / "metrics.yaml").write_text(yaml.safe_dump(said["metrics"]), "utf-8")
    (folder / "rfm.yaml").write_text(yaml.safe_dump(said["rfm"]), "utf-8")
    name = shop.settings.name
    topics = "".join(f'{source} = "{topic_of(name, source)}"\n' for source in shop.sources)
    (folder / "none").mkdir()
    (folder / "tintype.toml").write_text(
        f'name = "{name}"\npartitions = {shop.settings.partitions}\n'
        f"history = {str(shop.settings.history).lower()}\n"
        f'identity_priority = ["member", "phone", "device"]\n'
        f'[kafka]\nconnectors = "none"\n[kafka.topics]\n{topics}',
        "utf-8",
    )


@dataclass
class Running:
    """A worker's process."""

    process: Forked
    log: Path
    said: int = 0  # bytes in its log before it was started

    def kill(self) -> None:
        """Kill it at once, and what it has made."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def pause(self) -> None:
        """Let it stand still, as a machine that is out of memory or a process under a debugger."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let a paused one go on."""
        os.killpg(self.process.pid, signal.SIGCONT)

    def memory(self) -> int:
        """Return how much of the machine's memory it takes, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))

    def stop(self) -> int:
        """Ask it to end; return its code. One that does not is asked where it stands."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGUSR1)  # Faust writes where each of its tasks is
            time.sleep(3)
            raise AssertionError(f"it does not end:\n{self.log.read_text()[-20_000:]}") from None


@dataclass
class Cluster:
    """One shop on real servers. Use `cluster`."""

    kafka: Place
    store: Place
    folder: Path
    shop: Shop
    workers: dict[str, Running] = field(default_factory=dict)
    looked: str = ""  # what was found when it was last looked at
    variables: dict[str, str] = field(default_factory=dict)  # more of a worker's environment
    fed_by: str = ""  # the shop after which its sources' topics are named, where that is another

    @property
    def environment(self) -> dict[str, str]:
        """Where the servers are, as a worker is told."""
        return {
            **os.environ, "TINTYPE_KAFKA": self.kafka.address, "TINTYPE_STORE": self.store_url,
            "TINTYPE_SECRET": SECRET.hex(), **self.variables,
        }  # fmt: skip

    @property
    def store_url(self) -> str:
        """The store's address, with its password."""
        return f"redis://:{self.store.password}@{self.store.address}/0"

    @cached_property
    def client(self) -> redis.Redis:
        """A connection to the store."""
        return redis.Redis.from_url(self.store_url)

    @property
    def name(self) -> str:
        """The shop's name."""
        return self.shop.settings.name

    def topic_of(self, source: str) -> str:
        """Return where a source's messages stand."""
        return topic_of(self.fed_by or self.name, source)

    def command(self, *arguments: str) -> str:
        """Run a command of Tintype; return what it writes."""
        with TemporaryDirectory() as folder:
            out, error = Path(folder) / "out", Path(folder) / "error"
            code = Forked(arguments, self.environment, out, error).wait()
            assert code == 0, error.read_text("utf-8")
            return out.read_text("utf-8")

    def start(self, name: str, *more: str) -> Running:
        """Start a worker, or start it again with the folder that it had."""
        log = self.folder / f"{name}.log"
        said = log.stat().st_size if log.exists() else 0
        arguments = ["worker", str(self.folder / "shop"), "--data", str(self.folder / name), *more]
        self.workers[name] = Running(Forked(arguments, self.environment, log), log, said)
        return self.workers[name]

    def send(self, feed: Feed) -> int:
        """Send a feed's messages; return how many."""
        mine = KafkaProducer(bootstrap_servers=self.kafka.address, acks="all")
        count = 0
        for place, messages in feed.topics.items():
            source, partition = place.rpartition(".")[2].split("/")
            for one in messages:
                mine.send(self.topic_of(source), one.value, key=one.key, partition=int(partition))
                count += 1
        mine.flush()
        mine.close()
        return count

    def wait(self, until: Callable[[], Any], what: str, seconds: float = START_SECONDS) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + seconds
        while not until():
            for name, one in self.workers.items():
                assert one.process.poll() in (None, -signal.SIGKILL), (
                    f"{name} ended:\n{one.log.read_text()[-3000:]}"
                )
            logs = {name: one.log.read_text()[-1500:] for name, one in self.workers.items()}
            assert time.monotonic() < deadline, f"{what}: not within {seconds} s: {self.looked}\n{logs}"
            time.sleep(0.2)

    def lag(self) -> int:
        """Return how many messages of the sources are not in the log yet."""
        group = f"{Topics(self.name).changes}.intake"
        admin = KafkaAdminClient(bootstrap_servers=self.kafka.address)
        try:
            committed = {at: one.offset for at, one in admin.list_group_offsets(group)[group].items()}
        except CoordinatorNotAvailableError:  # of a broker that is young
            committed = {}
        finally:
            admin.close()
        return sum(end - max(committed.get(at, 0), 0) for at, end in self._ends().items())

    def sent(self) -> int:
        """Return how many messages the sources' topics have."""
        return sum(self._ends().values())

    def _ends(self) -> dict[TopicPartition, int]:
        consumer = KafkaConsumer(bootstrap_servers=self.kafka.address, enable_auto_commit=False)
        topics = [self.topic_of(source) for source in self.shop.sources]
        try:
            ends: dict[TopicPartition, int] = consumer.end_offsets(
                [TopicPartition(topic, one) for topic in topics for one in (0, 1)]
            )
        finally:
            consumer.close()
        return ends

    def heads(self) -> list[Head]:
        """Return where the store's partitions stand."""
        store = Store(self.client, self.name)
        return [store.head(one) for one in range(self.shop.settings.partitions)]

    def copies(self, folder: Path) -> list[Copy]:
        """Read the whole log from Kafka."""
        reader = LogReader(self.kafka.address, Topics(self.name))
        found = [
            Copy(folder / str(one), self.name, one, SECRET) for one in range(self.shop.settings.partitions)
        ]
        messages = list(reader.log(None))
        reader.close()
        for one in found:
            one.add([message for message in messages if message.partition == one.partition])
        return found

    def cuts(self, folder: Path) -> list[list[dict[str, Any]]]:
        """Return the bodies of each partition's cuts records, in order."""
        found = []
        for copy in self.copies(folder):
            bodies = read_control(copy.log, kinds=["cuts"])["body"]
            found.append([msgspec.json.decode(body) for body in bodies])
            copy.close()
        return found

    def is_settled(self, folder: Path) -> bool:
        """Whether all that was sent is in the store."""
        if lag := self.lag():
            self.looked = f"{lag} messages are not taken in"
            return False
        copies = self.copies(folder)
        ends = [one.log.next_step(0) for one in copies]
        for one in copies:
            one.close()
        heads = self.heads()
        if [head.step for head in heads] != ends:
            self.looked = f"the store stands at {[head.step for head in heads]}, the log ends at {ends}"
            return False
        told, made = {at: len(one) for at, one in self.tag_changes().items()}, [one.effects for one in heads]
        self.looked = f"of {made} effects {told} are in the topic"
        return sum(told.values()) == sum(made)

    def stop(self) -> None:
        """End all workers, so that nothing changes while it is looked at."""
        for one in self.workers.values():
            if one.process.poll() is None:
                code, young = one.stop(), one.log.stat().st_size == one.said  # Python itself still starts
                assert code == 0 or (young and code == -signal.SIGTERM), (
                    f"it ended with {code}:\n{one.log.read_text()[-20_000:]}"
                )

    def end(self) -> None:
        """Kill workers that still run, and let go of the store."""
        for one in self.workers.values():
            if one.process.poll() is None:
                one.kill()
        self.client.close()

    def empty_store(self) -> None:
        """Let the store lose everything that it has of the shop."""
        client = self.client
        keys = list(client.scan_iter(f"tintype:{{{self.name}/*", count=1000))
        for at in range(0, len(keys), 500):
            client.delete(*keys[at : at + 500])

    def tag_changes(self) -> dict[int, list[dict[str, Any]]]:
        """Return what who reads committed messages finds of tag changes, by the shop's partition.

        A customer's stand in order.
        """
        topic, found = topics_of(self.name).tag_changes, dict[int, list[dict[str, Any]]]()
        reader = LogReader(self.kafka.address, Topics(self.name))
        for record in reader.records(topic):
            said = msgspec.json.decode(record.value)
            found.setdefault(said["partition"], []).append(said)
        reader.close()
        for number, changes in found.items():
            by_customer: dict[str, int] = {}
            for one in changes:
                assert one["seq"] > by_customer.get(one["customer"], -1)
                by_customer[one["customer"]] = one["seq"]
            found[number] = sorted(changes, key=lambda one: int(one["seq"]))
        return found

    def profiles(self) -> dict[str, Any]:
        """Return every profile that the store has."""
        client, found = self.client, {}
        for key in client.scan_iter(f"tintype:{{{self.name}/[0-9]*}}:profile:*", count=1000):
            found[key.rpartition(b":")[2].decode()] = msgspec.json.decode(client.get(key) or b"null")
        return found

    def recomputed(
        self, folder: Path
    ) -> tuple[dict[str, Any], dict[str, pd.DataFrame], dict[int, list[dict[str, Any]]]]:
        """Return profiles, what is held, and effects, as engines behind the log come to from scratch where
        the store stands."""
        found: dict[str, Any] = {}
        held, effects = [], dict[int, list[dict[str, Any]]]()
        encode = msgspec.json.encode
        for copy, head in zip(self.copies(folder), self.heads(), strict=True):
            collected = Collected(copy.partition)
            first = Shop.model_validate_json(first_version(copy.log) or "")
            replay = Replay(copy.log, first, collected.take, apart=True)
            replay.follow(ends=[head.step])
            partition = replay.engine.partitions[0]
            import numpy as np

            everybody = np.arange(partition.customers, dtype=np.int32)
            for customer, document in documents(partition, everybody):
                found[customer.hex()] = msgspec.json.decode(encode(document))
            held.append(held_at(replay.engine, Pieces.of(replay.shop, replay.shop.triggers)))
            copy.close()
            if collected.effects:
                effects[copy.partition] = msgspec.json.decode(encode(collected.effects))
        frames = {name: pd.concat([one[name] for one in held]).sort_index() for name in held[0]}
        return found, frames, effects


@dataclass
class Collected:
    """The effects of a partition."""

    number: int
    effects: list[Transition] = field(default_factory=list)

    def take(self, _: int, partition: Partition, raw: RawEffects) -> None:
        """Take effects in."""
        self.effects += transitions(partition, self.number, raw)


@contextmanager
def cluster(kafka: Place, store: Place, name: str, folder: Path, **more: Any) -> Iterator[Cluster]:
    """Make a shop's topics, apply its settings; end its workers afterwards."""
    shop = small_shop(name, **{"partitions": PARTITIONS, "history": False, **more})
    write_folder(shop, folder / "shop")
    made = Cluster(kafka, store, folder, shop)
    admin = KafkaAdminClient(bootstrap_servers=kafka.address)
    admin.create_topics(
        {topic_of(name, source): {"num_partitions": 2} for source in shop.sources}, wait_for_metadata=True
    )
    admin.close()
    made.command("apply", str(folder / "shop"))
    try:
        yield made
    finally:
        made.end()
