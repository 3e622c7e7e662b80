"""Short links of messages: made with the text, followed by anybody, counted, and told to the log."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sinks.links.code import PATH, begins, code_of, meant
from streams.log.log import Log
from streams.log.rows import read_control
from tests.app.little_shop import GOOD
from tests.console.at_work import FILES as SHOP
from tests.console.at_work import AtWork, at_work, order, states, wait_for

BASE = "https://s.shop.example"
CHANNELS = """\
sms:
  providers: [{kind: file, path: sent.jsonl}]
  templates:
    hi: {text: "you spent {{ fen }}: {{ link }}", link: "https://shop.example/sale?spent={{ fen }}"}
plain:
  templates: {hi: "you spent {{ fen }}"}
"""
TOML = "history = false\n" + GOOD["tintype.toml"] + f'[links]\nbase = "{BASE}/"\n'
FILES: dict[str, str | None] = {
    "channels.yaml": CHANNELS, "tintype.toml": TOML,
    "triggers/plain.yaml": str(SHOP["triggers/hello.yaml"]).replace("channel: sms", "channel: plain"),
}  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtWork]:
    with at_work(tmp_path_factory.mktemp("links") / "little", FILES) as found:
        found.send("orders", *(order(f"A{n}", f"M{n}", "7.00") for n in range(1, 4)))
        wait_for(lambda: states(found) == ["sent"] * 6)
        yield found


def texts(shop: AtWork) -> list[str]:
    lines = (shop.opened.data / "sent.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def followed(shop: AtWork, code: str, **headers: str) -> httpx.Response:
    """Follow a link as a customer does: without a key."""
    return httpx.get(f"{shop.address}{PATH}{code}", headers=headers, follow_redirects=False)


def delivery(shop: AtWork, member: int, channel: str = "sms") -> dict[str, Any]:
    [found] = shop.get("/v1/deliveries", customer=f"member:M{member}", channel=channel)["deliveries"]
    return dict(found)


def code(shop: AtWork, member: int) -> str:
    """Return the code that went out to a member; the file has messages in the order of deciding."""
    ids = [one["id"] for one in shop.get("/v1/deliveries", channel="sms")["deliveries"]]
    return texts(shop)[ids.index(delivery(shop, member)["id"])].rpartition("/")[2]


def test_a_text_has_the_short_link_and_it_leads_where_the_template_does(shop: AtWork) -> None:
    assert all(one.startswith(f"you spent 700: {BASE}{PATH}") for one in texts(shop))
    assert len(set(texts(shop))) == 3
    answer = followed(shop, code(shop, 1))
    assert (answer.status_code, answer.headers["location"]) == (302, "https://shop.example/sale?spent=700")
    assert answer.headers["cache-control"] == "no-store"


def test_a_click_is_counted_and_proves_that_the_message_arrived(shop: AtWork) -> None:
    assert (delivery(shop, 2)["state"], delivery(shop, 2)["clicked"]) == ("sent", None)
    for _ in range(3):
        assert followed(shop, code(shop, 2)).status_code == 302
    found = delivery(shop, 2)
    assert (found["state"], found["clicked"], found["clicks"]) == ("delivered", "2026-03-01T09:30:00Z", 3)
    assert found["reason"] == "its link was followed"
    counts = shop.get("/v1/deliveries:counts", channel="sms")["counts"]
    assert {one["state"]: one["clicked"] for one in counts}["delivered"] >= 1


def test_the_log_is_told_once_of_each_delivery(shop: AtWork) -> None:
    for _ in range(2):
        followed(shop, code(shop, 1))

    def told(state: str) -> list[str]:
        with Log.open(shop.opened.data) as log:
            bodies = read_control(log, kinds=["receipt"])["body"]
        said = [json.loads(body) for body in bodies]
        return [one["decision"] for one in said if one["state"] == state]

    one = delivery(shop, 1)["id"]
    wait_for(lambda: one in told("clicked") and one in told("delivered"))
    followed(shop, code(shop, 1))
    untold = "SELECT (SELECT count(*) FROM click WHERE told = 0) + (SELECT count(*) FROM arrived)"
    wait_for(lambda: shop.opened.ledger.rows(untold) == [(0,)])
    assert [told(state).count(one) for state in ("clicked", "delivered")] == [1, 1]


def test_what_only_looks_ahead_is_no_click(shop: AtWork) -> None:
    before = delivery(shop, 3)["clicks"]
    for name in ("Sec-Purpose", "Purpose"):
        assert followed(shop, code(shop, 3), **{name: "prefetch"}).status_code == 302
    assert delivery(shop, 3)["clicks"] == before


@pytest.mark.parametrize("spoil", [
    lambda one: one[:-1], lambda one: one + "A", lambda one: one[:-1] + ("A" if one[-1] != "A" else "B"),
    lambda one: ("A" if one[0] != "A" else "B") + one[1:], lambda _: "evil.example", lambda _: "é" * 15,
])  # fmt: skip
def test_a_code_that_was_not_made_here_leads_nowhere(shop: AtWork, spoil: Any) -> None:
    answer = followed(shop, spoil(code(shop, 3)))
    assert answer.status_code == 404
    assert "location" not in answer.headers
    assert "leads nowhere" in answer.text


def test_a_message_without_a_link_has_a_code_that_leads_nowhere(shop: AtWork) -> None:
    """Somebody who knows the secret could make one; nobody else."""
    one = delivery(shop, 1, "plain")["id"]
    secret = (shop.opened.data / "links.key").read_bytes()
    assert followed(shop, code_of(secret, "Test", one)).status_code == 404


def test_an_erased_customers_link_leads_nowhere_that_names_them(tmp_path: Path) -> None:
    hello, traits = (str(SHOP[name]) for name in ("triggers/hello.yaml", "sources/traits.yaml"))
    files = FILES | {
        "channels.yaml": CHANNELS.replace("spent={{ fen }}", "spent={{ fen }}&to={{ city }}"),
        "triggers/plain.yaml": None,
        "triggers/hello.yaml": hello.replace("fen: spend", "fen: spend, city: customer.city"),
        "sources/traits.yaml": traits.replace("attribute: city", "attribute: city, personal: true"),
    }
    with at_work(tmp_path / "little", files) as found:
        call = {"type": "identify", "userId": "M1", "messageId": "1", "timestamp": "2026-03-01T08:00:00Z",
                "traits": {"city": "上海"}}  # fmt: skip
        assert found.client.post("/v1/batch", json={"batch": [call]}).status_code == 200
        found.settle()
        found.send("orders", order("A1", "M1", "7.00"))
        wait_for(lambda: states(found) == ["sent"])
        link = texts(found)[0].rpartition("/")[2]
        assert followed(found, link).headers["location"].endswith("&to=%E4%B8%8A%E6%B5%B7")
        assert found.client.post("/v1/customers/member:M1:erase").status_code == 200
        assert followed(found, link).status_code == 404


def test_a_link_that_says_a_coupon_leads_to_the_code_of_its_message(tmp_path: Path) -> None:
    link, hello = "https://shop.example/take?code={{ coupon }}", str(SHOP["triggers/hello.yaml"])
    files = FILES | {
        "channels.yaml": f"""\
