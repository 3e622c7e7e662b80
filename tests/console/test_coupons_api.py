"""Over HTTP, at work: a message says a code, orders redeem it, and pools are counted and loaded."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.cli import main
from sinks.coupons.codes import load
from sinks.coupons.following import Following
from sinks.coupons.pool import Pool, Redeemed
from sinks.deliveries.ledger import Ledger
from streams.log.log import Log
from tests.console.at_work import NOW, AtWork, at_work, order, states, wait_for

ORDERS = """\
key: [order_id]
references:
  - {type: member, column: member_id}
event_time: {column: created_at}
columns:
  amount: {type: decimal, scale: 2, currency: CNY}
  voucher: {type: text}
"""
FILES: dict[str, str | None] = {
    "sources/orders.yaml": ORDERS,
    "triggers/hello.yaml": """\
when: {event: {source: orders}}
if: count(orders, "all") == 1
action: {channel: sms, template: hi, coupon: spring}
guards: {max_age: 365d}
""",
    "channels.yaml": """\
sms:
  templates:
    hi: 'take {{ coupon }}, worth {{ coupon_value }}, until {{ coupon_expires | date("short") }}'
  providers: [{kind: file, path: sms.jsonl}]
""",
    "coupons.yaml": """\
spring:
  title: 春天
  value: 20 off
  expires: 30d
  redeemed: {source: orders, code: voucher}
winter: {}
""",
}
CODES = [f"SPRING-{at}" for at in range(1, 4)]


def first(number: str, member: str, **more: Any) -> dict[str, Any]:
    row = order(number, member, voucher="", **more)
    return {name: value for name, value in row.items() if name not in ("phone", "status")}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtWork]:
    """Three codes for four customers; the first one's is redeemed by the second."""
    with at_work(tmp_path_factory.mktemp("coupons") / "little", FILES) as found:
        post(found, "/v1/coupons/spring/codes", codes=CODES)
        found.send("orders", *(first(f"A{at}", f"M{at}") for at in range(1, 5)))
        wait_for(lambda: sorted(states(found)) == ["held back", "sent", "sent", "sent"])
        found.send("orders", {**first("B1", "M2"), "voucher": said(found)["M1"]})
        wait_for(lambda: pool(found)["redeemed"] == 1)
        yield found


def post(shop: AtWork, path: str, **body: Any) -> dict[str, Any]:
    answer = shop.client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def pool(shop: AtWork, name: str = "spring") -> dict[str, Any]:
    return dict(shop.get(f"/v1/coupons/{name}")["pool"])


def said(shop: AtWork) -> dict[str, str]:
    """Return the code of each member's message."""
    lines = (shop.opened.data / "sms.jsonl").read_text(encoding="utf-8").splitlines()
    return {one["to"].partition(":")[2]: one["text"].split()[1].rstrip(",") for one in map(json.loads, lines)}


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_each_message_says_a_code_of_its_own_with_its_terms(shop: AtWork) -> None:
    line = (shop.opened.data / "sms.jsonl").read_text(encoding="utf-8").splitlines()[0]
    assert json.loads(line)["text"] == "take SPRING-1, worth 20 off, until 3/31/26"
    assert sorted(said(shop).values()) == CODES


def test_a_pool_is_counted_and_what_is_odd_about_it(shop: AtWork) -> None:
    found = pool(shop)
    counted = {name: found[name] for name in ("loaded", "left", "claimed", "sent", "redeemed", "expired")}
    assert counted == {"loaded": 3, "left": 0, "claimed": 3, "sent": 3, "redeemed": 1, "expired": 0}
    assert (found["odd"], found["triggers"]) == ({"by another customer": 1}, ["hello"])
    listed = shop.get("/v1/coupons")["pools"]
    assert [(one["pool"], one["left"]) for one in listed] == [("spring", 0), ("winter", 0)]
    assert CODES[0] not in json.dumps(listed)
    [held] = shop.get("/v1/deliveries", state="held back")["deliveries"]
    assert held["reason"] == "no code is left in pool 'spring'"


