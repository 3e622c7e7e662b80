"""A trigger that acts more often than its forecast stops and asks, before anything beyond it is sent (D7)."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app import exits
from app.cli import main
from app.load import load_shop
from app.sending.forecasts import Forecasts
from app.sending.revocations import Revocations
from engine.outcome import Decision
from sinks.deliveries.delivery import Route
from sinks.deliveries.forecast import Acts
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.switches import ask, asked, in_log
from streams.control import switch
from streams.live import append_controls, append_ticks
from streams.log.log import Log
from streams.message import Message
from tests.app.little_shop import write_shop
from tests.app.test_embedded import START, at_work, until
from tests.app.test_switch import EVENT, moment, shop_of
from tests.sinks.test_channels import decision

MINUTE = START // 60
SENT = Route("sms", "hi", "marketing", 0, 86_400.0)
BEYOND = "beyond the forecast of its trigger: 3 within 1h"
TOML = 'name = "Test"\nhistory = false\npartitions = 2\n\n[groups]\nvalue = ["vip", "普通"]\n'
FORECAST = "guards: {forecast: {most: 3, within: 1h}}\n"


class Sender:
    """A sender's side of the ledger, begun anew at will, and the log that says of switches."""

    def __init__(self, folder: Path) -> None:
        write_shop(folder, {"tintype.toml": TOML, "triggers/hello.yaml": EVENT + FORECAST})
        self.shop, self.folder = load_shop(folder), folder
        self.log = Log.create(folder / "data", "Test", 2)
        append_ticks(self.log, MINUTE, "live")
        self.ledger = Ledger(folder / "data")
        self.said: list[str] = []
        self.made = 0
        self.start()

    def start(self) -> None:
        """Begin as a new process does."""
        revocations = Revocations(self.log, lambda: START)
        self.forecasts = Forecasts(self.shop, self.ledger, revocations, self.said.append, lambda: START)
        self.forecasts.begin()

    def take(
        self, count: int, minute: int = 0, partition: int = 0, step: int | None = None, **more: Any
    ) -> list[Any]:  # fmt: skip
        """Take decisions of one step into the ledger; return how each is delivered, or why not."""
        self.forecasts.begin()
        found = self.judge(count, minute, partition, step, **more)
        self.forecasts.settle()
        return found

    def judge(
        self, count: int, minute: int = 0, partition: int = 0, step: int | None = None, **more: Any
    ) -> list[Any]:  # fmt: skip
        """Judge and write them down, and no more."""
        steps = self.log.next_steps()
        made: list[Decision] = []
        for _ in range(count):
            self.made += 1
            made.append(replace(
                decision(trigger="hello", id=f"{self.made:032x}"), partition=partition, seq=self.made,
                step=steps[partition] if step is None else step, minute=MINUTE + minute, **more,
            ))  # fmt: skip
        found = [self.forecasts.judge(one, SENT if one.status == "live" else None) for one in made]
        self.ledger.take("channels", list(zip(made, found, strict=True)), {partition: self.made})
        return found

    def tell_log(self) -> None:
        """Write what was switched into the log, as the relays do."""
        turned = asked(self.ledger)
        append_controls(self.log, [switch(one.what, one.off, one.reason) for one in turned], MINUTE)
        in_log(self.ledger, turned[-1].number)
        append_ticks(self.log, MINUTE + 1)

    def turn(self, off: bool) -> None:
        ask(self.ledger, "trigger/hello", "off" if off else "on", "", START)

    @property
    def off(self) -> list[str]:
        return [one.reason for one in asked(self.ledger) if one.off]


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[Sender]:
    made = Sender(tmp_path)
    with contextlib.closing(made.log), contextlib.closing(made.ledger):
        yield made


def test_what_is_beyond_the_forecast_is_held_back_and_the_trigger_is_switched_off(sender: Sender) -> None:
    assert sender.take(2) == [SENT, SENT]
    assert sender.take(3, partition=1) == [SENT, BEYOND, BEYOND]
    assert sender.off == ["fired 5 times within 1h, forecast 3"]
    assert sender.said == [
        "trigger/hello fired 5 times within 1h, forecast 3: it is switched off, and what waits is held back; "
        "when it is as it should be: tintype switch SHOP trigger/hello --on"
    ]
    assert sender.take(1, 500) == [BEYOND]  # decided before the log has the switch
    assert len(sender.off) == 1


def test_a_span_rolls_and_no_span_holds_more(sender: Sender) -> None:
    assert sender.take(2, 0) + sender.take(1, 59) == [SENT] * 3
    assert sender.take(2, 60) == [SENT] * 2  # (0, 60] has three
    assert sender.take(1, 118) == [BEYOND]


def test_shadow_and_other_triggers_count_for_nothing(sender: Sender) -> None:
    assert sender.take(9, status="shadow") == [None] * 9
    found = sender.forecasts.judge(decision(trigger="another"), SENT)
    assert found == SENT
    assert sender.take(3) == [SENT] * 3


def test_a_partition_that_lags_counts_in_its_own_minutes(sender: Sender) -> None:
    assert sender.take(2, 100) == [SENT] * 2
    assert sender.take(3, 10, partition=1) == [SENT] * 3  # none of these hours has more than three
    assert sender.take(1, 70, partition=1) == [SENT]  # [41, 100] has three
    assert sender.take(1, 69, partition=1) == [BEYOND]


