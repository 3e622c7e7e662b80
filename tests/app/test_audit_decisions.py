"""``tintype audit --decisions``: every decision is counted over, and the ledger holds what the log gives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app import exits
from app.cli import main
from app.effects import Collector
from app.load import load_shop
from app.log_folder import open_log
from app.recount import _lacks_zone
from app.replay import Replay
from app.runtime import keep_settings
from engine.outcome import Decision
from sinks.deliveries.ledger import Ledger
from streams.live import append_changes
from tests.app.little_shop import GOOD, write_shop
from tests.sinks.dispatching import decided

MINUTE = 29_538_780  # 2026-03-01 09:00 in Shanghai
TRIGGER = "when: {event: {source: orders}}\nguards: {cool_down: 1h}\naction: {channel: sms, template: hi}\n"


ZONED: dict[str, str | None] = {
    "tintype.toml": GOOD["tintype.toml"] + (
        '\n[guards]\nzone = "customer.zone"\nzones = ["Europe/Berlin"]\n'
        'quiet_hours = {from = "22:00", until = "08:00"}\n'
    ),
    "sources/orders.yaml": GOOD["sources/orders.yaml"] + "  city: {type: text, attribute: zone}\n",
}  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return made_shop(tmp_path)


def made_shop(folder: Path, more: Mapping[str, str | None] | None = None) -> Path:
    """Return a shop of which three orders have made three decisions, two of one customer, which the ledger
    has."""
    channels = "sms:\n  templates: {hi: hello}\n"
    files = {"triggers/hello.yaml": TRIGGER, "channels.yaml": channels, **(more or {})}
    folder = write_shop(folder / "little", files)
    declared, made = load_shop(folder), list[Decision]()
    with open_log(folder, declared, write=True) as log:
        keep_settings(log, declared)
        rows = [
            {"order_id": f"A{n}", "member_id": whose, "created_at": "2026-03-01 09:00", "amount": "1.00",
             "city": "Asia/Shanghai"}
            for n, whose in enumerate(["M1", "M2", "M1"])
        ]  # fmt: skip
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


@pytest.mark.parametrize(
    ("held", "is_same"),
    [
        ({}, True), ({"spend": 7}, True), ({"spend": 7, "orders": 1}, True), ({"spend": 8}, False),
        ({"spend": 7, "zone": "Mars"}, False),
    ],
)  # fmt: skip
def test_a_decision_of_a_release_that_carried_no_zone_is_the_same(
    held: dict[str, Any], is_same: bool
) -> None:
    """Where the values are at their most, the zone has taken the last one's place."""
    one = decided(1, values={"zone": "UTC", "spend": 7} if held else {"zone": "UTC"})
    assert _lacks_zone(decided(1, values=held), one, "zone") is is_same
    assert not _lacks_zone(decided(1, values=held), one, "")
    assert not _lacks_zone(decided(1, values=held, outcome="refused"), one, "zone")
    assert not _lacks_zone(decided(1, values=held), decided(1, values={**one.values, "more": 1}), "zone")


def test_a_ledger_of_a_release_that_carried_no_zone_does_not_differ(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = made_shop(tmp_path, ZONED)
    with closing(Ledger(folder / "data")) as ledger:
        before = [one.decision.values for one in ledger.after(0, 9)]
        assert [list(one.values()) for one in before] == [["Asia/Shanghai"]] * 3
        former = "UPDATE decision SET body = json_set(CAST(body AS TEXT), '$.values', json('{}'))"
        ledger.connection.execute(former)
    code, said = audit(capsys, folder)
    found = {name: said["decisions"][name] for name in ("counted", "carried")}
    assert (code, found, said["differences"]) == (exits.OK, {"counted": 3, "carried": 3}, [])


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
