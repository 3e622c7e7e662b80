"""Kafka Connect killed while it streams rows of PostgreSQL, and its snapshots during writes: what comes twice
counts once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest

from deploy.servers.connect import Connect
from deploy.servers.kafka import Kafka
from deploy.servers.places import Place
from streams.debezium.connectors import Connectors
from streams.debezium.notifications import notifications
from streams.debezium.rest import ConnectRest
from streams.debezium.signals import Signal, send
from tests.laws.effort import LONG
from tests.servers import feeds
from tests.servers.checked import check, now_ms, settle
from tests.servers.cluster import Cluster, cluster
from tests.servers.databases import PostgresDatabase
from tests.servers.own import OwnServer, own_server
from tests.servers.shop_database import (
    Database,
    check_topics,
    envelopes,
    make_tables,
    seen,
    wait_for_all,
)
from tests.shared.small_shop import KEYS

KILLS = 10 if LONG else 1
ROWS, MEMBERS = (5_000, 2_000) if LONG else (KEYS, 5)  # rows of each table
CHUNK = "500" if LONG else "20"  # rows that are read at a time
CHANGES = 5_000 if LONG else 150  # beside one of each parent, before each kill and after it
MOST_KILLS = KILLS + 4  # until something came twice
TRICKLE_SECONDS = 2.0


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    with own_server(Kafka(), tmp_path_factory.mktemp("kafka") / "own") as found:
        yield found


def wait_for_position(shop: Cluster, feed: feeds.Feed) -> None:
    """Wait until Connect has kept where it stands behind its first snapshot. Killed before, Debezium takes it
    again, and never tells what was deleted between (docs/connectors.md)."""

    def is_kept() -> bool:
        kept = [one["offset"] for one in feed.connectors.offsets(feed.file.name) if one["offset"]]
        return bool(kept) and not any("snapshot" in one for one in kept)

    shop.wait(is_kept, "a position is kept")


def is_more_than(shop: Cluster, messages: int) -> bool:
    """Whether more messages than so many are in the topics."""
    return shop.sent() > messages


def trickle(rows: Database) -> None:
    """Write little by little up to the kill: what Connect streams after it last wrote down how far it came
    (every five seconds) comes again. Rows that it had long streamed by then do not."""
    until = time.monotonic() + TRICKLE_SECONDS
    while time.monotonic() < until:
        rows.write(20, parents_too=False).flush()
        time.sleep(0.05)


def test_a_connect_that_is_killed_while_it_streams_doubles_messages_and_no_number(
    broker: OwnServer, postgres: Place, redis_server: Place, postgres_shop: PostgresDatabase, name: str,
    tmp_path: Path,
) -> None:  # fmt: skip
    """The profiles equal the recompute from the log, and what is counted equals that from the tables."""
    # Connect names MariaDB's address too, which nothing asks here.
    others = {"kafka": broker.place, "postgres": postgres, "mariadb": postgres}
    with (
        cluster(broker.place, redis_server, name, tmp_path) as shop,
        own_server(Connect(), tmp_path / "connect", others) as connect,
    ):
        config = make_tables(postgres_shop, shop)
        rest = Connectors(ConnectRest(f"http://{connect.place.address}"))
        feed = feeds.Feed(postgres_shop, config, "public.orders", broker.place.address, rest)
        feed.apply()
        shop.start("a")
        rows = Database(
            51, start_ms=now_ms(), keys=ROWS, members=MEMBERS, place=postgres, name=name
        )  # fmt: skip
        rows.write(CHANGES).flush()
        wait_for_position(shop, feed)
        kills = 0
        while kills < KILLS or (max(seen(shop).values()) < 2 and kills < MOST_KILLS):
            sent = shop.sent()
            rows.write(CHANGES).flush()
            shop.wait(partial(is_more_than, shop, sent), "streaming")
            trickle(rows)
            connect.kill()
            rows.write(CHANGES).flush()
            connect.start()
            kills += 1
            wait_for_all(shop, rows, kills)
        doubled = sum(times - 1 for times in seen(shop).values())
        assert doubled > 0
        settle(shop, tmp_path, seconds=1800 if LONG else 300)
        tables = rows.read(shop.shop.sources)
        check_topics(shop, tables)
        check(shop, tables, tmp_path, of_tables=True)


def test_a_snapshot_taken_again_during_writes_counts_no_order_twice(
    kafka: Place, connect: Place, postgres: Place, redis_server: Place, postgres_shop: PostgresDatabase,
    environment: Mapping[str, str], name: str, tmp_path: Path,
) -> None:  # fmt: skip
    """Debezium's incremental snapshot reads chunk by chunk while rows change, so that they come as both."""
    with cluster(kafka, redis_server, name, tmp_path) as shop:
        config = make_tables(postgres_shop, shop) | {"incremental.snapshot.chunk.size": CHUNK}
        rest = Connectors(ConnectRest(f"http://{connect.address}"))
        feed = feeds.Feed(postgres_shop, config, "public.orders", kafka.address, rest)
        feed.apply()
        shop.start("a")
        rows = Database(
            52, start_ms=now_ms(), keys=ROWS, members=MEMBERS, place=postgres, name=name
        )  # fmt: skip
        rows.write(5_000 if LONG else 400).flush()
        signal = Signal("execute-snapshot", tuple(f"public.{source}" for source in shop.shop.sources))
        send(feed.file, signal, "table", kafka.address, environment)

        def is_over() -> bool:
            rows.write(50, parents_too=False).flush()
            told = notifications(kafka.address, feed.file)
            return any((one.id, one.kind) == (signal.id, "COMPLETED") for one in told)

        shop.wait(is_over, "the snapshot is over", 600 if LONG else 90)
        wait_for_all(shop, rows, 1)
        again = [said for _, said in envelopes(shop) if said["source"]["snapshot"] == "incremental"]
        assert {said["op"] for said in again} == {"r"}
        settle(shop, tmp_path, seconds=900 if LONG else 300)
        check(shop, rows.read(shop.shop.sources), tmp_path, of_tables=True)
