"""A ledger and a clock of their own, for tests of dispatching."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sinks.deliveries.ledger import Ledger
from tests.sinks.dispatching import Clock


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path)
    yield made
    made.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()
