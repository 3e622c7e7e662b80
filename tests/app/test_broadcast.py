"""``tintype broadcast``: what is counted before is what is decided then, guard by guard."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.life.forecast import forecast
from app.load import load_shop
from app.runtime import Sandbox
from app.shop import Shop
from sinks.deliveries.ledger import Ledger
from streams.errors import InputError
from tests.app.little_shop import write_shop
from tests.sinks.dispatching import decided, route

BEGIN = 29_539_290  # 2026-03-01 17:30 in Shanghai
DUE = BEGIN + 150  # 20:00
CUSTOMERS = 40
TRIGGER = """\
title: 春季大促
when: {schedule: {at: 20:00, on: [2026-03-01]}}
if: spend > 500
guards: {consent: sms/marketing}
action: {channel: sms, template: hi, values: {fen: spend}}
"""
TOML = """\
name = "Test"
zone = "Asia/Shanghai"

[guards]
hold_out = 30

[guards.caps]
day = {most = 1, within = "1d"}

[groups]
value = ["vip", "普通"]
"""
HELLO = """\
when: {event: {source: orders}}
if: spend > 2500
purpose: marketing
action: {channel: sms, template: hi, values: {fen: spend}}
"""
FILES: dict[str, str | None] = {
    "tintype.toml": TOML, "triggers/spring.yaml": TRIGGER, "triggers/hello.yaml": HELLO,
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shop(tmp_path_factory.mktemp("broadcast") / "shop", FILES)


@pytest.fixture(scope="module")
def story(folder: Path) -> Iterator[Sandbox]:
    """Forty customers who spent 1 to 40 yuan; two of three agree to messages, and some got one just now."""
    sandbox = Sandbox(load_shop(folder), folder / "data")
    sandbox.advance_to(BEGIN)
    rows: list[Mapping[str, Any]] = [
        {"order_id": f"A{at}", "member_id": f"M{at}", "created_at": "2026-03-01 17:20", "amount": at,
         "status": "paid"}
        for at in range(1, CUSTOMERS + 1)
    ]  # fmt: skip
    sandbox.rows("orders", rows, BEGIN, "insert")
    for at in range(1, CUSTOMERS + 1):
        if at % 3:
            granted = {"channel": "sms", "purpose": "marketing", "granted": True, "until": None}
            sandbox.control("consent", f"member:M{at}", granted, BEGIN + 1)
    yield sandbox
    sandbox.log.close()


def moved(shop: Shop, day: str, status: str) -> Shop:
    """Return the shop with its broadcast on another day, and of another status."""
    one = shop.triggers["spring"]
    assert one.when.schedule is not None
    schedule = one.when.schedule.model_copy(update={"on": [day]})
    when = one.when.model_copy(update={"schedule": schedule})
    changed = one.model_copy(update={"when": when, "status": status})
    return shop.model_copy(update={"triggers": {**shop.triggers, "spring": changed}})


def test_what_is_counted_before_is_what_is_decided_then(story: Sandbox, folder: Path) -> None:
    data, shop = folder / "data", load_shop(folder)
    before = forecast(story.log, shop, data, "spring", DUE)
    # Whatever date it has by now, and before it is live.
    other = forecast(story.log, moved(shop, "2026-12-01", "shadow"), data, "spring", DUE)
    steps = story.log.next_steps()
    guards = Counter(one.guard for one in before)
    assert len(before) == 35
    assert set(guards) == {"", "consent", "hold_out", "cap"}
    assert min(guards.values()) > 0
    assert story.log.next_steps() == steps  # nothing is written
    with contextlib.closing(Ledger(folder / "elsewhere")) as ledger:
        assert ledger.after(0, 1) == []
    told = {(one.id, one.customer, one.outcome, one.guard) for one in before}
    assert {(one.customer, one.outcome, one.guard) for one in other} == {one[1:] for one in told}
    story.advance_to(DUE)
    real = [one for one in story.decisions() if one["trigger"] == "spring"]
    assert {(one["id"], one["customer"], one["outcome"], one["guard"]) for one in real} == told


def test_a_minute_that_is_over_is_refused(story: Sandbox, folder: Path) -> None:
    with pytest.raises(InputError, match="name a later time"):
        forecast(story.log, load_shop(folder), folder / "data", "spring", BEGIN)


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert main(["broadcast", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_command_counts_beside_the_shop(
    story: Sandbox, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = asked(capsys, str(folder), "count", "spring", "--at", "2026-03-02 20:00")
    assert (found["name"], found["at"], found["audience"]) == ("spring", "2026-03-02 20:00", 35)
    assert sum(found["outcomes"].values()) == 35
    assert main(["broadcast", str(folder), "count", "spring", "--at", "2026-03-02 20:00"]) == 0
    assert f"{found['outcomes']['act']} of 35 customers" in capsys.readouterr().out


def test_a_list_tells_how_far_each_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop = write_shop(tmp_path / "shop", FILES)
    made = [decided(at, trigger="spring") for at in range(3)]
    made += [decided(at, trigger="spring", outcome="refused", guard="consent") for at in range(3, 5)]
    with contextlib.closing(Ledger(shop / "data")) as ledger:
        taken = [(one, route() if one.outcome == "act" else None) for one in made]
        ledger.take("channels", [*taken, (decided(9), route())], {0: 10})
    [one] = asked(capsys, str(shop))["broadcasts"]
    assert (one["name"], one["title"], one["at"]) == ("spring", "春季大促", ["2026-03-01 20:00"])
    assert (one["outcomes"], one["guards"]) == ({"act": 3, "refused": 2}, {"consent": 2})
    assert one["deliveries"] == {"queued": 3}
    assert (one["stands"], one["last"]) == ("on", "2026-03-02 05:20")
    assert asked(capsys, str(shop), "show", "spring")["deliveries"] == {"queued": 3}
    for arguments in (["list"], ["show", "spring"]):
        assert main(["broadcast", str(shop), *arguments]) == 0
    shown = capsys.readouterr().out
    assert "deliveries: 3 queued" in shown
    assert "the last of what waits leaves at 2026-03-02 05:20" in shown
    assert main(["switch", str(shop), "everything", "--pause"]) == 0
    assert asked(capsys, str(shop), "show", "spring")["stands"] == "paused"
    for arguments in (["list"], ["show", "spring"]):
        assert main(["broadcast", str(shop), *arguments]) == 0
        assert "paused" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["show"], "show needs a name"),
        (["count", "sprong"], "did you mean 'spring'?"),
        (["count", "hello"], "there is no such broadcast"),
        (["count", "spring"], "there is no log here"),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str
) -> None:
    shop = write_shop(tmp_path / "shop", FILES)
    assert main(["broadcast", str(shop), *arguments]) == 2
    assert problem in " ".join(capsys.readouterr().err.split())
