"""The kinds that need no other side pass the contract; how decisions are carried out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.load import load_shop
from engine.outcome import Decision
from rules.fold import fold, rests_on_metrics
from rules.parse import parse
from rules.resolve import Resolution
from rules.schema import Schema
from rules.scope import CUSTOMER
from sinks.channels.console import Console, ConsoleSettings
from sinks.channels.courier import Courier, of_type
from sinks.channels.file import File, FileSettings
from sinks.channels.message import HeldBack
from sinks.channels.provider import Around, Provider, Receipt
from sinks.deliveries.capped import Capped
from sinks.deliveries.delivery import Route
from sinks.deliveries.quiet import Quiet
from sinks.texts.words import Words
from tests.sinks.provider_contract import MESSAGE, Loop, ProviderContract, handed, numbered
from triggers.shop_guards import Cap

SHOP = Path(__file__).parents[2] / "examples" / "shop"
LAST_CATEGORY = 'last(orders.category, status != "cancelled")'  # a window of all is not written


class Near:
    """A provider that has no other side: it can neither refuse nor break."""

    def __init__(self, folder: Path) -> None:
        self.lines: list[str] = []
        self.receipts: list[Receipt] = []
        self.provider: Provider
        self.around = Around(folder, self.lines.append)

    def came_out(self) -> Sequence[str]:
        return self.lines

    def refuse(self, verdict: str) -> bool:
        return False

    def go_away(self) -> bool:
        return False

    def come_back(self) -> None: ...

    def break_off(self) -> bool:
        return False


class NearFile(Near):
    """A file whose folder may be in the way."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.path = folder / "out" / "sms.jsonl"
        self.provider = File(FileSettings(path="out/sms.jsonl"), self.around)

    def came_out(self) -> Sequence[str]:
        return self.path.read_text("utf-8").splitlines() if self.path.is_file() else []

    def go_away(self) -> bool:
        self.path.mkdir()
        return True

    def come_back(self) -> None:
        self.path.rmdir()


class TestConsole(ProviderContract):
    @pytest.fixture
    def far(self, tmp_path: Path) -> Near:
        near = Near(tmp_path)
        near.provider = Console(ConsoleSettings(), near.around)
        return near


class TestFile(ProviderContract):
    @pytest.fixture
    def far(self, tmp_path: Path) -> NearFile:
        return NearFile(tmp_path)


def test_the_console_says_who_gets_what_by_which_channel() -> None:
    lines: list[str] = []
    loop = Loop()
    loop.run(handed(Console(ConsoleSettings(), Around(Path(), lines.append)), [MESSAGE]))
    loop.close()
    assert lines == ["sms -> phone:13800001001: 谢谢您的第 3 单！😀"]


