"""Lag in rows and in seconds, and reading again from a moment, on a real broker."""

from __future__ import annotations

import time

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata

from deploy.servers.places import Place
from streams.debezium import kafka as clients
from streams.debezium.lag import lags
from streams.debezium.replay import Moved, replay_from
from streams.errors import InputError

HOUR_MS = 3_600_000


@pytest.fixture
def table(kafka: Place, name: str) -> str:
    """A topic of one partition as a connector would make it: ``PREFIX.public.orders``."""
    topic = f"{name}.public.orders"
    clients.make_topic(kafka.address, topic, 1)
    return topic


def _write(kafka: Place, topic: str, *times_ms: int) -> None:
    with clients.producer(kafka.address) as producer:
        for number, at in enumerate(times_ms):
            producer.send(topic, str(number).encode(), partition=0, timestamp_ms=at).get(timeout=30)


def _read(kafka: Place, topic: str, group: str, count: int) -> None:
    """Let a group read so many messages and commit behind them."""
    consumer = KafkaConsumer(bootstrap_servers=kafka.address, group_id=group, enable_auto_commit=False)
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    consumer.commit({partition: OffsetAndMetadata(count, "", -1)})
    consumer.close()


def test_lag_is_told_in_rows_and_in_seconds(kafka: Place, table: str, name: str) -> None:
    """The third of five messages is an hour old: a group that has read two is an hour behind."""
    now = int(time.time() * 1000)
    _write(kafka, table, now - 3 * HOUR_MS, now - 2 * HOUR_MS, now - HOUR_MS, now, now)
    _read(kafka, table, name, 2)
    (lag,) = lags(kafka.address, name)
    assert (lag.group, lag.topic, lag.partition, lag.committed, lag.end, lag.rows) == (
        name,
        table,
        0,
        2,
        5,
        3,
    )
    assert lag.seconds is not None
    assert 3599 < lag.seconds < 3700
    _read(kafka, table, name, 5)
    (lag,) = lags(kafka.address, name)
    assert (lag.rows, lag.seconds) == (0, 0.0)


def test_a_group_that_has_read_nothing_is_behind_by_everything(kafka: Place, table: str, name: str) -> None:
    now = int(time.time() * 1000)
    _write(kafka, table, now, now)
    (lag,) = lags(kafka.address, name, [name])
    assert (lag.committed, lag.rows) == (None, 2)


def test_a_group_reads_again_from_a_moment(kafka: Place, table: str, name: str) -> None:
    """The first message at or after it; a moment behind all messages is the end."""
    now = int(time.time() * 1000)
    _write(kafka, table, now - 3 * HOUR_MS, now - 2 * HOUR_MS, now - HOUR_MS)
    _read(kafka, table, name, 3)
    assert replay_from(kafka.address, name, [table], now - 2 * HOUR_MS) == [Moved(table, 0, 3, 1)]
    assert lags(kafka.address, name)[0].committed == 1
    assert replay_from(kafka.address, name, [table], now) == [Moved(table, 0, 1, 3)]


def test_a_group_at_work_is_not_moved(kafka: Place, table: str, name: str) -> None:
    """Kafka does not raise: it says so in the values of its answer."""
    _write(kafka, table, 1_700_000_000_000)
    worker = KafkaConsumer(
        table, bootstrap_servers=kafka.address, group_id=name, auto_offset_reset="earliest"
    )
    try:
        while not worker.poll(timeout_ms=500):
            pass
        worker.commit()
        with pytest.raises(InputError, match="at work"):
            replay_from(kafka.address, name, [table], 0)
        assert lags(kafka.address, name)[0].committed == 1
    finally:
        worker.close()


def test_a_topic_that_does_not_exist_is_refused(kafka: Place, name: str) -> None:
    with pytest.raises(InputError, match="no such topic"):
        replay_from(kafka.address, name, [f"{name}.none"], 0)


def test_no_broker_is_told_with_its_address(free_address: str) -> None:
    with pytest.raises(InputError, match="no Kafka broker answers"):
        lags(free_address, "x")