def test_a_code_shows_whose_it_is_to_a_key_of_scope_personal_alone(shop: AtWork) -> None:
    path = f"/v1/coupons/spring/codes/{said(shop)['M1']}"
    whole = shop.get(path)
    assert (whole["delivery"], whole["odd"], len(whole["customer"])) == ("sent", ["by another customer"], 32)
    assert whole["good_until"] == "2026-03-31T15:59:00Z"
    less = httpx.get(f"{shop.address}{path}", headers={"Authorization": f"Bearer {shop.keys['read']}"}).json()
    assert (less["customer"], less["decision"], less["redeemed"]) == (None, None, whole["redeemed"])


def test_a_code_is_redeemed_over_http_once_an_order(shop: AtWork) -> None:
    path = f"/v1/coupons/spring/codes/{said(shop)['M3']}:redeem"
    mine = {"order": "o1", "customer": "member:M3", "at": NOW.isoformat()}
    assert [post(shop, path, **mine)["odd"], post(shop, path, **mine)["odd"]] == ["", ""]
    assert post(shop, path, order="o2")["odd"] == "again"
    assert pool(shop)["redeemed"] == 2


def test_the_metric_tells_what_is_left(shop: AtWork) -> None:
    text = shop.client.get("/metrics").text
    assert 'tintype_coupons_left{pool="spring"} 0.0' in text


def test_what_cannot_be_is_refused_and_no_code_is_named(shop: AtWork) -> None:
    client = shop.client
    unknown = client.get("/v1/coupons/sprong")
    assert (code_of(unknown), unknown.json()["hint"]) == ((404, "unknown-coupon"), "did you mean 'spring'?")
    for answer in (
        client.get("/v1/coupons/spring/codes/SPRING-9"),
        client.post("/v1/coupons/spring/codes/SPRING-9:redeem", json={}),
        client.post("/v1/coupons/sprong/codes", json={"codes": ["A"]}),
    ):
        assert code_of(answer) == (404, "unknown-coupon")
        assert "SPRING-9" not in answer.text
    bad = client.post("/v1/coupons/winter/codes", json={"codes": ["GOOD", "BAD CODE"]})
    assert (code_of(bad), bad.json()["errors"][0]["where"]) == ((422, "invalid-request"), "body.codes.1")
    assert "BAD CODE" not in bad.text
    assert pool(shop, "winter")["loaded"] == 0
    read = {"Authorization": f"Bearer {shop.keys['read']}"}
    denied = httpx.post(f"{shop.address}/v1/coupons/winter/codes", json={"codes": ["A"]}, headers=read)
    assert code_of(denied) == (403, "scope-missing")


def test_who_was_held_back_for_want_of_a_code_is_sent_one_by_hand_later(shop: AtWork) -> None:
    [held] = shop.get("/v1/deliveries", state="held back")["deliveries"]
    assert post(shop, "/v1/coupons/spring/codes", codes=["SPRING-4"])["loaded"] == 1
    post(shop, f"/v1/deliveries/{held['id']}:resend", reason="there are codes again")
    wait_for(lambda: shop.get(f"/v1/deliveries/{held['id']}")["delivery"]["state"] == "sent")
    assert pool(shop)["left"] == 0
    assert len(set(said(shop).values())) == 4


def test_an_export_has_the_codes_and_an_erasure_takes_the_person_off_them(shop: AtWork) -> None:
    code = said(shop)["M2"]
    export = shop.client.post("/v1/customers/member:M2:export").json()["export"]
    assert [one["code"] for one in export["coupons"]] == [code]
    assert shop.client.post("/v1/customers/member:M2:erase").status_code == 200
    found = shop.get(f"/v1/coupons/spring/codes/{code}")
    assert (found["customer"], found["decision"], found["claimed"] is not None) == (None, None, True)
    assert shop.opened.ledger.rows("SELECT count(*) FROM redemption WHERE customer IS NOT NULL") == [(1,)]


