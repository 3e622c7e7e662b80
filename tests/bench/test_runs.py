"""Each of the two benches from end to end, as small as it can be: what it hands back is whole."""

from __future__ import annotations

import math
import subprocess
from xml.etree import ElementTree

import pytest

import app.owner
from bench import cost, latency
from bench.outcome import COLUMNS, Outcome


def check(found: Outcome, drawings: set[str]) -> None:
    """Every row has all its fields and a number, and the drawings are SVG."""
    assert all(tuple(row) == COLUMNS and math.isfinite(row["value"]) for row in found.rows)
    assert set(found.drawings) == drawings
    assert {ElementTree.fromstring(text).tag.rpartition("}")[2] for text in found.drawings.values()} == {
        "svg"
    }
    assert all(len({line.count("|") for line in table.splitlines()}) == 1 for table in found.tables)


@pytest.fixture(autouse=True)
def _warm(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite's kernel is compiled already: no process of its own for that."""
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: None)


@pytest.mark.slow
def test_latency_finds_every_change_in_the_store_after_it_was_accepted() -> None:
    """A shop at work, handed changes in the process and over HTTP; the service is left as it was."""
    usual = app.owner.SNAPSHOT_EVERY
    found = latency.measure(500, 0.5, (0.5,), (0.1,))
    check(found, {"latency.svg"})
    assert usual == app.owner.SNAPSHOT_EVERY
    readable = {
        row["what"].rpartition(", ")[2]: row for row in found.rows if "50% of capacity (" in row["what"]
    }
    assert 0 < readable["p50"]["value"] <= readable["p99"]["value"] <= readable["max"]["value"]
    accepted = float(readable["max"]["against"].removeprefix("due to accepted: ").removesuffix(" ms"))
    assert 0 < accepted <= readable["max"]["value"] + 0.05  # it is rounded
    assert [row["what"] for row in found.rows if row["goal"] is not None] == [readable["p99"]["what"]]
    assert any("over HTTP" in row["what"] for row in found.rows)


def test_cost_measures_what_grows_against_everything_that_grows() -> None:
    """Two sizes of each: a row for time and memory, and for the opening of a minute against customers."""
    found = cost.measure((300, 600), (14, 28), (5, 20), (5, 20), few=400, changes=150)
    check(found, {"cost-cpu.svg", "cost-memory.svg"})
    assert len(found.rows) == 9
    assert len(found.tables) == 4
    assert all(row["goal"] == 1.0 and row["value"] > 0 for row in found.rows)
