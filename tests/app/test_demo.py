"""The demo's simulated shop, its story, and what it prints."""

from __future__ import annotations

import io
import json
import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from app.cli import app
from app.demo import story
from app.demo.live import START, Happened, LiveShop, open_live
from app.demo.plain import Plain
from app.demo.plays import plays_of
from app.demo.screen import Screen
from app.demo.simulate import Simulation
from app.demo.stop import Stop
from app.demo.tally import Tally
from app.demo.teller import Teller
from app.demo.words import LABELS
from app.load import load_shop
from app.moments import parse_moment
from app.sending.addresses import address_of, readable_of
from app.texts_read import read_texts
from sinks.deliveries.listing import Wanted, listed
from triggers.guards import NAMES

SHOP = Path(__file__).parents[2] / "examples" / "shop"
ZONE = "Asia/Shanghai"
START_MINUTE = parse_moment(START, None, ZONE)
FEW = 150  # customers: enough for a population of five bins
STORY_MINUTES = story.ASKS + 2


def played(folder: Path, minutes: int, language: str = "en") -> tuple[list[Happened], str]:
    with open_live(SHOP, folder, 3, language, FEW) as live:
        return [live.play() for _ in range(minutes)], live.digest()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveShop, Tally, str]]:
    """A shop that has played its story, what was seen of it, and the lines written."""
    with open_live(SHOP, tmp_path_factory.mktemp("demo") / "data", 1, "en") as live:
        tally, text = Tally(live, Teller(live.shop, live.name)), io.StringIO()
        plain = Plain(tally, Console(file=text, width=110))
        for _ in range(STORY_MINUTES):
            happened = live.play()
            tally.take(happened)
            plain.show(happened, 0.0)
        yield live, tally, text.getvalue()


def said(tally: Tally) -> dict[str, dict[str, Any]]:
    return {line.words: line.profile for line in tally.story}


def test_an_order_raises_r_f_and_m_and_a_tag_appears(told: tuple[LiveShop, Tally, str]) -> None:
    """R3, G1."""
    before, after = said(told[1])["story_browses"], said(told[1])["story_orders"]
    for letter in "rfm":
        assert after["rfm"]["rfm"][letter] > before["rfm"]["rfm"][letter]
    assert "高价值客户" in after["tags"]
    assert "高价值客户" not in before["tags"]


def test_the_order_cancelled_takes_everything_back(told: tuple[LiveShop, Tally, str]) -> None:
    """L3."""
    assert told[1].returned()
    before, after = said(told[1])["story_browses"], said(told[1])["story_cancels"]
    assert before["metrics"]["net_365d"] == after["metrics"]["net_365d"]


def test_a_story_that_is_not_taken_back_is_not_said_to_be(told: tuple[LiveShop, Tally, str]) -> None:
    tally = told[1]
    line = next(line for line in tally.story if line.words == "story_cancels")
    held = line.profile["rfm"]["rfm"]["monetary"]
    line.profile["rfm"]["rfm"]["monetary"] = held + 1
    try:
        assert not tally.returned()
    finally:
        line.profile["rfm"]["rfm"]["monetary"] = held


def test_her_message_goes_out_once_and_the_second_time_is_refused(told: tuple[LiveShop, Tally, str]) -> None:
    """D5."""
    sent = [line.plain for line in told[1].sms if "138****9001" in line.plain and "高价值" in line.plain]
    text = "尊敬的会员，您近一年消费 ¥5,533.00，已成为高价值客户，专属客服为您服务。"
    assert sent == [f"09:14  138****9001 ✓ {text}"]
    assert "refused vip_welcome   cool_down: sent at 2026-03-02 09:14" in told[2]


def test_every_text_comes_to_the_smsc_and_back_comes_its_receipt(told: tuple[LiveShop, Tally, str]) -> None:
    live, tally, _ = told
    sent = [one for one in listed(live.ledger.connection, Wanted(channel="sms"), 1000) if one.attempts]
    assert {one.state for one in sent} <= {"delivered", "failed"}
    plays = plays_of(tally)
    assert len(tally.sms) == len(sent) == sum(plays[name].delivered + plays[name].failed for name in plays)
    assert plays["cart_abandoned"].held_back["cap"]
    assert plays["cart_abandoned"].decided > plays["cart_abandoned"].sent > 0


def test_the_preview_is_what_was_sent(told: tuple[LiveShop, Tally, str]) -> None:
    """Of what she has a minute later: nothing of it has changed."""
    live, shop = told[0], load_shop(SHOP)
    log, whom = live.log, [live.her_id]
    for template in ("desk/vip_ticket", "sms/after_sale_care"):
        channel, name = template.split("/")
        [seen] = read_texts(
            shop, live.engine, channel, name, whom, partial(address_of, log), partial(readable_of, log, shop)
        )
        assert seen.preview.message is not None
        sent = [line.plain for line in told[1].decisions if "member:M9001" in line.plain]
        assert any(line.endswith(f"{channel}: {seen.preview.message.text}") for line in sent)


def test_no_phone_can_be_read_in_what_is_shown(told: tuple[LiveShop, Tally, str]) -> None:
    assert "138****" in told[2]
    assert not re.search(r"1380000\d{4}", told[2])


def test_the_desk_hears_of_her_ticket_and_she_of_her_parcel(told: tuple[LiveShop, Tally, str]) -> None:
    file = Path(told[0].shop.settings.data) / "desk.jsonl"
    desk = [json.loads(line)["text"] for line in file.read_text(encoding="utf-8").splitlines()]
    assert any("金卡会员 M9001（近一年 ¥5,533.00）提了工单：物流" in line for line in desk)
    hers = [line.plain[7:] for line in told[1].sms if "138****9001" in line.plain]
    assert ["顺丰" in line or "抱歉" in line for line in hers] == [False, True, True]


