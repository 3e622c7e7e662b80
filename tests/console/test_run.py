"""`tintype run` as its operator sees it: where things are, keys shown once, a safe end, clear refusals."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import exits
from app.cli import main
from console.server import listen
from tests.app.little_shop import write_shop
from tests.console.at_work import FILES, order, wait_for

ROOT = Path(__file__).resolve().parents[2]
Start = Callable[..., tuple[subprocess.Popen[str], dict[str, Any]]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start ``tintype run --json --port 0`` and return the process and what it tells."""
    running: list[subprocess.Popen[str]] = []

    def begin(folder: Path) -> tuple[subprocess.Popen[str], dict[str, Any]]:
        command = [sys.executable, "-m", "app.cli", "run", str(folder), "--port", "0", "--json"]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        running.append(process)
        assert process.stdout is not None
        text = ""
        while not text.endswith("\n}\n"):
            line = process.stdout.readline()
            assert line, f"it ended with {process.wait()} after {text!r}"
            text += line
        told = json.loads(text)
        wait_for(lambda: httpx.get(told["api"] + "/readyz").status_code == 200, 60)
        return process, told

    yield begin
    for process in running:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_it_tells_where_everything_is_and_shows_the_keys_once(tmp_path: Path, start: Start) -> None:
    folder = write_shop(tmp_path / "little", FILES)
    process, told = start(folder)
    assert told["data"] == str(folder / "data")
    now = time.strftime("%Y-%m-%d %H:%M", time.gmtime(time.time() + 8 * 3600))
    row = order("A1", "M1", created_at=now)
    answer = httpx.post(told["api"] + "/v1/sources/orders", json=row, headers=bearer(told["keys"]["write"]))
    assert answer.json()["accepted"] == 1
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == exits.OK
    again, later = start(folder)
    assert later["keys"] == {}
    found = httpx.get(later["api"] + "/v1/profiles/member:M1", headers=bearer(told["keys"]["read"])).json()
    assert found["profile"]["metrics"]["orders_30d"] == 1
    again.send_signal(signal.SIGINT)
    assert again.wait(20) == exits.OK


def test_ctrl_c_under_load_ends_quickly_and_keeps_what_was_answered(tmp_path: Path, start: Start) -> None:
    folder = write_shop(tmp_path / "little", FILES)
    process, told = start(folder)
    now = time.strftime("%Y-%m-%d %H:%M", time.gmtime(time.time() + 8 * 3600))
    accepted = 0
    with httpx.Client(headers=bearer(told["keys"]["write"])) as client:
        while process.poll() is None:
            rows = [order(f"A{accepted + n}", "M1", created_at=now) for n in range(50)]
            try:
                answer = client.post(told["api"] + "/v1/sources/orders", json=rows)
            except httpx.TransportError:
                break
            if answer.status_code == 200:
                accepted += 50
            if accepted == 500:
                os.kill(process.pid, signal.SIGINT)
                stopped = time.monotonic()
    assert process.wait(20) == exits.OK
    assert time.monotonic() - stopped < 20
    _, later = start(folder)
    found = httpx.get(later["api"] + "/v1/profiles/member:M1", headers=bearer(told["keys"]["read"])).json()
    assert found["profile"]["metrics"]["orders_30d"] >= accepted >= 500


def test_a_second_process_on_the_same_folder_is_refused(
    tmp_path: Path, start: Start, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = write_shop(tmp_path / "little", FILES)
    process, _ = start(folder)
    assert main(["run", str(folder), "--port", "0"]) == exits.BAD_INPUT
    assert f"another process (pid {process.pid}) is writing this log" in capfd.readouterr().err
    assert process.poll() is None


def test_a_port_in_use_is_told_before_anything_is_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_shop(tmp_path / "little", FILES)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["run", str(folder), "--port", str(port)]) == exits.BAD_INPUT
    told = capsys.readouterr().err
    assert f"127.0.0.1:{port}: cannot be listened on (Address already in use)" in told
    assert not (folder / "data").exists()


def test_answers_do_not_wait_for_delayed_acknowledgements() -> None:
    """asyncio turns Nagle's algorithm off only for sockets that name their protocol: 40 ms an answer."""
    with listen("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP


def test_a_host_that_is_none_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_shop(tmp_path / "little", FILES)
    assert main(["run", str(folder), "--host", "no such host", "--port", "0"]) == exits.BAD_INPUT
    assert "no such host: is no address" in capsys.readouterr().err


def test_a_wrong_folder_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(tmp_path), "--port", "0"]) == exits.BAD_INPUT
    assert "is no shop's folder" in capsys.readouterr().err
