"""Where a shop's cluster is, by its settings and the environment, which wins."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import redis

from app.kafka_address import BROKERS
from app.log_folder import DATA, data_folder
from app.owner import SNAPSHOT_EVERY
from app.shop import Shop
from streams.changes.topics import Topics
from streams.contract.source import CHANGE_FORMATS, SEGMENT
from streams.debezium.doctor.finding import included
from streams.debezium.files import read_files
from streams.errors import InputError
from streams.segment import SOURCE as CALLS
from streams.shared.vault import read_secret

STORE, SNAPSHOTS = "TINTYPE_STORE", "TINTYPE_SNAPSHOTS"
HEARTBEATS = "__debezium-heartbeat"


@dataclass(frozen=True)
class ClusterPlace:
    """Addresses, folders and names. data: of this worker's copies of the log, a cache; sources: by topic the
    sources whose messages stand there; snapshots: where workers share them, "" where they do not;
    snapshot_records: of a partition between two."""

    folder: Path
    bootstrap: str
    store: str
    data: Path
    secret: bytes
    topics: Topics
    sources: Mapping[str, list[str]]
    snapshots: str = ""
    snapshot_records: int = SNAPSHOT_EVERY

    @property
    def intake(self) -> str:
        """The group that reads the sources' topics."""
        return f"{self.topics.changes}.intake"

    @property
    def owners(self) -> str:
        """The group that owns the partitions of the log."""
        return f"{self.topics.changes}.owners"

    @property
    def senders(self) -> str:
        """The group of those of whom one sends."""
        return f"{self.topics.changes}.senders"

    @property
    def ledger_copy(self) -> Path:
        """The folder of a copy of the ledger, for who looks at it."""
        return self.data / "ledger"

    def client(self) -> redis.Redis:
        """Open the store."""
        return redis.Redis.from_url(self.store, socket_timeout=30, socket_connect_timeout=5)


def at_places_of(applied: Shop, folder: Shop) -> Shop:
    """Return settings that were applied, with the addresses of a folder, which no record has (P2)."""
    own = folder.settings
    there = {"kafka": own.kafka, "clickhouse": own.clickhouse, "links": own.links}
    return applied.model_copy(update={"settings": applied.settings.model_copy(update=there)})


def cluster_place(folder: Path, shop: Shop) -> ClusterPlace:
    """Return where the cluster is; connects to nothing. Raises InputError where something is not said."""
    settings = shop.settings
    topics = Topics(settings.name)
    data = os.environ.get(DATA)
    return ClusterPlace(
        folder, os.environ.get(BROKERS, settings.kafka.bootstrap),
        os.environ.get(STORE, settings.kafka.store),
        Path(data) if data else data_folder(folder, shop) / "worker", read_secret(), topics,
        _sources_by_topic(folder, shop, topics), _snapshots(folder, shop), settings.kafka.snapshot_records,
    )  # fmt: skip


def _snapshots(folder: Path, shop: Shop) -> str:
    """Return where snapshots are shared, as fsspec reads it; a folder is relative to the shop's."""
    said = os.environ.get(SNAPSHOTS, shop.settings.kafka.snapshots)
    return said if not said or "://" in said else str((folder / said).resolve())


def _sources_by_topic(folder: Path, shop: Shop, topics: Topics) -> dict[str, list[str]]:
    """Return which sources' messages stand in which topics: what is said, else what a connector writes."""
    files = read_files(folder / shop.settings.kafka.connectors)
    found: dict[str, list[str]] = {topics.calls: [CALLS]}
    for name, source in sorted(shop.sources.items()):
        if source.format.type == SEGMENT:
            continue  # it takes of the calls
        said = shop.settings.kafka.topics.get(name)
        if said is not None:
            found.setdefault(said, []).append(name)
        elif source.format.type not in CHANGE_FORMATS:
            found.setdefault(topics.incoming(name), []).append(name)
        else:
            table = source.format.table or name
            writers = [one for one in files.values() if included(one, [table])]
            if len(writers) != 1:
                which = "several connectors write" if writers else "no connector writes"
                hint = f'say its topic: [kafka.topics] {name} = "..."'
                raise InputError(f"source '{name}'", f"{which} the table {table}", hint)
            found.setdefault(f"{writers[0].prefix}.{table}", []).append(name)
            found.setdefault(f"{HEARTBEATS}.{writers[0].prefix}", []).append(name)
    return found