def test_turned_on_again_it_counts_anew(sender: Sender) -> None:
    sender.take(5)
    before = sender.log.next_steps()[0]
    sender.tell_log()
    assert sender.take(1, step=before - 1) == ["decided before its trigger was switched off"]
    sender.turn(off=False)
    sender.tell_log()
    assert sender.take(3) == [SENT] * 3
    assert sender.take(1) == [BEYOND]
    assert len(sender.off) == 1


def test_turned_on_before_the_log_has_the_stop_it_is_not_stopped_twice(sender: Sender) -> None:
    sender.take(5)
    sender.turn(off=False)
    assert sender.take(1) == [BEYOND]
    sender.start()
    assert len(sender.off) == 1
    sender.tell_log()
    assert sender.take(3) == [SENT] * 3


@pytest.mark.parametrize("told", [False, True])
def test_a_restart_forgets_no_act(sender: Sender, told: bool) -> None:
    """Also not those of a step behind which the process was killed, before it could switch anything off."""
    assert sender.take(2) == [SENT] * 2
    sender.start()
    assert sender.take(1) == [SENT]
    sender.forecasts.begin()
    assert sender.judge(4) == [BEYOND] * 4
    sender.start()
    assert sender.off == ["fired 7 times within 1h, forecast 3"]
    if told:
        sender.tell_log()
        sender.start()
        assert asked(sender.ledger) == []


def test_a_step_that_failed_is_not_counted_twice(sender: Sender) -> None:
    """A full disk: the ledger has none of it, and it comes again."""
    sender.forecasts.begin()
    one = decision(trigger="hello", minute=MINUTE)
    assert [sender.forecasts.judge(one, SENT) for _ in range(3)] == [SENT] * 3
    assert sender.take(3) == [SENT] * 3


def test_the_fullest_span_is_that_of_counting_each() -> None:
    """An oracle: every span by itself, minutes in any order."""
    for seed in range(6):
        minutes = [(seed * 7919 + k * k * 31 + k * 17) % 200 for k in range(120)]
        acts, seen = Acts(30), list[int]()
        for minute in minutes:
            seen.append(minute)
            spans = (range(end - 29, end + 1) for end in range(minute, min(minute + 30, max(seen) + 1)))
            assert acts.add(minute) == max(sum(one in span for one in seen) for span in spans)


def orders(first: int, count: int) -> list[Message]:
    return [
        Message("orders", f"test:{number}", json.dumps({
            "order_id": number, "member_id": f"M{number}", "created_at": moment(), "amount": "20.00",
            "status": "paid",
        }).encode()) for number in range(first, first + count)
    ]  # fmt: skip


def states(shop: Any) -> dict[str, int]:
    return dict(shop.ledger.rows("SELECT state, count(*) FROM delivery GROUP BY 1"))


def test_a_trigger_that_fires_for_thousands_sends_its_forecast_at_most(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shop_of(tmp_path / "shop", "", "you spent {{ fen }}")
    trigger = EVENT + "guards: {forecast: {most: 500, within: 1h}}\n"
    (folder / "triggers/hello.yaml").write_text(trigger, encoding="utf-8")
    said: list[str] = []
    with at_work(folder, said) as shop:
        shop.service.accept(orders(1, 300)).result(60)
        until(lambda: states(shop) == {"sent": 300})
        shop.service.accept(orders(1_000, 2_700)).result(60)
        until(lambda: sum(states(shop).values()) == 3_000 and set(states(shop)) == {"sent", "held back"})
        assert 300 <= states(shop)["sent"] <= 500
        until(lambda: shop.ledger.rows("SELECT * FROM switch") == [])  # the log has it
        shop.service.accept(orders(20_000, 1)).result(60)
        until(lambda: shop.ledger.after(3_000, 1) != [])
        assert shop.ledger.after(3_000, 1)[0].decision.guard == "kill_switch"
    assert len((folder / "data" / "sent.jsonl").read_text("utf-8").splitlines()) == states_sent(folder) <= 500
    assert [line for line in said if "forecast 500" in line] == [said[-1]]
    with at_work(folder) as shop:
        shop.service.accept(orders(30_000, 1)).result(60)
        until(lambda: len(shop.ledger.after(3_001, 2)) == 1)
        assert shop.ledger.after(3_001, 1)[0].decision.guard == "kill_switch"
        assert main(["switch", str(folder), "--json"]) == exits.OK
        assert "forecast 500" in json.loads(capsys.readouterr().out)["reasons"]["trigger/hello"]
        assert main(["switch", str(folder), "trigger/hello", "--on"]) == exits.OK
        until(lambda: shop.ledger.rows("SELECT * FROM switch") == [])
        shop.service.accept(orders(40_000, 1)).result(60)
        until(lambda: shop.ledger.after(3_002, 1) and shop.ledger.after(3_002, 1)[0].state == "sent")


def states_sent(folder: Path) -> int:
    with contextlib.closing(Ledger(folder / "data", write=False)) as ledger:
        return int(ledger.rows("SELECT count(*) FROM delivery WHERE state = 'sent'")[0][0])
