"""A child process writes snapshots while the shop goes on."""

from __future__ import annotations

import time
from pathlib import Path

from app.snapshot_child import SnapshotChild

SECONDS = 20.0


def wait_for(child: SnapshotChild) -> None:
    deadline = time.monotonic() + SECONDS
    while child.running() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not child.running()


def test_the_child_writes_what_there_was_when_it_began(tmp_path: Path) -> None:
    held, child = ["then"], SnapshotChild()
    gate = tmp_path / "gate"

    def write() -> None:
        while not gate.exists():
            time.sleep(0.005)
        (tmp_path / "written").write_text(held[0], encoding="utf-8")

    assert child.begin(write)
    assert not child.begin(write)  # one at a time
    held[0] = "now"
    gate.touch()
    wait_for(child)
    assert (tmp_path / "written").read_text(encoding="utf-8") == "then"


def test_a_child_that_fails_or_is_stopped_harms_nobody(tmp_path: Path) -> None:
    child = SnapshotChild()

    def fail() -> None:
        raise OSError("no space left")

    assert child.begin(fail)
    wait_for(child)
    assert child.begin(lambda: time.sleep(SECONDS))
    child.stop()
    assert not child.running()
    child.stop()  # nothing to stop
