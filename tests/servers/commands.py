"""Commands of Tintype on a cluster, run in the test's own process."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from app.cli import main
from tests.servers.cluster import Cluster

Command = Callable[..., tuple[int, Any]]


def commands_on(
    shop: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:  # fmt: skip
    """Return what runs a command with ``--cluster --json``; it gives its code, and what it says: as text
    where that is no JSON."""
    for name, value in shop.environment.items():
        monkeypatch.setenv(name, value)

    def run(name: str, *arguments: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = main([name, str(shop.folder / "shop"), *arguments, "--cluster", "--json"])
        said = capsys.readouterr().out
        return code, json.loads(said) if said.startswith("{") else said

    return run
