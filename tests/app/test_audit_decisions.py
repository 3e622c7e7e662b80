"""``tintype audit --decisions``: every decision is counted over, and the ledger holds what the log gives."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app import exits
from app.cli import main
from app.effects import Collector
from app.load import load_shop
from app.log_folder import open_log
from app.replay import Replay
from app.runtime import keep_settings
from engine.outcome import Decision
from sinks.deliveries.ledger import Ledger
from streams.live import append_changes
from tests.app.little_shop import write_shop

MINUTE = 29_538_780  # 2026-03-01 09:00 in Shanghai
TRIGGER = "when: {event: {source: orders}}\nguards: {cool_down: 1h}\naction: {channel: sms, template: hi}\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A shop of which three orders have made three decisions, two of one customer; the ledger has them."""
    channels = "sms:\n  templates: {hi: hello}\n"
    folder = write_shop(tmp_path / "little", {"triggers/hello.yaml": TRIGGER, "channels.yaml": channels})
    declared, made = load_shop(folder), list[Decision]()
    with open_log(folder, declared, write=True) as log:
        keep_settings(log, declared)
        rows = [
            {"order_id": f"A{n}", "member_id": whose, "created_at": "2026-03-01 09:00", "amount": "1.00"}
            for n, whose in enumerate(["M1", "M2", "M1"])
        ]
        append_changes(log, declared, "orders", rows, MINUTE, "live", ["insert"] * len(rows))
        Replay(log, declared, Collector(lambda _, more: made.extend(more)).take).follow()
    with closing(Ledger(folder / "data")) as ledger:
        ledger.take("channels", [(one, None) for one in made], {0: len(made)})
    return folder


def audit(capsys: pytest.CaptureFixture[str], shop: Path) -> tuple[int, Any]:
    capsys.readouterr()
    code = main(["audit", str(shop), "--decisions", "--json"])
    return code, json.loads(capsys.readouterr().out)


def counts(said: Any) -> dict[str, int]:
    return {name: said["decisions"][name] for name in ("counted", "carried")}


def test_what_was_decided_is_counted_over(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = audit(capsys, shop)
    assert (code, counts(said)) == (exits.OK, {"counted": 3, "carried": 3})
    guards = said["decisions"]["guards"]
    assert guards["cool_down"] == {"checked": 3, "refused": 1, "violated": 0, "first": ""}
    assert {name: one["checked"] for name, one in guards.items()} == {
        "late": 0, "source_stale": 0, "consent": 3, "kill_switch": 3, "if": 0, "hold_out": 3,
        "quiet_hours": 3, "cool_down": 3, "once": 3, "cap": 3,
    }  # fmt: skip
    assert main(["audit", str(shop), "--decisions"]) == exits.OK
    said = " ".join(capsys.readouterr().out.split())
    assert "the guards of 3 counted over; 3 stand in the ledger so" in said
    assert "late its place only 0 0" in said
    assert "cool_down 3 1 0" in said


@pytest.mark.parametrize(
    ("change", "carried", "what", "held"),
    [
        ("DELETE FROM decision WHERE number = 2", 2, [], []),
        ("UPDATE decision SET body = replace(body, 'cool_down\"', 'once\"')", 3, ["replay"], []),
        ("UPDATE decision SET body = json_set(CAST(body AS TEXT), '$.seq', 99) WHERE number = 3", 2,
         ["replay"], ["refused"]),
    ],
)  # fmt: skip
def test_a_ledger_that_says_something_else_differs(
    shop: Path, capsys: pytest.CaptureFixture[str], change: str, carried: int, what: list[str],
    held: list[str],
) -> None:  # fmt: skip
    """One that lacks a decision has yet to be given it."""
    with closing(Ledger(shop / "data")) as ledger:
        ledger.connection.execute(change)
    code, said = audit(capsys, shop)
    assert counts(said) == {"counted": 3, "carried": carried}
    assert [one["what"].split(", ")[1] for one in said["differences"]] == what
    assert code == (exits.DIFFERENT if what else exits.OK)
    assert [one["held"] for one in said["differences"] if one["recomputed"] == "none"] == held


def test_a_guard_that_was_passed_over_differs(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the engine had no cool-down: the second reading goes by a longer one."""
    monkeypatch.setattr("reference.guards.parse_length", lambda _: -1)
    code, said = audit(capsys, shop)
    assert code == exits.DIFFERENT
    assert ["but nothing refuses" in str(one["recomputed"]) for one in said["differences"]] == [True]
    found = said["decisions"]["guards"]["cool_down"]
    assert (found["violated"], found["first"]) == (1, said["differences"][0]["recomputed"])
    (shop / "data" / "deliveries.sqlite").unlink()
    assert counts(audit(capsys, shop)[1]) == {"counted": 3, "carried": 0}