def test_rows_of_the_log_are_followed_once_each_also_from_its_beginning(shop: AtWork, tmp_path: Path) -> None:
    """Rows that tell of a code again, as an order that is changed does, are no second redemption."""
    codes = {"C1": "OTHER-1", "C2": "OTHER-2"}
    shop.send("orders", *({**first(name, "M9"), "voucher": code} for name, code in codes.items()))
    shop.send("orders", {**first("C1", "M9", amount="8.00"), "voucher": "OTHER-1"})
    pools, told = {"autumn": Pool(redeemed=Redeemed(source="orders", code="voucher"))}, list[str]()
    with contextlib.closing(Ledger(tmp_path)) as ledger, Log.open(shop.opened.data) as log:
        load(ledger, "autumn", ["OTHER-1", "OTHER-3"], 0.0)
        following = Following(log, ledger, pools, told.append)
        while following.step():
            pass
        [once] = ledger.rows("SELECT mark, at, odd FROM redemption")
        assert (once[1], once[2]) == (dt.datetime(2026, 3, 1, 8, tzinfo=dt.UTC).timestamp(), "never claimed")
        assert told == [f"coupons: pool 'autumn': 1 redeemed {once[2]} (tintype coupons SHOP show autumn)"]
        assert Following(log, ledger, pools, told.append).step() == 0
        ledger.connection.execute("DELETE FROM drained")
        assert Following(log, ledger, pools, told.append).step() > 0
        assert ledger.rows("SELECT mark, at, odd FROM redemption") == [once]
        assert len(told) == 1


@pytest.fixture
def folder(shop: AtWork) -> Path:
    return shop.opened.folder


def test_the_command_does_the_same_beside_the_shop(
    shop: AtWork, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def asked(*arguments: str) -> Any:
        capsys.readouterr()
        assert main(["coupons", str(folder), *arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    file = tmp_path / "codes.txt"
    file.write_text("W1\nW2\nW2\n")
    assert asked("import", "winter", str(file)) == {"loaded": 2, "known": 0}
    assert asked("import", "winter", str(file)) == {"loaded": 0, "known": 2}
    assert {one["pool"]: one["left"] for one in asked()["pools"]} == {"spring": 0, "winter": 2}
    table = tmp_path / "redeemed.csv"
    table.write_text("code,customer\nW1,member:M1\nnone,\n")
    assert asked("redeem", "winter", str(table)) == {"redeemed": 1, "odd": {"never claimed": 1, "unknown": 1}}
    shown = asked("show", "winter")
    assert (shown["pool"]["odd"], shown["triggers"], len(shown["odd"])) == ({"never claimed": 1}, [], 1)
    assert asked("code", "W1")["codes"][0]["redeemed"] is not None
    capsys.readouterr()
    for arguments in ([], ["show", "winter"], ["code", "W2"]):
        assert main(["coupons", str(folder), *arguments]) == 0
    assert "no trigger says a code of it" in " ".join(capsys.readouterr().out.split())


def test_a_pool_that_nothing_uses_is_a_note_and_no_error(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    note = "no trigger says a code of pool 'winter'"
    assert (found["notes"][0]["where"], found["notes"][0]["note"]) == ("coupons.yaml:6", note)
    assert found["errors"] == []
    assert found["declared"]["pools of coupons"] == 2
    assert main(["check", str(folder)]) == 0
    assert f"coupons.yaml:6: note: {note}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["show"], "show needs more: write: tintype coupons SHOP show POOL"),
        (["show", "sprong"], "did you mean 'spring'?"),
        (["import", "spring"], "import needs more"),
        (["import", "spring", "none.csv"], "there is no such file"),
        (["import", "spring", "bad.txt"], "bad.txt:2: the code holds a blank"),
        (["code", "NONE-1234"], "no pool has this code"),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_to_do(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    arguments: list[str], problem: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.txt").write_text("A1\nA 2\n")
    assert main(["coupons", str(folder), *arguments]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert problem in told
    assert "NONE-1234" not in told
