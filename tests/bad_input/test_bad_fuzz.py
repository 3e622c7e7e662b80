"""Whatever arrives, it is taken, counted or put aside: nothing else is raised."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.load import load_shop
from app.shop import Shop
from streams.arrive import Arrivals
from streams.log.log import Log
from streams.message import Message
from tests.bad_input.good import GOOD
from tests.bad_input.messages import MESSAGES
from tests.bad_input.shop import write_shop

T = 29_540_000
LEAVES = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=6)
    | st.sampled_from(["", " ", "M1", "1e9", "NaN", "\ud800", "\x00", "2026-03-01 10:00", "0x1", "AeJA"])
)  # fmt: skip
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    st.sampled_from(["id", "op", "after", "data", "type", "\udfff", "scale", "value"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
SHORT = [bad for bad in MESSAGES if bad.value is None or len(bad.value) < 10_000]


@pytest.fixture(scope="module")
def open_log() -> Iterator[tuple[Shop, Log]]:
    with tempfile.TemporaryDirectory() as folder:
        shop = load_shop(write_shop(Path(folder) / "shop"))
        with Log.create(Path(folder) / "data", "Bad", 2) as log:
            log.connection.execute("PRAGMA synchronous = OFF")  # nobody pulls the plug here
            yield shop, log


def _take(open_log: tuple[Shop, Log], source: str, value: bytes | None, key: bytes | None = None) -> None:
    shop, log = open_log
    (answer,) = Arrivals(log).take(shop, [([Message(source, "fuzz", value, key)], None)], T)
    assert answer.accepted + sum(answer.counted.values()) + len(answer.rejected) == 1


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(good=st.sampled_from(GOOD[:8]), at=st.integers(0, 9), tree=TREES)
def test_a_column_of_anything(open_log: tuple[Shop, Log], good: Message, at: int, tree: Any) -> None:
    body = json.loads(good.value or b"")
    inner = next((body[name] for name in ("after", "data") if name in body), body)
    row = inner[0] if isinstance(inner, list) else inner
    row[list(row)[at % len(row)]] = tree
    _take(open_log, good.source, json.dumps(body).encode())


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    bad=st.sampled_from(SHORT), start=st.floats(0, 1), length=st.integers(0, 9), piece=st.binary(max_size=6)
)
def test_a_message_that_is_damaged_further(
    open_log: tuple[Shop, Log], bad: Any, start: float, length: int, piece: bytes
) -> None:
    value = bad.value or b""
    at = int(start * len(value))
    _take(open_log, bad.source, value[:at] + piece + value[at + length :], bad.key)
