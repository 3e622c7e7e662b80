"""What a lane's transaction is for: a batch of which a part is in the log, and the lane's offset is not."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from streams.shared.index import Lost
from streams.shared.lanes import Batch
from tests.laws.effort import LONG
from tests.shared.test_lanes import differing
from tests.shared.topic import Topic

SEEDS = 2500 if LONG else 10


class Unanswered(Topic):
    """Its broker ends now and then while it commits: all is there or nothing, and the lane is not told."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.random = random.Random(1)

    def send(self, owner: str, batch: Batch) -> list[int]:
        ends = self.random.random()
        if ends < 0.1:
            raise Lost("nothing of it is there")
        offsets = super().send(owner, batch)
        if ends < 0.2:
            raise Lost("it is there")
        return offsets


class Torn(Unanswered):
    """One without transactions: what was sent up to then is there."""

    def send(self, owner: str, batch: Batch) -> list[int]:
        if batch.blocks and self.random.random() < 0.2:
            some = batch.blocks[: self.random.randrange(len(batch.blocks))]
            Topic.send(self, owner, replace(batch, blocks=some, next={}))
            raise Lost("the offsets are not there")
        return super().send(owner, batch)


def test_batches_of_which_nobody_knows_what_became_are_there_once(
    client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.shared.simulation.Topic", Unanswered)
    assert list(differing(client, tmp_path, range(5000, 5000 + SEEDS), 0.05, 0)) == []


def test_without_the_transaction_some_seed_fails(
    client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above would see it."""
    monkeypatch.setattr("tests.shared.simulation.Topic", Torn)
    assert any(True for _ in differing(client, tmp_path, range(5012, 5100), 0.05, 0))
