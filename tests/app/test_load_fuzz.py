"""Whatever stands in a shop's folder, the loader reads it or tells what is wrong; it never breaks."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from app.load import load_shop
from app.problems import ConfigError
from streams.errors import InputError
from tests.app.little_shop import GOOD, write_shop

# What has a meaning in YAML, TOML, rules or templates, and what has none.
PIECES = [
    "", " ", "\n", "\n  ", ":", "- ", "[", "]", "{", "}", "&a", "*a", "!!int ", "|", "'", '"', "#",
    "null", "true", "0", "-1", "99999999999999999999", "1.5", "30d", "x", "值", "\t", "\x00", "%Y",
    "{0}", "{", "segment:", "/", "all", "? ", "--- ", "<<: ", "[]", "{}", "enter", "\ufeff",
    "\u2028", "2026-03-01",
]  # fmt: skip


def problems_of(changes: dict[str, str | None]) -> list[InputError]:
    """Load the good shop with changes; return what is told, having checked that each place exists."""
    with tempfile.TemporaryDirectory() as folder:
        root = write_shop(Path(folder), changes)
        try:
            load_shop(root)
        except ConfigError as error:
            missing = [one for one in error.errors if not (root / one.where.rpartition(":")[0]).is_file()]
            return error.errors if not missing else [InputError("", str(missing), "")]
    return []


def is_whole(error: InputError) -> bool:
    return error.where.rpartition(":")[2].isdigit() and bool(error.problem) and bool(error.hint)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    name=st.sampled_from(sorted(GOOD)),
    start=st.floats(0, 1),
    length=st.integers(0, 12),
    piece=st.sampled_from(PIECES) | st.text(max_size=8),
)
def test_a_damaged_file_is_read_or_told_with_its_place(
    name: str, start: float, length: int, piece: str
) -> None:
    text = GOOD[name]
    at = int(start * len(text))
    damaged = (text[:at] + piece + text[at + length :]).encode("utf-8", "replace").decode()
    assert all(is_whole(error) for error in problems_of({name: damaged}))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    name=st.sampled_from(sorted(set(GOOD) - {"tintype.toml"})),
    line=st.integers(0, 12),
    value=st.sampled_from(["[]", "{}", "5", "true", "null", "[1]", "{a: b}", "[[]]", "{a: {b: [c]}}", "''"]),
)
def test_a_value_of_another_shape_is_read_or_told(name: str, line: int, value: str) -> None:
    lines = GOOD[name].splitlines()
    chosen = lines[line % len(lines)]
    lines[line % len(lines)] = chosen.partition(":")[0] + ": " + value
    assert all(is_whole(error) for error in problems_of({name: "\n".join(lines)}))
