"""A relay ends when it is told to, also when something is committed just then, and waits for no other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import AsyncMock, Mock

import pytest

from app.worker import relays
from app.worker.relays import PartitionRelays, until_woken
from sinks.topics.relay import TopicRelay
from tests.shared.small_shop import small_shop


async def _ends(turns: int) -> bool:
    """Whether a loop that waits for commits ends, cancelled so many turns of the event loop after one."""
    woken = asyncio.Event()

    async def look_again_and_again() -> None:
        while True:
            woken.clear()
            await until_woken(woken)

    looking = asyncio.create_task(look_again_and_again())
    await asyncio.sleep(0.01)
    woken.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    looking.cancel()
    await asyncio.wait([looking], timeout=0.2)
    return looking.done()


def test_a_relay_that_is_cancelled_when_it_is_woken_ends() -> None:
    """A cancellation that came with the event was forgotten, and the worker waited for the relay for ever."""
    assert [asyncio.run(_ends(turns)) for turns in range(4)] == [True] * 4


@pytest.fixture
def frozen() -> Iterator[threading.Event]:
    """A history whose server answers when this is set."""
    thawed = threading.Event()
    yield thawed
    thawed.set()


def test_topics_and_a_partition_that_is_let_go_do_not_wait_for_history(
    frozen: threading.Event, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Topics shared its thread once, to drop pages: each of their transactions waited for a frozen server."""
    steps: list[int] = []
    closed = threading.Event()
    history = Mock(drained=0, lag_seconds=0.0)
    history.step.side_effect = lambda: frozen.wait(30) and 0
    history.close.side_effect = closed.set

    async def step(_: TopicRelay) -> int:
        steps.append(1)
        return 1

    monkeypatch.setattr(relays, "_History", Mock(return_value=history))
    monkeypatch.setattr(relays, "_GATHER_SECONDS", 0.0)
    monkeypatch.setattr(TopicRelay, "step", step)

    async def work(thread: ThreadPoolExecutor) -> None:
        shop = small_shop("s", partitions=1, history=True)
        running = PartitionRelays(0, shop, "nowhere:1", tmp_path, Mock, thread)
        task = asyncio.create_task(running.run())
        async with asyncio.timeout(10):
            while len(steps) < 5 or not history.step.called:
                await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.wait([task])
        assert not closed.is_set()
        frozen.set()
        assert await asyncio.to_thread(closed.wait, 10)

    with ThreadPoolExecutor(1) as thread:
        asyncio.run(work(thread))


def test_a_history_that_cannot_be_closed_is_told_of(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody waits for it, so nobody else would hear."""
    history = Mock(drained=0, lag_seconds=0.0)
    history.step.return_value = 0
    history.close.side_effect = OSError("the disk is gone")
    monkeypatch.setattr(relays, "_History", Mock(return_value=history))
    monkeypatch.setattr(TopicRelay, "step", AsyncMock(return_value=0))

    async def work(thread: ThreadPoolExecutor) -> None:
        shop = small_shop("s", partitions=1, history=True)
        task = asyncio.create_task(PartitionRelays(3, shop, "nowhere:1", tmp_path, Mock, thread).run())
        async with asyncio.timeout(10):
            while not history.step.called:
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])

    with ThreadPoolExecutor(1) as thread:
        asyncio.run(work(thread))
    assert "partition 3: history is not closed: OSError('the disk is gone')" in caplog.text
