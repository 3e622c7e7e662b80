"""The pure packages stay pure, over their syntax trees: no client library, no asyncio, no file, no clock."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PURE = ("engine", "profiles", "reference", "rfm", "rules", "tags", "triggers")
# Compiling and warming up the kernel needs its cache folder; a decision's id and W5's zones need no file.
SHELL_IN_PURE = {Path("engine/jit.py"), Path("engine/warm.py")}
FORBIDDEN_MODULES = {
    "aiokafka", "aiohttp", "app", "asyncio", "boto3", "chdb", "clickhouse_driver", "console", "faust",
    "fastapi", "glob", "httpx", "io", "kafka", "multiprocessing", "openpyxl", "os", "pathlib",
    "pyarrow", "python_calamine", "redis", "requests", "shutil", "sinks", "socket", "sqlite3", "ssl",
    "subprocess", "tempfile", "threading", "time", "urllib", "valkey", "yaml",
}  # fmt: skip
# Of the shell only a declaration and the one error of bad input.
ALLOWED_OF_STREAMS = {"streams.contract.source", "streams.errors"}
CLOCKS = {"now", "utcnow", "today"}  # of datetime and date


def pure_files() -> list[Path]:
    return [
        path.relative_to(ROOT)
        for package in PURE
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.relative_to(ROOT) not in SHELL_IN_PURE
    ]


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or ""


def impure_acts(source: str) -> list[str]:
    """Return what a module does that a pure one must not."""
    tree = ast.parse(source)
    found = []
    for line, module in imports(tree):
        top = module.partition(".")[0]
        if top in FORBIDDEN_MODULES or (top == "streams" and module not in ALLOWED_OF_STREAMS):
            found.append(f"line {line}: imports {module}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name) and called.id in ("open", "print", "input", "eval", "exec"):
                found.append(f"line {node.lineno}: calls {called.id}()")
            if isinstance(called, ast.Attribute) and called.attr in CLOCKS:
                found.append(f"line {node.lineno}: reads the clock with .{called.attr}()")
        elif isinstance(node, (ast.AsyncFunctionDef, ast.Await)):
            found.append(f"line {node.lineno}: is asynchronous")
    return found


@pytest.mark.parametrize("path", pure_files(), ids=str)
def test_a_pure_module_touches_neither_files_nor_servers_nor_the_clock(path: Path) -> None:
    assert impure_acts((ROOT / path).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import redis",
        "from clickhouse_driver import Client",
        "import asyncio",
        "import time",
        "import pyarrow as pa",
        "from streams.log.log import Log",
        "def f():\n    import os.path",
        "from datetime import datetime\nx = datetime.now()",
        "open('x')",
        "async def f(): pass",
    ],
)
def test_the_check_itself_finds_what_it_looks_for(source: str) -> None:
    assert impure_acts(source) != []


def test_the_check_lets_pass_what_is_pure() -> None:
    source = "import numpy as np\nfrom streams.contract.source import Source\nx = np.zeros(3)"
    assert impure_acts(source) == []
