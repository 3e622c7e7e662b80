"""A worker's copy of a partition: steps and minutes follow from the topic alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from app.replay import first_version
from streams.changes.controls import control_message
from streams.changes.copy import Copy
from streams.changes.wire import Incoming
from streams.control import SETTINGS, TICK, Control, canonical
from streams.log.lock import WrittenElsewhere
from streams.log.rows import read_control
from tests.called import SECRET


def message(offset: int, minute: int, *controls: Control) -> Incoming:
    made = control_message(controls or [Control(TICK, None, "{}")], 0)
    return Incoming(0, offset, minute, made.value, dict(made.headers))


def settings(shop: str) -> Control:
    return Control(SETTINGS, None, canonical({"shop": shop}))


def told(folder: Path, parts: Sequence[Sequence[Incoming]]) -> list[tuple[int, int, str]]:
    """Return step, minute and kind of every record of a copy that got messages in these parts."""
    copy = Copy(folder, "shop", 3, SECRET)
    for part in parts:
        copy.add(part)
    found = read_control(copy.log)[["step", "minute", "kind"]]
    copy.close()
    return [(int(step), int(minute), kind) for step, minute, kind in found.itertuples(index=False)]


def test_steps_and_minutes_are_the_same_however_the_messages_are_fetched(tmp_path: Path) -> None:
    """Offsets leave out marks of transactions; a broker's clock may go back, the log's does not; after more
    than ten minutes without anybody the log says that all stood still."""
    log = [message(0, 100), message(2, 101), message(3, 99), message(7, 130), message(8, 140)]
    whole = told(tmp_path / "whole", [log])
    assert whole == [
        (0, 100, "tick"), (1, 101, "tick"), (2, 101, "tick"), (3, 130, "resume"), (4, 130, "tick"),
        (5, 140, "tick"),
    ]  # fmt: skip
    assert told(tmp_path / "single", [[one] for one in log]) == whole
    assert told(tmp_path / "again", [log[:3], log[1:4], log]) == whole


def test_a_folder_that_another_worker_has_is_left_as_it_is(tmp_path: Path) -> None:
    first = Copy(tmp_path, "shop", 0, SECRET)
    first.add([message(0, 100)])
    with pytest.raises(WrittenElsewhere):
        Copy(tmp_path, "shop", 0, SECRET)
    first.add([message(1, 101)])
    first.close()
    assert len(told(tmp_path, [])) == 2


def test_what_cannot_be_read_is_begun_anew(tmp_path: Path) -> None:
    """It is a cache: the topic has it all."""
    told(tmp_path, [[message(0, 100)]])
    (tmp_path / "log.sqlite").write_bytes(b"no log")
    assert told(tmp_path, [[message(0, 100), message(1, 101)]]) == [(0, 100, "tick"), (1, 101, "tick")]


def test_rows_before_the_first_settings_are_replayed_under_those(tmp_path: Path) -> None:
    """Whatever is in force by then: the same log gives the same."""
    copy = Copy(tmp_path, "shop", 0, SECRET)
    copy.add([message(0, 100)])
    assert first_version(copy.log) is None
    copy.add([message(1, 100, settings("first")), message(2, 101, settings("second"))])
    assert first_version(copy.log) == "first"
    copy.close()
