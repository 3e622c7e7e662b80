"""``tintype apply`` lets nothing go live that has not run in shadow, and says what does (semantics D6)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app import exits
from app.cli import main
from deploy.servers.places import Place
from tests.app.little_shop import GOOD, write_shop
from tests.called import SECRET


def test_a_trigger_goes_live_in_a_cluster_only_after_its_shadow(
    kafka: Place, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("TINTYPE_KAFKA", kafka.address)
    monkeypatch.setenv("TINTYPE_SECRET", SECRET.hex())
    toml = GOOD["tintype.toml"].replace('"Test"', f'"{name}"') + '[kafka]\nconnectors = "none"\n[triggers]\n'
    (tmp_path / "none").mkdir()

    def applied(status: str, code: int = exits.OK, *more: str) -> dict[str, Any]:
        hello = f"{GOOD['triggers/hello.yaml']}status: {status}\n"
        write_shop(tmp_path, {"tintype.toml": toml, "triggers/hello.yaml": hello})
        assert main(["apply", str(tmp_path), "--json", *more]) == code
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    refused = applied("live", exits.BAD_INPUT)["errors"][0]
    assert refused["where"] == "triggers/hello.yaml:4"
    assert refused["problem"] == "is live, and has not run in shadow"
    assert applied("shadow")["number"] == 1
    rising = applied("live", exits.OK, "--check")
    assert rising["went_live"] == ["hello"]
    [counted] = rising["shadow"]
    assert (counted["trigger"], counted["shadow"]["act"]) == ("hello", 0), "nobody has sent here"
    assert applied("live", exits.OK, "--yes") == {
        "number": 2, "changed": True, "topics": [], "went_live": ["hello"], "shadow": [counted],
    }  # fmt: skip
    assert applied("paused")["went_live"] == []
    assert applied("live") == {"number": 4, "changed": True, "topics": [], "went_live": [], "shadow": []}