sms:
  providers: [{{kind: file, path: sent.jsonl}}]
  templates: {{hi: {{text: "take {{{{ coupon }}}}: {{{{ link }}}}", link: "{link}"}}}}
""",
        "triggers/plain.yaml": None,
        "triggers/hello.yaml": hello.replace("template: hi,", "template: hi, coupon: spring,"),
    }
    with at_work(tmp_path / "little", files) as found:
        codes = {"codes": ["A1B2C3", "D4E5F6"]}
        assert found.client.post("/v1/coupons/spring/codes", json=codes).status_code == 200
        found.send("orders", *(order(f"A{n}", f"M{n}") for n in (1, 2)))
        wait_for(lambda: states(found) == ["sent"] * 2)
        said = [re.fullmatch("take (.*): .*/(.*)", one) for one in texts(found)]
        leads = {one[1]: followed(found, one[2]).headers["location"] for one in said if one}
        assert leads == {code: f"https://shop.example/take?code={code}" for code in codes["codes"]}


def test_codes_differ_by_secret_and_shop_and_fit_one_delivery() -> None:
    one, other = "9d0c1f" + "0" * 26, "9d0c1f" + "0" * 25 + "1"
    made = code_of(b"k" * 32, "a", one)
    assert begins(made) == one[:12]
    assert meant(b"k" * 32, "a", made, [other, one]) == one
    for key, shop in ((b"x" * 32, "a"), (b"k" * 32, "b")):
        assert meant(key, shop, made, [other, one]) is None
