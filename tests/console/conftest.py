"""One shop at work for the tests of this folder, and a fresh one for those that change how it works."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.at_work import AtWork, at_work, order, states, wait_for


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtWork]:
    with at_work(tmp_path_factory.mktemp("api") / "little") as found:
        found.send(
            "orders",
            order("A1", "M1", "6000.00", phone="13800000001"),
            order("A2", "M2", "7.00"),
            order("A3", "会员/三 号", "30.00"),
        )
        sent = ["sent"] * 3
        wait_for(lambda: states(found) == sent)
        yield found


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[AtWork]:
    with at_work(tmp_path / "little") as found:
        yield found
