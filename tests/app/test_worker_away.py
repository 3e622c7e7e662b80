"""A lane whose store or log cannot be read waits, and goes on where the log says; the worker does not end."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError
from kafka.errors import KafkaTimeoutError

from streams.errors import InputError
from tests.shared.idle_worker import LANE, idle_worker

FIRST = 5


class Consumer:
    """Has the lane, and remembers where it was set."""

    def __init__(self) -> None:
        self.sought: list[int] = []

    def assignment(self) -> set[TopicPartition]:
        return {LANE}

    def seek(self, _: TopicPartition, offset: int) -> None:
        self.sought.append(offset)


@pytest.mark.parametrize(
    "error",
    [
        redis.ConnectionError(),
        KafkaConnectionError(),
        KafkaTimeoutError(),  # of kafka-python, which reads the log
        InputError("localhost:1", "no Kafka broker answers", "start it"),
    ],
)
def test_a_lane_goes_on_after_an_error_of_its_store_or_its_log(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: Any) -> int:
        raise error

    with idle_worker(tmp_path) as worker:
        consumer, keeper = Consumer(), worker.keeper
        worker.intake._consumer = consumer
        monkeypatch.setattr(keeper, "take", fails)
        record = SimpleNamespace(offset=FIRST, value=b"{}", key=b"{}")
        asyncio.run(worker.intake._take({LANE: [record]}))
        assert consumer.sought == [FIRST]
        assert keeper.figures.failures == 1
