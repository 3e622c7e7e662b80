"""The consumer that docs/events.md shows never misses nor repeats, whenever it or the server ends."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from console import event_stream
from console.server import Server, build_app, listen, served
from tests.console.at_work import AtWork, at_work, order, states, wait_for

ROOT = Path(__file__).parents[2]
RUNNER = Path(__file__).with_name("killed_consumer.py")
TOGETHER = """\
                with db:
                    act(json.loads(frame.pop("data")))
                    db.execute("INSERT OR REPLACE INTO place VALUES (?, ?)", (url, frame["id"]))
"""
WITH, ACT, PLACE = TOGETHER.splitlines(keepends=True)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtWork]:
    with at_work(tmp_path_factory.mktemp("consumed") / "little") as found:
        found.send("orders", order("A1", "M1"), order("A2", "M2"))
        wait_for(lambda: states(found) == ["sent"] * 2)
        yield found


def shown(name: str) -> str:
    """Return what the page shows in its block ```python NAME."""
    text = (ROOT / "docs" / "events.md").read_text("utf-8")
    (code,) = re.findall(rf"^```python {name}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return str(code)


def key_of(shop: AtWork) -> str:
    return str(shop.client.headers["Authorization"].removeprefix("Bearer "))


def killed(shop: AtWork, folder: Path, code: str) -> list[list[list[str]]]:
    """Return what the consumer had done at last, for each of its lines before which it was ended."""
    file = folder / "consumer.py"
    file.write_text(code, encoding="utf-8")
    command = [sys.executable, str(RUNNER), str(file), f"{shop.address}/v1/decisions", key_of(shop)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found: list[list[list[str]]] = json.loads(done.stdout)
    return found


@pytest.fixture
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "KEEP_ALIVE_SECONDS", 0.02)


def wanted(shop: AtWork) -> list[list[str]]:
    return [[one["customer"], one["trigger"]] for one in shop.get("/v1/decisions")["decisions"]]


def test_it_has_twenty_lines() -> None:
    assert len([line for line in shown("consumer").splitlines() if line.strip()]) <= 20


@pytest.mark.usefixtures("_soon")
def test_ended_before_any_of_its_lines_it_does_everything_once(shop: AtWork, tmp_path: Path) -> None:
    assert TOGETHER in shown("consumer")
    found = killed(shop, tmp_path, shown("consumer"))
    assert len(found) > 30
    assert all(each == wanted(shop) for each in found)


@pytest.mark.usefixtures("_soon")
def test_a_cursor_stored_before_misses_and_one_stored_after_repeats(shop: AtWork, tmp_path: Path) -> None:
    """What the test above would find."""
    for apart, lengths in ((WITH + PLACE + WITH + ACT, {1, 2}), (WITH + ACT + WITH + PLACE, {2, 3})):
        found = killed(shop, tmp_path, shown("consumer").replace(TOGETHER, apart))
        assert {len(each) for each in found} == lengths


def test_it_outlives_the_server_and_its_own_kill(shop: AtWork, tmp_path: Path) -> None:
    (tmp_path / "consumer.py").write_text(shown("consumer") + shown("forever"), encoding="utf-8")
    with contextlib.closing(listen("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = [sys.executable, "consumer.py", f"http://127.0.0.1:{port}/v1/decisions"]
    environment = {**os.environ, "TINTYPE_KEY": key_of(shop)}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment)  # before there is a server
    decided = len(wanted(shop))

    def wait_for_one_more() -> None:
        nonlocal decided
        decided += 1
        wait_for(lambda: len(wanted(shop)) == decided and called(tmp_path) == wanted(shop))

    try:
        for number in range(3):
            listening = listen("127.0.0.1", port)
            with contextlib.closing(listening), served(Server(build_app(shop.answering), listening)):
                shop.send("orders", order(f"B{number}", "M1"))
                wait_for_one_more()
                if number == 1:
                    process.kill()
                    process.wait()
                    shop.send("orders", order("C1", "M2"))
                    process = subprocess.Popen(command, cwd=tmp_path, env=environment)
                    wait_for_one_more()
        assert decided == 6
    finally:
        process.kill()
        process.wait()


def called(folder: Path) -> list[list[str]]:
    """Return what is on the list in a folder."""
    with contextlib.closing(sqlite3.connect(folder / "campaign.sqlite")) as db:
        try:
            return [list(row) for row in db.execute("SELECT * FROM call_list")]
        except sqlite3.OperationalError:  # it is not there yet
            return []
