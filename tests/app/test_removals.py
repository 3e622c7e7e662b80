"""What the law rests on, taken away piece by piece: each time a named test fails.

Marks, comparing what was seen, and recovering the index: tests/shared/test_lanes.py. The lanes' transaction:
tests/shared/test_torn_batches.py.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app import commit
from sinks.store import store
from tests.app import test_owner
from tests.app.shopkeeper import Shopkeeper
from tests.streams import test_arrive

Named = Callable[[Shopkeeper], None]
COMPARED = "if head[1] ~= ARGV[1] or (head[2] or '') ~= ARGV[2] then"


def is_red(test: Callable[..., None], *words: Any) -> None:
    """Assert that a test fails."""
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        test(*words)


@pytest.mark.parametrize(
    ("compares", "test"),
    [
        ("if false then", test_owner.test_a_former_owner_is_fenced),
        ("if (head[2] or '') ~= ARGV[2] then", test_owner.test_a_former_owner_is_fenced_by_the_claim_alone),
        ("if head[1] ~= ARGV[1] then", test_owner.test_a_store_set_back_under_its_owner_is_noticed),
    ],
)
def test_without_the_stores_fence_its_tests_fail(
    keeper: Shopkeeper, monkeypatch: pytest.MonkeyPatch, compares: str, test: Named
) -> None:
    """Without both comparisons, without the epoch's, without the position's."""
    assert COMPARED in store._SCRIPT
    monkeypatch.setattr(store, "_SCRIPT", store._SCRIPT.replace(COMPARED, compares))
    keeper.store = store.Store(keeper.server.client, "Test")
    is_red(test, keeper)


def test_without_comparing_the_digest_a_changed_log_is_not_noticed(
    keeper: Shopkeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit._Check, "_compare", lambda *_, **__: None)
    is_red(test_owner.test_a_log_that_was_changed_is_noticed, keeper)


@pytest.mark.parametrize(
    "test",
    [
        test_arrive.test_a_change_delivered_again_or_older_is_left_alone,
        test_arrive.test_a_delete_outlives_its_row_and_one_before_it_too,
    ],
)
def test_without_comparing_positions_duplicates_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, test: Callable[[Path], None]
) -> None:
    monkeypatch.setattr(
        "streams.identity.arrivals.is_older", lambda changes, *_: np.zeros(len(changes.op), dtype=bool)
    )
    is_red(test, tmp_path)
