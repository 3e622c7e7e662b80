"""A rebalance takes no time of the group: what a worker lost is let go afterwards."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import Mock

from aiokafka import TopicPartition

from app.worker.owning import Owning

TOPIC = "changes"


def test_a_lost_partition_is_let_go_by_who_follows_and_not_inside_the_rebalance() -> None:
    """No heartbeat is sent inside: a member that waits there for its engine is put out of the group."""
    kept, lost = Mock(next_offset=7), Mock()
    consumer: Any = Mock()
    consumer.assignment.return_value = {TopicPartition(TOPIC, 1)}

    async def work(thread: ThreadPoolExecutor) -> None:
        owning = Owning("nowhere:1", TOPIC, "group", Mock(), Mock(), thread)
        owning._consumer = consumer
        owning.partitions |= {0: lost, 1: kept}
        await owning.on_partitions_assigned([TopicPartition(TOPIC, 1)])
        consumer.seek.assert_called_once_with(TopicPartition(TOPIC, 1), 7)
        assert not lost.close.called
        await owning._begin_again()
        assert lost.close.called
        assert owning.partitions == {1: kept}
        assert not kept.close.called

    with ThreadPoolExecutor(1) as thread:
        asyncio.run(work(thread))
