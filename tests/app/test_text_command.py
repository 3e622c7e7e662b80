"""`tintype text`: how a template reads for real customers, what it costs, and what holds it back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app import exits
from app.cli import main
from tests.app.little_shop import write_shop

FILES = {
    "sources/members.yaml": """\
key: [member_id]
references:
  - {type: member, column: member_id}
  - {type: phone, column: phone}
event_time: {column: joined_at}
columns:
  name: {type: text, attribute: name, personal: true}
  language: {type: text, attribute: language}
""",
    "channels.yaml": """\
sms:
  address: phone
  providers: [{kind: console, price: "0.045"}]
  templates:
    hi:
      zh: "{{ name }}您好，您今年消费 {{ spent | money }}。"
      en: "Dear {{ name }}, you spent {{ spent | money }} this year."
    unused: "hello"
""",
    "triggers/hello.yaml": """\
when: {enter: vip}
action: {channel: sms, template: hi, values: {spent: spend, name: customer.name, language: customer.language}}
""",
    "tintype.toml": 'name = "T"\nzone = "Asia/Shanghai"\ncurrency = "CNY"\nlanguage = "zh"\n\n'
                    '[groups]\nvalue = ["vip", "普通"]\n',
}  # fmt: skip
LONG = "李" * 60
ORDERS = "order_id,member_id,created_at,amount,status\n" + "".join(
    f"A{n},M{n},2026-03-01 09:0{n},{amount},paid\n"
    for n, amount in enumerate(["60.00", "7000.50", "9000.00", "80"])
)
MEMBERS = f"""\
member_id,phone,joined_at,name,language
M0,13800000000,2026-01-01 09:00,王,zh
M1,13800000001,2026-01-01 09:00,Ann,en
M2,13800000002,2026-01-01 09:00,{LONG},zh
M3,13800000003,2026-01-01 09:00,,zh
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_shop(tmp_path_factory.mktemp("texts") / "shop", FILES)
    for name, text in (("orders", ORDERS), ("members", MEMBERS)):
        (folder.parent / f"{name}.csv").write_text(text, encoding="utf-8")
    files = [str(folder.parent / f"{name}.csv") for name in ("orders", "members")]
    assert main(["import", str(folder), *files]) == exits.OK
    return folder


def texts(capsys: pytest.CaptureFixture[str], shop: Path, *options: str) -> dict[str, dict[str, Any]]:
    """Return what the command writes of each customer."""
    capsys.readouterr()
    assert main(["text", str(shop), "sms/hi", "--json", *options]) == exits.OK
    return {one["reference"]: one for one in json.loads(capsys.readouterr().out)["texts"]}


def test_each_customer_reads_it_in_their_language_with_what_it_costs(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = texts(capsys, shop)
    ann = found["member:M1"]
    assert ann["text"] == "Dear Ann, you spent CN¥7,000.50 this year."
    assert (ann["language"], ann["encoding"], ann["units"], ann["parts"], ann["cost"]) == (
        "en", "GSM 7-bit", 42, 1, "0.045",
    )  # fmt: skip
    long = found["member:M2"]
    assert long["text"] == f"{LONG}您好，您今年消费 ¥9,000.00。"
    assert (long["encoding"], long["units"], long["parts"], long["cost"]) == ("UCS-2", 79, 2, "0.090")


def test_whom_the_trigger_concerns_comes_first(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = list(texts(capsys, shop))
    assert set(found[:2]) == {"member:M1", "member:M2"}
    assert len(found) == 4


def test_what_is_missing_holds_it_back_and_is_said(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nameless = texts(capsys, shop, "--customer", "member:M3")
    assert list(nameless) == ["member:M3"]
    one = nameless["member:M3"]
    assert (one["text"], one["parts"], one["cost"]) == (None, None, None)
    assert one["held_back"] == "'name' is not known of this customer"


def test_a_language_may_be_asked_for(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    named = "--language", "zh", "--customer", "member:M1", "--customer", "phone:13800000000"
    assert [one["text"] for one in texts(capsys, shop, *named).values()] == [
        "Ann您好，您今年消费 ¥7,000.50。", "王您好，您今年消费 ¥60.00。",
    ]  # fmt: skip


def test_the_page_sums_up(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["text", str(shop), "sms/hi"]) == exits.OK
    told = capsys.readouterr().out
    assert "3 of 4 would be sent, as 4 messages for 0.180 CNY; " in told
    assert "1 held back: 'name' is not known of this customer" in told


def test_a_changed_text_is_looked_at_before_it_is_in_force(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (shop / "channels.yaml").read_text(encoding="utf-8")
    (shop / "channels.yaml").write_text(before.replace("您好", "早上好"), encoding="utf-8")
    try:
        assert texts(capsys, shop)["member:M0"]["text"] == "王早上好，您今年消费 ¥60.00。"
    finally:
        (shop / "channels.yaml").write_text(before, encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["sms/ho"], "channel 'sms' has no template 'ho'"), (["smss/hi"], "there is no channel 'smss'"),
        (["sms/unused"], "no trigger sends it"),
        (["sms/hi", "--customer", "member:M9"], "no customer is known"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_told(
    shop: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    capsys.readouterr()
    assert main(["text", str(shop), *arguments]) == exits.BAD_INPUT
    assert told in capsys.readouterr().err


def test_a_language_that_a_text_lacks_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_shop(tmp_path, {})
    assert main(["text", str(folder), "sms/hi", "--language", "zh"]) == exits.BAD_INPUT
    assert "sms/hi has no 'zh'" in capsys.readouterr().err


def test_check_notes_a_text_of_several_parts_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    channels = FILES["channels.yaml"].replace("您好，", "您好，" + "祝您生活愉快，" * 8)
    folder = write_shop(tmp_path, {**FILES, "channels.yaml": channels})
    assert main(["check", str(folder)]) == exits.OK
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("channels.yaml:6: note: is charged as 2 messages (79 units of UCS-2): ")
    assert told[-1].endswith("no errors")
    files = list(dict.fromkeys(one.partition(":")[0].partition("/")[0] for one in told[:-1]))
    assert files == ["channels.yaml", "triggers", "tintype.toml"]
    assert main(["check", str(folder), "--json"]) == exits.OK
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert [one["where"] for one in notes if one["where"].startswith("channels")] == ["channels.yaml:6"]


def test_a_price_that_is_none_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    channels = FILES["channels.yaml"].replace('"0.045"', '"4 fen"')
    folder = write_shop(tmp_path, {**FILES, "channels.yaml": channels})
    assert main(["check", str(folder)]) == exits.BAD_INPUT
    assert "channels.yaml:3: '4 fen' is no price" in capsys.readouterr().err
