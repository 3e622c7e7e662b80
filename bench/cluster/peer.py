"""Runs the peer over rows of the same stream, as many as ours are partitioned, and returns what they cost."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import redis
from kafka import KafkaAdminClient, KafkaProducer

from bench.cluster.cluster import POLL_SECONDS
from bench.cluster.peer_names import TABLES, done_key, topic
from bench.cluster.rows import Rows
from bench.cluster.taking import Taken
from deploy.servers.places import ROOT, Place

DONE_SECONDS = 180.0


def faust(kafka: Place, store: Place, folder: Path, rows: int, customers: int, partitions: int) -> Taken:
    """Write rows, then let the Faust application take them; it measures itself from the first to the last.

    Raises TimeoutError where it is not done in time, and RuntimeError where it ends.
    """
    shop = f"bench{uuid.uuid4().hex[:12]}"
    url = f"redis://:{store.password}@{store.address}/0"
    admin = KafkaAdminClient(bootstrap_servers=kafka.address)
    wanted = {topic(shop, table): {"num_partitions": partitions} for table in TABLES}
    try:
        admin.create_topics(wanted, wait_for_metadata=True)
        _write(kafka, shop, rows, customers, partitions)
        words = [kafka.address, url, shop, str(partitions), str(rows), "worker", "--without-web"]
        log = folder / "faust.log"
        with log.open("ab") as file:
            process = subprocess.Popen(  # noqa: S603 - this checkout's own Python
                [sys.executable, "-m", "bench.cluster.faust_peer", *words], cwd=ROOT, stdout=file, stderr=file
            )
        with redis.Redis.from_url(url) as client:
            try:
                said = _said(client, shop, process, log)
            finally:
                process.terminate()
                process.wait()
                for key in client.scan_iter(f"faust:{shop}:*", count=1000):
                    client.delete(key)
    finally:
        admin.delete_topics([one for one in admin.list_topics() if shop in one])
        admin.close()
    return Taken(said["cpu"] / rows * 1e6, rows / said["seconds"])


def _write(kafka: Place, shop: str, rows: int, customers: int, partitions: int) -> None:
    drawn = Rows(customers)
    for _ in drawn.past(rows // 2):  # updates reach into it
        pass
    producer = KafkaProducer(bootstrap_servers=kafka.address, linger_ms=20)
    for row in itertools.islice(drawn.changes(rows), rows):
        lane = row.customer % partitions
        producer.send(topic(shop, row.source), row.value, key=row.key, partition=lane)
    producer.flush()
    producer.close()


def _said(client: redis.Redis, shop: str, process: subprocess.Popen[bytes], log: Path) -> dict[str, float]:
    deadline = time.monotonic() + DONE_SECONDS
    while True:
        found: Any = client.get(done_key(shop))
        if found is not None:
            said: dict[str, float] = json.loads(found)
            return said
        if process.poll() is not None:
            raise RuntimeError(f"the Faust application ended:\n{log.read_text()[-3000:]}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"Faust: not done in {DONE_SECONDS:.0f} s:\n{log.read_text()[-1500:]}")
        time.sleep(POLL_SECONDS)
