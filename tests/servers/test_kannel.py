"""SMPP with the programs of Kannel, an SMS gateway that others wrote and carriers know."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from deploy.servers.debian import missing
from sinks.channels.sms_text import count, encode
from tests.absent import absent
from tests.servers.kannel_room import PROGRAMS, TEXTS, WRITTEN

ROOT = Path(__file__).resolve().parents[2]


def seen(case: str, folder: Path) -> dict[str, Any]:
    """Return what a case saw. Where it cannot run the test is skipped; under CI=true it fails."""
    said = missing(*PROGRAMS, "unshare") or ""
    room = ["unshare", "--map-root-user", "--net"]
    if not said and subprocess.run([*room, "true"], capture_output=True, check=False).returncode:
        said = "this machine does not let a program have a network of its own (unshare --net)"
    if said:
        absent(said)
    command = [*room, sys.executable, "-m", "tests.servers.kannel_room", case, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_kannels_simulator_takes_what_we_send_and_we_take_what_it_sends(tmp_path: Path) -> None:
    found = seen("simulator", tmp_path)
    parts = [count(text).parts for text in TEXTS]
    assert found["outcomes"] == parts
    assert found["submits"] == sum(parts)
    assert found["heard"] == [str(number) for number in range(1, WRITTEN + 1)]
    assert found["answers"] == WRITTEN
    assert found["faults"] == []


def test_kannels_gateway_makes_the_same_parts_and_agrees_with_the_smsc_of_our_tests(tmp_path: Path) -> None:
    """What tests/sinks/test_smpp.py says rests on that SMSC: a client that is not ours has tried it."""
    found = seen("gateway", tmp_path)
    assert found["bind"] == "transceiver"
    for text in TEXTS:
        _, parts = encode(text, 1)
        header = 6 if len(parts) > 1 else 0
        assert found["sent"][text] == [part[header:].hex() for part in parts]
    receipt, written = sorted(found["told"])
    assert receipt == "/receipt?type=1&id=00000001"  # 1: delivered
    assert written == "/written?from=%2B13800001001&text=" + "%5BW" * 100  # 字 in UTF-16, in parts no more
    assert {status for _, status, _ in found["answered"]} == {0}
