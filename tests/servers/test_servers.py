"""Each server that the cluster form rests on does what it is there for."""

from __future__ import annotations

import asyncio

import pytest
import redis
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from clickhouse_driver import Client

from deploy.servers.places import HOST, Place
from tests.servers.feeds import Feed, changes


async def _written_in_a_transaction(address: str, topic: str, commit: bool) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=address, transactional_id=f"{topic}-{commit}")
    await producer.start()
    try:
        await producer.begin_transaction()
        for number in range(3):
            await producer.send_and_wait(topic, f"{commit} {number}".encode(), key=b"k", partition=0)
        await (producer.commit_transaction() if commit else producer.abort_transaction())
    finally:
        await producer.stop()


async def _read_committed(address: str, topic: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=address, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        return [(await asyncio.wait_for(consumer.getone(), 30)).value for _ in range(count)]
    finally:
        await consumer.stop()


def test_kafka_shows_what_a_transaction_committed_and_nothing_of_one_aborted(
    kafka: Place, name: str, topic: str
) -> None:
    """Three messages aborted, three committed: a reader of committed ones sees the latter."""

    async def both() -> list[bytes]:
        await _written_in_a_transaction(kafka.address, topic, commit=False)
        await _written_in_a_transaction(kafka.address, topic, commit=True)
        return await _read_committed(kafka.address, topic, 3)

    assert asyncio.run(both()) == [b"True 0", b"True 1", b"True 2"]


def test_debezium_carries_a_snapshot_and_each_change_of_postgresql(postgres_orders: Feed) -> None:
    """The rows that were there, an insert, an update with the row before it, a delete and its tombstone."""
    _changed(postgres_orders)


@pytest.mark.xdist_group("mariadb")  # a test of this group changes a setting of the server
def test_debezium_carries_a_snapshot_and_each_change_of_mariadb(mariadb_orders: Feed) -> None:
    """The same of the binary log."""
    _changed(mariadb_orders)


def _changed(feed: Feed) -> None:
    table = f"{feed.table.split('.')[0]}.orders"
    feed.apply()
    assert sorted(changes(feed.messages(2))) == [("r", None, "created"), ("r", None, "paid")]
    feed.database.run(f"INSERT INTO {table} VALUES ('B1', 5.25, 'created')")
    feed.database.run(f"UPDATE {table} SET status = 'paid' WHERE order_id = 'B1'")
    feed.database.run(f"DELETE FROM {table} WHERE order_id = 'B1'")
    messages = [one for one in feed.messages(6) if b"B1" in one.key]
    assert changes(messages) == [("c", None, "created"), ("u", "created", "paid"), ("d", "paid", None)]
    assert messages[-1].value is None
    assert len({one.partition for one in messages}) == 1
    assert b'"amount":"5.25"' in messages[0].value


def test_the_profile_stores_keep_a_value_and_never_throw_one_out(store: Place) -> None:
    """Redis of Debian and Valkey of its wheel."""
    with redis.Redis(HOST, store.port, password=store.password) as client:
        client.set("tintype:test", "值")
        assert client.get("tintype:test") == "值".encode()
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_clickhouse_gives_back_the_columns_that_it_was_given(clickhouse: Place, name: str) -> None:
    """Compressed on the wire, which needs clickhouse-cityhash."""
    with Client(HOST, clickhouse.port, password=clickhouse.password, compression="lz4") as client:
        client.execute(f"CREATE TABLE {name} (id UInt32, what String) ENGINE = MergeTree() ORDER BY id")
        client.execute(f"INSERT INTO {name} VALUES", [[2, 1], ["二", "one"]], columnar=True)
        assert client.execute(f"SELECT id, what FROM {name} ORDER BY id") == [(1, "one"), (2, "二")]
        client.execute(f"DROP TABLE {name}")
