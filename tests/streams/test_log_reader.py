"""Blocks that are looked up in the log's topic stay at hand, up to so many bytes."""

from __future__ import annotations

import pytest

from streams.changes.topics import Topics
from streams.changes.wire import Incoming
from streams.log.block import Block
from streams.worker import log_reader
from streams.worker.log_reader import LogReader


class Counting(LogReader):
    """One whose messages come from nowhere: 100 bytes each, and are counted."""

    def __init__(self) -> None:
        super().__init__("127.0.0.1:1", Topics("shop"))
        self.fetched: list[int] = []

    def _fetch(self, partition: int, offset: int) -> Incoming:
        self.fetched.append(offset)
        return Asked(partition, offset, 0, b"x" * 100, {})


class Asked(Incoming):
    def block(self, first_step: int, minute: int) -> Block:
        return Block(self.partition, first_step, 1, "live", 0, 0, self.value)


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Counting:
    """A reader with room for three blocks."""
    monkeypatch.setattr(log_reader, "_KEPT_BYTES", 300)
    return Counting()


def places(*offsets: int) -> list[int]:
    return [offset << 12 for offset in offsets]


def test_what_was_looked_up_lately_is_not_fetched_again(reader: Counting) -> None:
    assert [reader.recall(0, one).first_step for one in places(1, 2, 3, 1, 2, 3)] == places(1, 2, 3, 1, 2, 3)
    assert reader.fetched == [1, 2, 3]


def test_what_was_not_looked_up_for_longest_makes_room(reader: Counting) -> None:
    for one in places(1, 2, 3, 1, 4, 1, 2):
        reader.recall(0, one)
    assert reader.fetched == [1, 2, 3, 4, 2]


def test_a_block_larger_than_the_room_is_kept_until_the_next(
    reader: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reader, "_KEPT_BYTES", 50)
    for one in places(1, 1, 2, 1):
        reader.recall(0, one)
    assert reader.fetched == [1, 2, 1]
