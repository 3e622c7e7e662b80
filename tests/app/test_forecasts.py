"""A trigger that acts more often than its forecast stops and asks, before anything beyond it is sent (D7)."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import exits
from app.cli import main
from sinks.deliveries.delivery import Withheld
from sinks.deliveries.forecast import Acts
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import Event
from streams.message import Message
from tests.app.forecast_senders import MINUTE, SENDERS, SENT, Sender, sender_of
from tests.app.test_embedded import at_work, until
from tests.app.test_switch import EVENT, moment, shop_of
from tests.sinks.test_channels import decision

BEYOND = Withheld(SENT, "beyond the forecast of its trigger: 3 within 1h")
BEFORE = Withheld(SENT, "decided before its trigger was switched off")


@pytest.fixture(params=SENDERS)
def sender(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Sender]:
    with sender_of(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Sender]:
    with sender_of("embedded", tmp_path) as made:
        yield made


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Sender]:
    with sender_of("cluster", tmp_path) as made:
        yield made


def test_what_is_beyond_the_forecast_is_held_back_and_the_trigger_is_switched_off(sender: Sender) -> None:
    assert sender.take(2) == [SENT, SENT]
    assert sender.take(3, partition=1) == [SENT, BEYOND, BEYOND]
    assert sender.off == ["fired 5 times within 1h, forecast 3"]
    assert sender.said == [
        "trigger/hello fired 5 times within 1h, forecast 3: it is switched off, and what waits is held back; "
        "when it is as it should be: tintype switch SHOP trigger/hello --on"
    ]


def test_what_is_beyond_the_forecast_goes_when_a_person_sends_it_again(sender: Sender) -> None:
    sender.take(5)
    at = 60.0 * (MINUTE + 7)
    sender.ledger.act_by_hand(f"{5:032x}", Event.RESEND, "a sale, as planned", at)
    waiting = {one.number: one for one in sender.ledger.waiting(SENT.channel, [0], at, 10)}
    assert sorted(waiting) == [1, 2, 3, 5]
    again = waiting[5]
    assert (again.template, again.purpose, again.expires) == (SENT.template, SENT.purpose, at + SENT.lasts)


def test_what_has_no_way_at_all_keeps_that_for_its_reason(sender: Sender) -> None:
    sender.take(3)
    assert sender.forecasts.judge(decision(trigger="hello"), "there is no channel") == "there is no channel"
    assert sender.forecasts.judge(decision(trigger="hello"), SENT) == BEYOND


def test_until_the_log_has_the_stop_nothing_passes(embedded: Sender) -> None:
    embedded.take(5)
    assert embedded.take(1, 500) == [BEYOND]
    assert len(embedded.off) == 1


def test_a_cluster_judges_when_it_has_read_of_the_stop_in_every_partition(cluster: Sender) -> None:
    """It is in the log at once, so that a decision may be from behind it before the sender has read of it."""
    stop = cluster.steps()
    cluster.take(5)
    assert cluster.forecasts.awaits_log()
    cluster.turn(off=False)
    assert cluster.forecasts.awaits_log()
    cluster.tell_log()
    assert not cluster.forecasts.awaits_log()
    for partition in range(2):
        late = cluster.take(1, step=stop[partition] - 1, partition=partition)
        assert late == [BEFORE]
    assert cluster.take(3) == [SENT] * 3
    assert cluster.take(1) == [BEYOND]
    assert len(cluster.off) == 1


def test_a_file_of_a_former_sender_is_read_anew(cluster: Sender) -> None:
    """It does not say at which steps triggers were stopped."""
    cluster.take(5)
    cluster.turn(off=False)
    cluster.tell_log()
    with contextlib.closing(sqlite3.connect(cluster.folder / "sender" / "revocations.sqlite")) as file:
        file.executescript(
            "DROP TABLE stopped; DROP TABLE position; DROP TABLE off;"
            "CREATE TABLE off (what TEXT PRIMARY KEY);"
            "CREATE TABLE position (partition INTEGER PRIMARY KEY, next INTEGER NOT NULL);"
            "INSERT INTO position VALUES (0, 999), (1, 999); PRAGMA user_version = 0;"
        )
    cluster.start()
    assert cluster.take(3) == [SENT] * 3
    assert cluster.take(1) == [BEYOND]


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
    before = sender.steps()[0]
    sender.take(5)
    sender.tell_log()
    assert sender.take(1, step=before - 1) == [BEFORE]
    sender.turn(off=False)
    sender.tell_log()
    assert sender.take(3) == [SENT] * 3
    assert sender.take(1) == [BEYOND]
    assert len(sender.off) == 1


def test_turned_on_before_the_log_has_the_stop_it_is_not_stopped_twice(
    embedded: Sender,
) -> None:
    embedded.take(5)
    embedded.turn(off=False)
    assert embedded.take(1) == [BEYOND]
    embedded.start()
    assert len(embedded.off) == 1
    embedded.tell_log()
    assert embedded.take(3) == [SENT] * 3


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
        assert sender.off == []


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