def test_a_file_goes_on_behind_what_it_holds(tmp_path: Path) -> None:
    loop = Loop()
    for _ in range(2):
        file = File(FileSettings(path="sms.jsonl"), Around(tmp_path, lambda _: None))
        loop.run(handed(file, [MESSAGE]))
    loop.close()
    lines = (tmp_path / "sms.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["text"] for line in lines] == [MESSAGE.text] * 2


def test_a_short_link_goes_with_its_code() -> None:
    shop = load_shop(SHOP)
    words = Words(text="{{ link }}", link="https://shop.example/sale")
    shop.channels["sms"].templates["come_back"] = words
    short = Courier(shop, lambda *_: "member:M1", shorten=lambda _: "https://s.example/s/abc").make(decision())
    assert (short.text, short.link_code) == ("https://s.example/s/abc", "abc")
    plain = Courier(shop, lambda *_: "member:M1").make(decision())
    assert (plain.text, plain.link_code) == ("https://shop.example/sale", "")


def test_half_of_a_character_holds_a_message_back() -> None:
    """It can be written as UTF-8 by nobody, and would break the batch that it is in."""
    shop = load_shop(SHOP)
    shop.channels["sms"].templates["come_back"] = "half: \ud83d"
    with pytest.raises(HeldBack, match="half of a character"):
        Courier(shop, lambda *_: "member:M1").make(decision())


@pytest.mark.parametrize("sign", ["\u2028", "\x85", "\x1d", "\x0b", "\r"])
def test_a_message_leaves_the_file_whatever_signs_stand_in_it(tmp_path: Path, sign: str) -> None:
    """They end a line for str.splitlines, and not for whoever reads JSON lines."""
    loop = Loop()
    file = File(FileSettings(path="sms.jsonl"), Around(tmp_path, lambda _: None))
    first, second, third = [replace(one, text=f"a{sign}b") for one in numbered(3)]
    loop.run(handed(file, [first, replace(second, to="phone:2"), third]))
    loop.close()
    assert file.erase({"phone:2"}) == 1
    lines = (tmp_path / "sms.jsonl").read_bytes().decode().split("\n")
    assert [json.loads(line)["id"] for line in lines if line] == [first.id, third.id]
    assert file.erase((), {first.id, third.id}) == 2
    assert (tmp_path / "sms.jsonl").read_bytes() == b""


def decision(**changed: Any) -> Decision:
    values = {LAST_CATEGORY: "鞋"}
    whole: dict[str, Any] = {
        "id": "cd" * 16, "partition": 0, "step": 7, "minute": 29_540_000, "customer": "0" * 32,
        "trigger": "win_back", "version": "v", "outcome": "act", "guard": "", "status": "live",
        "cause": {"minute": 29_540_000}, "figures": {}, "values": values,
    } | changed  # fmt: skip
    return Decision(**whole)


@pytest.fixture
def courier() -> Courier:
    return Courier(load_shop(SHOP), lambda *_: "member:M1")


def test_a_decision_to_act_is_a_message_with_the_values_of_its_step(courier: Courier) -> None:
    """G5: the values that go with a decision are those of its step."""
    made = courier.make(decision())
    assert (made.channel, made.to) == ("sms", "member:M1")
    assert made.text == "好久不见！您常逛的 鞋 上新了，回来看看？"
    assert (made.id, made.trigger, made.customer) == ("cd" * 16, "win_back", "0" * 32)
    assert made.values == {"category": "鞋"}


def test_a_message_with_an_unknown_value_is_held_back_with_its_reason(courier: Courier) -> None:
    with pytest.raises(HeldBack, match="'category' is not known of this customer"):
        courier.make(decision(values={LAST_CATEGORY: None}))


def test_a_message_is_written_to_the_reference_of_its_channels_type() -> None:
    asked: list[tuple[str, str]] = []
    shop = load_shop(SHOP)
    by_phone = shop.channels["sms"].model_copy(update={"address": "phone"})
    changed = shop.model_copy(update={"channels": {**shop.channels, "sms": by_phone}})

    def nobody(customer: str, kind: str) -> None:
        asked.append((customer, kind))

    with pytest.raises(HeldBack, match="the customer has no phone, or is erased"):
        Courier(changed, nobody).make(decision())
    assert asked == [("0" * 32, "phone")]
    assert of_type(["member:M1", "phone:138"], "phone") == "phone:138"
    assert of_type(["member:M1", "phone:138"], "") == "member:M1"
    assert of_type(["member:M1"], "phone") is None


@pytest.mark.parametrize(
    "changed",
    [{"outcome": "refused", "guard": "consent"}, {"outcome": "contradicted"}, {"status": "shadow"}],
)
def test_only_live_decisions_to_act_send_anything(courier: Courier, changed: dict[str, str]) -> None:
    """D2: refused ones are recorded, shadow does nothing; D3: refuting sends nothing."""
    assert courier.route(decision(**changed)) is None


def test_a_decision_goes_by_its_triggers_channel_and_purpose(courier: Courier) -> None:
    night = Quiet(22 * 60, 8 * 60, "Asia/Shanghai")
    caps = (Capped("all in a week", 4, 10_080), Capped("sms a day", 1, 1440))
    assert courier.route(decision()) == Route("sms", "come_back", "marketing", 0, 86400.0, None, night, caps)
    assert courier.route(decision(trigger="gone")) == "there is no trigger 'gone' any more"


def test_marketing_goes_under_the_caps_that_count_it() -> None:
    shop = load_shop(SHOP)
    caps = {
        "day": Cap(most=2, within="1d"), "sms": Cap(most=1, within="7d", channels=["sms"]),
        "mail": Cap(most=1, within="1d", channels=["mail"]),
        "others": Cap(most=1, within="1d", triggers=["another"]),
        "its": Cap(most=9, within="1h", triggers=["win_back"]),
    }  # fmt: skip
    guards = shop.settings.guards.model_copy(update={"caps": caps})
    settings = shop.settings.model_copy(update={"guards": guards})
    receipt = shop.triggers["win_back"].model_copy(update={"purpose": "transactional"})
    triggers = {**shop.triggers, "receipt": receipt}
    changed = shop.model_copy(update={"settings": settings, "triggers": triggers})
    courier = Courier(changed, lambda *_: "member:M1")
    found, plain = courier.route(decision()), courier.route(decision(trigger="receipt"))
    assert isinstance(found, Route)
    assert found.caps == (Capped("day", 2, 1440), Capped("its", 9, 60), Capped("sms", 1, 10_080))
    assert isinstance(plain, Route)
    assert plain.caps == ()


def test_what_a_stopped_trigger_decided_before_is_revoked() -> None:
    """D5: the kill switch is asked when a message is about to go."""
    shop = load_shop(SHOP)
    paused = shop.triggers["win_back"].model_copy(update={"status": "paused"})
    stopped = shop.model_copy(update={"triggers": {**shop.triggers, "win_back": paused}})
    assert Courier(shop, lambda *_: None).revoked(decision()) is None
    assert Courier(stopped, lambda *_: None).revoked(decision()) == "trigger 'win_back' is paused now"


PAID = 'sum(orders.amount, "365d", status != "cancelled")'
BACK = 'sum(refunds.amount, "365d")'


@pytest.mark.parametrize(
    ("text", "carried", "expected"),
    [
        ("net_365d", {PAID: 500_050, BACK: 50}, 500_000),
        ("net_365d / 100", {PAID: 199, BACK: 400}, -2),
        ("net_365d % 100", {PAID: 199, BACK: 400}, -1),
        ("-paid_365d", {PAID: 7}, -7),
        ("paid_365d / refunded_365d", {PAID: 7, BACK: 0}, None),
        ("paid_365d * 4", {PAID: 2**62}, None),
        ('min(orders.amount, "all") + 1', {"min(orders.amount)": None}, None),
    ],
)
def test_values_are_worked_out_as_the_machine_does(
    text: str, carried: dict[str, int | None], expected: int | None
) -> None:
    """M4: division truncates toward zero, remainders have the dividend's sign, null and overflow are null."""
    shop = load_shop(SHOP)
    schema = Schema.build(shop.sources, shop.metrics, shop.rfm, shop.tags)
    meaning = Resolution(schema, CUSTOMER).value(parse(text)).meaning
    assert rests_on_metrics(meaning)
    assert fold(meaning, carried) == expected
