"""What is tracked: files stay short, and name nothing outside of this repository."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 400
# Written in pieces, so that this file does not find itself.
FORBIDDEN = re.compile(
    "|".join(
        (
            "/wor" "k/", "/far" "m/", "/root" "/", "/home" "/[a-z]", "py" "pi[.]org",
            "python" "hosted",
            "registry[.]np" "m", "repo1?[.]mave" "n", "deb[.]debia" "n", "crates[.]i" "o",
            "proxy[.]golan" "g",
        )
    )
)  # fmt: skip


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    names = [name for name in listed.stdout.decode().split("\0") if name]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def files() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout: what is tracked cannot be told")
    return tracked()


def test_no_python_file_is_longer_than_four_hundred_lines(files: list[Path]) -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in files
        if path.suffix == ".py"
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_no_tracked_file_names_a_machine_path_or_a_package_registry(files: list[Path]) -> None:
    found = []
    for path in files:
        if b"\0" in path.read_bytes()[:8000]:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if FORBIDDEN.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert found == []


def test_no_module_has_a_name_that_says_nothing(files: list[Path]) -> None:
    empty = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "base"}
    assert [str(path) for path in files if path.suffix == ".py" and path.stem in empty] == []


def test_every_top_level_package_is_one_of_the_house(files: list[Path]) -> None:
    packages = {path.relative_to(ROOT).parts[0] for path in files if path.suffix == ".py"}
    known = {
        "app", "bench", "console", "deploy", "engine", "examples", "profiles", "reference", "rfm", "rules",
        "sinks", "streams", "tags", "tests", "triggers",
    }  # fmt: skip
    assert packages - known == set()
