"""ClickHouse killed, refusing and slow beside a worker: profiles do not wait, history has everything once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.servers.places import HOST, Place
from sinks.history.client import ServerAddress
from sinks.history.server import ServerHistory
from streams.log.rows import read_rows
from tests.laws.effort import LONG
from tests.servers.checked import check, now_ms, send_more, settle
from tests.servers.cluster import Cluster, cluster
from tests.servers.own_clickhouse import OwnClickHouse, own_clickhouse
from tests.servers.waiting import wait_for
from tests.shared.small_shop import Feed

AWAY_SECONDS = 600 if LONG else 5


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnClickHouse]:
    with own_clickhouse(tmp_path_factory.mktemp("clickhouse") / "own") as found:
        yield found


def spooled(shop: Cluster) -> int:
    """Return how many bytes wait on the disks of the workers."""
    return sum(one.stat().st_size for one in shop.folder.glob("*/[0-9]*/spool/*") if one.exists())


def copied(history: ServerHistory, table: str, number: str) -> list[tuple[int, int]]:
    """Return which places of the log, or of the outbox, a table has; one that is there twice, twice."""
    held = history.query(f"SELECT partition, {number} FROM `{table}` ORDER BY partition, {number}")
    return [(row["partition"], row[number]) for row in held.to_pylist()]


def wanted(shop: Cluster, folder: Path) -> dict[str, list[tuple[int, int]]]:
    """Return which they are to have."""
    found: dict[str, list[tuple[int, int]]] = {}
    for copy in shop.copies(folder):
        for name, source in shop.shop.sources.items():
            steps = read_rows(copy.log, source)["step"].tolist()
            found.setdefault(f"changes_{name}", []).extend((copy.partition, one) for one in sorted(steps))
        copy.close()
    heads = enumerate(shop.heads())
    found["effects"] = [(partition, seq) for partition, head in heads for seq in range(head.effects)]
    return found


def keep_writing(shop: Cluster, feed: Feed, folder: Path, seconds: float) -> None:
    """Write for so long; each time it is served all the same."""
    until = time.monotonic() + seconds
    while True:
        send_more(shop, feed, 100)
        settle(shop, folder, "served without history")
        if time.monotonic() > until:
            return


def test_history_away_refusing_and_slow_gets_everything_once_and_holds_nobody_up(
    server: OwnClickHouse, kafka: Place, redis_server: Place, name: str, tmp_path: Path
) -> None:
    place, feed = server.place, Feed(41, start_ms=now_ms())
    with cluster(kafka, redis_server, name, tmp_path, history=True) as shop:
        shop.variables = {
            "TINTYPE_CLICKHOUSE": place.address, "TINTYPE_CLICKHOUSE_PASSWORD": place.password,
        }  # fmt: skip
        shop.start("a")
        send_more(shop, feed, 100)
        settle(shop, tmp_path)
        history = ServerHistory(ServerAddress(HOST, place.port, f"tintype_{name}", password=place.password))
        wait_for(lambda: copied(history, "effects", "seq"), "copied")
        history.close()
        server.kill()
        try:
            keep_writing(shop, feed, tmp_path, AWAY_SECONDS)
            wait_for(lambda: spooled(shop) > 0, "put aside")
        finally:
            server.start()
        with server.busy():
            keep_writing(shop, feed, tmp_path, AWAY_SECONDS)
        server.freeze()
        try:
            keep_writing(shop, feed, tmp_path, AWAY_SECONDS)
        finally:
            server.thaw()
        history = ServerHistory(ServerAddress(HOST, place.port, f"tintype_{name}", password=place.password))
        wait_for(lambda: is_copied(history, shop, tmp_path / "look"), "all copied", 300)
        history.close()
        assert spooled(shop) == 0
        check(shop, feed, tmp_path)


def is_copied(history: ServerHistory, shop: Cluster, folder: Path) -> bool:
    """Whether history has every row and effect, each once."""
    return all(
        copied(history, table, "seq" if table == "effects" else "step") == places
        for table, places in wanted(shop, folder).items()
    )
