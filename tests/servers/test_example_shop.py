"""The example shop on a real database: its tables, its connector's file, its sources' contracts."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.load import load_shop
from deploy.servers.places import DEPLOY, ROOT, Place
from streams.arrive import Arrivals
from streams.dead.letters import letters
from streams.debezium.connectors import Connectors
from streams.debezium.doctor.examine import Feeds, examine
from streams.debezium.files import read_file
from streams.debezium.rest import ConnectRest
from streams.log.log import Log
from streams.log.rows import read_rows
from streams.message import Message
from tests.servers.databases import PostgresDatabase
from tests.servers.feeds import Feed
from tests.servers.waiting import wait_for

NAME = "tintype_shop"  # slot and publication, as deploy/postgres/prepare.sql and the file have them
BEFORE = """
INSERT INTO members VALUES ('M1', '13800000001', '上海', '1990-05-01', '2026-01-02 08:00+08', '金卡', 'zh');
INSERT INTO consent VALUES ('M1', 'sms', 'marketing', true, '2026-01-02 08:01+08');
INSERT INTO orders VALUES ('O1', 'M1', '13800000001', 5000.00, 'created', '鞋', '2026-03-01 09:00+08');
INSERT INTO parcels VALUES ('P1', 'O1', 'shipped', 'SF', '2026-03-01 12:00+08');
INSERT INTO refunds VALUES ('R1', 'O1', 10.50, '破损', '2026-03-02 09:00+08');
INSERT INTO tickets VALUES ('T1', 'M1', NULL, 'quality', 'open', NULL, '2026-03-02 09:05+08');
INSERT INTO views VALUES ('V1', 'M1', 'd-1', '鞋', '跑鞋', 35, '2026-03-02 10:00+08', true);
INSERT INTO carts VALUES ('C1', 'M1', 'd-1', '跑鞋', '鞋', 260.00, 'open', '2026-03-02 10:01+08');
INSERT INTO restocks VALUES ('Q1', 'M1', '跑鞋', 260.00, 'waiting', NULL, '2026-03-02 10:02+08');
INSERT INTO levels VALUES ('L1', 'M1', '金卡', 'up', '2027-03-02', '2026-03-02 10:03+08');
"""
AFTER = """
UPDATE orders SET status = 'paid' WHERE order_id = 'O1';
UPDATE tickets SET status = 'closed', score = 5 WHERE ticket_id = 'T1';
DELETE FROM refunds WHERE refund_id = 'R1';
UPDATE carts SET status = 'removed' WHERE cart_id = 'C1';
UPDATE restocks SET status = 'presale', arrives_on = '2026-03-20' WHERE request_id = 'Q1';
"""
COUNTS = {"members": 1, "orders": 2, "parcels": 1, "refunds": 2, "tickets": 2, "views": 1,
          "carts": 2, "restocks": 2, "levels": 1}  # fmt: skip


@pytest.fixture
def feed(postgres_shop: PostgresDatabase, connect: Place) -> Feed:
    """The example's database prepared by the files in deploy, and the file of its connector."""
    for name in ("shop.sql", "prepare.sql"):
        postgres_shop.run((DEPLOY / "postgres" / name).read_text(encoding="utf-8"))
    config = dict(read_file(DEPLOY / "connectors" / "shop-postgres.json").config)
    config |= {"database.dbname": postgres_shop.name, "topic.prefix": postgres_shop.name}
    kafka = connect.others["kafka"].address
    connectors = Connectors(ConnectRest(f"http://{connect.address}"))
    return Feed(postgres_shop, config, "public.orders", kafka, connectors)


def test_the_example_shops_tables_come_through_its_connector_into_its_log(
    feed: Feed, environment: dict[str, str], tmp_path: Path
) -> None:
    """Every message keeps its source's contract; the doctor finds nothing at work."""
    feed.database.run(BEFORE)
    shop = load_shop(ROOT / "examples" / "shop")
    tables = {str(one.format.table): name for name, one in shop.sources.items()}
    try:
        feed.apply()
        feed.messages(1)
        feed.database.run(AFTER)
        taken = [
            Message(name, f"{one.topic}/{one.partition}/{one.offset}", one.value)
            for table, name in tables.items()
            for one in feed.messages(COUNTS.get(name, 1), f"{feed.name}.{table}")
            if one.value is not None
        ]
        files = {feed.name: feed.file}
        look = Feeds(files, feed.connectors, feed.kafka, environment, tables)
        wait_for(lambda: not [one for one in examine(look) if one.check != "connector"], "sound")
    finally:
        feed.connectors.delete(feed.name)
        wait_for(lambda: feed.connectors.status(feed.name) is None, "deleted")
    with Log.create(tmp_path, "shop", 1) as log:
        Arrivals(log).take(shop, [(taken, None)], 29_700_000)
        assert [(one.place, one.problem) for one in letters(log)] == []
        counted = {name: len(read_rows(log, shop.sources[name])) for name in COUNTS}
    assert counted == COUNTS
