"""docs/api.md: every curl line in it is run, in order, and answers what stands below it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from app.cli import app
from console.problems import KINDS
from tests.console.at_work import AtWork, at_work, wait_for

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "api.md"
REST = "…"  # in the document: anything, or any more
BLOCK = re.compile(r"^```\n\$ ((?:curl|printf) .*?)\n(?=[^ ])(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^```yaml\n# ((?:sources|triggers)/\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text() -> str:
    return DOCUMENT.read_text(encoding="utf-8")


def shop_files(document: str) -> dict[str, str | None]:
    """Return the files of examples/shop, where orders and members come as plain rows, and those that the
    document declares."""
    example = ROOT / "examples" / "shop"
    found: dict[str, str | None] = {
        str(path.relative_to(example)): path.read_text(encoding="utf-8") for path in example.rglob("*.*")
    }
    for name in ("sources/orders.yaml", "sources/members.yaml"):
        found[name] = re.sub(r"^format:.*\n|wire: text, ", "", found[name] or "", flags=re.MULTILINE)
    found["triggers/browsed_not_bought.test.yaml"] = None  # plain orders are never stale, as it wants them
    settings = re.sub('data = ".*"', 'data = "data"', found["tintype.toml"] or "")
    found["tintype.toml"] = settings
    little = ["sources/orders.yaml", "sources/refunds.yaml", "tags/vip.yaml", "tags/普通.yaml",
              "triggers/hello.yaml", "tags/vip.test.yaml", "sources/clicks.yaml", "sources/traits.yaml",
              "sources/changes.yaml"]  # fmt: skip
    nothing: dict[str, str | None] = dict.fromkeys(little)
    return {**nothing, **found, **dict(FILE.findall(document))}


def answer_of(shop: AtWork, command: str) -> str:
    """Run a curl line of the document and return what it prints."""
    key = shop.client.headers["authorization"].removeprefix("Bearer ")
    line = command.replace("localhost:8080", shop.address.removeprefix("http://"))
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, encoding="utf-8",
                          env={"KEY": key, "PATH": "/usr/bin:/bin"}, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    if "/v1/sources/" in line or "/v1/track" in line or "/v1/batch" in line:
        shop.clock[0] += 60  # each request that sends something comes a minute after the one before
        shop.settle()
        wait_for(lambda: shop.get("/v1/decisions")["decisions"])
    return done.stdout


def agrees(told: Any, real: Any) -> bool:
    """Whether an answer is what the document shows; ``…`` stands for anything, and for what is left out."""
    if told == REST:
        return True
    if isinstance(told, dict) and isinstance(real, dict):
        named = {name: value for name, value in told.items() if name != REST}
        return (REST in told or set(named) == set(real)) and all(
            name in real and agrees(value, real[name]) for name, value in named.items()
        )
    if isinstance(told, list) and isinstance(real, list):
        named_ones = told[:-1] if told and told[-1] == REST else told
        return (named_ones is not told or len(told) == len(real)) and all(
            agrees(one, other) for one, other in zip(named_ones, real, strict=False)
        )
    return bool(told == real) and type(told) is type(real)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_every_curl_line_answers_what_stands_below_it(tmp_path: Path) -> None:
    blocks = BLOCK.findall(text())
    assert len(blocks) >= 12
    with at_work(tmp_path / "shop", shop_files(text())) as shop:
        for command, told in blocks:
            real = answer_of(shop, command)
            if told.startswith("{"):
                assert agrees(json.loads(told), json.loads(real)), f"{command}\n{real}"
            else:
                assert all(line in real for line in told.splitlines()), f"{command}\n{real}"


def test_every_path_and_every_problem_is_in_the_document(shop: AtWork) -> None:
    paths = shop.client.get("/openapi.json").json()["paths"]
    assert [path for path in paths if f"`{path}`" not in text()] == []
    assert [kind for kind in KINDS if f"`{kind}`" not in text()] == []


def test_every_metric_is_in_the_document(shop: AtWork) -> None:
    names = set(re.findall(r"^# TYPE (\S+)", shop.client.get("/metrics").text, re.MULTILINE))
    assert [name for name in sorted(names) if f"`{name}`" not in text()] == []


@pytest.mark.parametrize(
    ("told", "real", "same"),
    [
        ({"a": 1}, {"a": 1}, True), ({"a": 1}, {"a": 2}, False), ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1, REST: REST}, {"a": 1, "b": 2}, True), ({"a": REST}, {"a": [3]}, True),
        ([1, REST], [1, 2, 3], True), ([1, REST], [2], False), ([1], [1, 2], False),
        ({"a": 1}, {"a": True}, False),
    ],
)  # fmt: skip
def test_the_comparison_itself_finds_differences(told: Any, real: Any, same: bool) -> None:
    assert agrees(told, real) is same


def test_the_commands_that_the_document_names_exist() -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]  # a group has commands
    assert set(re.findall(r"`?\btintype (\w+) SHOP", text())) <= commands