def test_the_thanks_for_a_cancelled_third_order_never_goes_out(told: tuple[LiveShop, Tally, str]) -> None:
    """D1: `for` begins anew when the order is ordered again."""
    thanked = [
        one.minute
        for one in (entry.decision for entry in told[0].ledger.after(0, 100_000))
        if one.trigger == "third_order" and one.customer == told[0].her_id
    ]
    assert thanked == [START_MINUTE + story.ORDERS_AGAIN + story.THANKED]


def test_absences_are_decided_though_for_minutes_nobody_orders(told: tuple[LiveShop, Tally, str]) -> None:
    """D4: heartbeats tell quiet tables from a dead feed."""
    outcomes = told[1].counts.outcomes
    assert outcomes["browsed_not_bought", "act", ""]
    assert not [guard for _, _, guard in outcomes if guard == "source_stale"]


def test_what_the_engine_holds_equals_a_recompute(told: tuple[LiveShop, Tally, str]) -> None:
    """L5."""
    report = told[0].audit()
    assert report["differences"] == []
    assert report["compared"] > 10_000


def test_the_same_seed_gives_the_same_decisions(tmp_path: Path) -> None:
    """P3."""
    first, digest = played(tmp_path / "a", 90)
    second, again = played(tmp_path / "b", 90, "zh")
    assert digest == again
    ids = [one.id for happened in first for one in happened.decisions]
    assert ids
    assert ids == [one.id for happened in second for one in happened.decisions]


def test_another_seed_gives_another_shop(tmp_path: Path) -> None:
    one, other = (Simulation(seed, START_MINUTE, ZONE, FEW).history() for seed in (1, 2))
    assert [change.row for change in one["orders"]] != [change.row for change in other["orders"]]


def test_a_live_change_is_one_that_its_database_could_make() -> None:
    """Every row begins with an insert, before or after the start, and then is only updated."""
    simulation = Simulation(5, START_MINUTE, ZONE, FEW)
    keys = {"orders": "order_id", "parcels": "parcel_id", "tickets": "ticket_id", "refunds": "refund_id",
            "carts": "cart_id", "restocks": "request_id", "levels": "change_id"}  # fmt: skip
    known = {
        (source, change.row[keys[source]])
        for source, changes in simulation.history().items()
        for change in changes
        if source in keys
    }
    seen: set[tuple[str, str]] = set()
    for minute in range(START_MINUTE, START_MINUTE + 6000):
        for change in simulation.minute(minute):
            assert change.minute <= minute
            if change.source not in keys:
                continue
            row = (change.source, change.row[keys[change.source]])
            assert (row in known) == (change.operation == "update")
            known.add(row)
            seen.add((change.source, change.row.get("status", "")))
    assert {("orders", "cancelled"), ("parcels", "late"), ("tickets", "closed"), ("refunds", ""),
            ("carts", "removed"), ("carts", "ordered"), ("restocks", "presale"), ("restocks", "arrived"),
            ("levels", "")} <= seen  # fmt: skip


def test_somebody_turns_silent_though_nothing_happens(tmp_path: Path) -> None:
    """T3, R6: a window ends to the minute without any event."""
    alone = 0
    with open_live(SHOP, tmp_path / "data", 3, "en", FEW) as live:
        for _ in range(600):
            happened = live.play()
            moving = {f"member:{change.row.get('member_id')}" for change in happened.changes}
            silent = [one for one in happened.transitions if (one.what, one.change) == ("沉默客户", "enter")]
            alone += sum(live.name(one.customer) not in moving for one in silent)
    assert alone > 0


@pytest.mark.parametrize("width", [100, 200])
def test_the_screen_fits_its_terminal(told: tuple[LiveShop, Tally, str], width: int) -> None:
    text = io.StringIO()
    console = Console(file=text, width=width, height=40, force_terminal=True, color_system=None)
    screen = Screen(told[1], console, 1000.0, Stop())
    console.print(screen._page(START_MINUTE + STORY_MINUTES))
    lines = text.getvalue().splitlines()
    assert len(lines) == 40
    assert any("story" not in line and "member:M9001" in line for line in lines)


def test_ctrl_c_ends_between_two_minutes_and_a_second_one_at_once() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Stop() as stop:
        asked = [stop.asked]
        signal.raise_signal(signal.SIGINT)
        asked.append(stop.asked)
        assert asked == [False, True]
        stop.wait(3600.0)  # returns at once
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_both_languages_have_the_same_words() -> None:
    assert set(LABELS["en"]) == set(LABELS["zh"])


def test_every_outcome_and_every_guard_can_be_told(told: tuple[LiveShop, Tally, str]) -> None:
    live, tally, _ = told
    entry = live.ledger.after(0, 1)[0].decision
    figures: dict[str, int | str] = {
        "until": START_MINUTE, "acted_at": START_MINUTE, "fresh_until": START_MINUTE, "age": 70, "most": 1,
        "stale_after": 5, "max_age": 60, "percent": 5, "acted": 1, "within": "1d", "cap": "sms a day",
        "stopped": "everything", "cool_down": 1440,
    }  # fmt: skip
    for outcome in ("act", "refused", "held", "contradicted"):
        for guard in NAMES if outcome in ("refused", "held") else ("",):
            one = replace(entry, outcome=outcome, guard=guard, figures=figures, trigger="win_back")
            if guard or outcome not in ("refused", "held"):
                assert LABELS["en"][outcome] in tally.teller.decision(one, None).plain


def test_the_command_tells_its_options() -> None:
    result = CliRunner().invoke(app, ["demo", "--help"], env={"COLUMNS": "120"})
    assert result.exit_code == 0
    assert "--once" in result.stdout
