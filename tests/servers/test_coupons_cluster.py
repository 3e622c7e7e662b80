"""Coupons in a cluster: whoever sends and is killed, each code is one decision's, and redeemed once."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.texts_read import CODE
from deploy.servers.places import Place
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.logged import LedgerCopy
from streams.changes.reading import fetches
from streams.changes.topics import Topics
from tests.called import id_of
from tests.console.test_coupons_api import ORDERS
from tests.servers.api_of_cluster import ApiOfCluster, ago, api_of_cluster
from tests.servers.commands import Command, commands_on
from tests.servers.delivery_room import EVENT, HOOK, Door

pytestmark = pytest.mark.parametrize("store", ["valkey"], indirect=True, scope="session")

POOLS = """\
spring:
  value: 20 off
  expires: 30d
  warn_below: 20
  redeemed: {source: orders, code: voucher}
winter: {}
"""
CODES = [f"SPRING-{at}" for at in range(10, 42)]


class Shop:
    """A cluster whose messages go to a door."""

    def __init__(self, api: ApiOfCluster, door: Door) -> None:
        self.api, self.door = api, door

    def order(self, *rows: tuple[str, str]) -> None:
        """Post orders of members, each with a voucher or "". An order that comes again is changed."""
        self.api.post("orders", *[
            {"order_id": f"{member}-{voucher}", "member_id": member, "created_at": ago(5), "amount": "1.00",
             "voucher": voucher} for member, voucher in rows
        ])  # fmt: skip

    def first_orders(self, members: Sequence[str]) -> None:
        self.order(*((one, "") for one in members))

    def said(self) -> dict[str, set[str]]:
        """Return the codes that each customer's messages said."""
        found: dict[str, set[str]] = defaultdict(set)
        for taken in list(self.door.requests):
            data = json.loads(taken.body)["data"]
            found[data["customer"]].add(data["text"].split()[1])
        return found

    def pool(self, name: str = "spring") -> dict[str, Any]:
        return dict(self.api.get(f"/v1/coupons/{name}")["pool"])

    def until(self, what: str, **counted: int) -> None:
        def is_so() -> bool:
            found = self.pool()
            return {name: found[name] for name in counted} == counted

        self.api.wait(is_so, what)

    def code(self, code: str) -> dict[str, Any]:
        return self.api.get(f"/v1/coupons/spring/codes/{code}")


@pytest.fixture(scope="module")
def shop(kafka: Place, store: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    door = Door()
    channel = (
        "sms:\n  templates:\n    hi: 'take {{ coupon }} worth {{ coupon_value }}'\n  providers:\n"
        f"    - {{kind: webhook, url: 'http://127.0.0.1:{door.port}/h', secrets_env: [HOOK], "
        "allow: [127.0.0.1], plain_http: true, timeout: 60s}\n"
    )
    changes: dict[str, str | None] = {
        "sources/orders.yaml": ORDERS, "coupons.yaml": POOLS, "channels.yaml": channel,
        "triggers/hello.yaml": (
            f'{EVENT}if: count(orders, "all") == 1\naction: {{channel: sms, template: hi, coupon: spring}}\n'
            "purpose: transactional\n"
        ),
    }  # fmt: skip
    try:
        with api_of_cluster(kafka, store, tmp_path_factory.mktemp("coupons"), changes, HOOK) as api:
            api.wait(lambda: api.client.get("/v1/providers").status_code == 200, "somebody sends")
            yield Shop(api, door)
    finally:
        door.open.set()
        door.go_away()


@pytest.fixture
def command(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:  # fmt: skip
    return commands_on(shop.api.cluster, monkeypatch, capsys)


def test_codes_are_loaded_over_http_and_from_a_file(shop: Shop, command: Command, tmp_path: Path) -> None:
    client = shop.api.client
    for loaded, known in ((len(CODES), 1), (0, len(CODES) + 1)):
        answer = client.post("/v1/coupons/spring/codes", json={"codes": [*CODES, CODES[0]]})
        assert (answer.status_code, answer.json()["loaded"], answer.json()["known"]) == (200, loaded, known)
    file = tmp_path / "codes.txt"
    file.write_text("\n".join(f"W{at}" for at in range(1200)))
    assert command("coupons", "import", "winter", str(file)) == (0, {"loaded": 1200, "known": 0})
    file.write_text("W1\nnone\n")
    odd = {"never claimed": 1, "unknown": 1}
    assert command("coupons", "redeem", "winter", str(file)) == (0, {"redeemed": 1, "odd": odd})
    listed = shop.api.get("/v1/coupons")["pools"]
    assert {one["pool"]: one["left"] for one in listed} == {"spring": 32, "winter": 1199}
    text = client.get("/metrics").text
    assert 'tintype_coupons_left{pool="winter"} 1199.0' in text


def test_a_sender_that_is_killed_amid_loses_and_doubles_nothing(shop: Shop) -> None:
    """It had claimed codes, and rows that redeem others were on their way; so had they for its successor."""
    first, second = [f"M{at}" for at in range(8)], [f"N{at}" for at in range(8)]
    shop.first_orders(first)
    shop.until("all have one", sent=8)
    codes = {member: next(iter(shop.said()[id_of(f"member:{member}")])) for member in first}
    shop.api.cluster.start("b")
    shop.door.open.clear()
    shop.first_orders(second)
    shop.api.wait(lambda: len(shop.said()) > 8, "some are on their way")
    shop.order(*((member, codes[member]) for member in first[:4]))
    shop.api.cluster.workers["a"].kill()
    shop.order(*((member, codes[member]) for member in first[2:6]))  # two of them are changed
    shop.order(("N0", codes["M6"]))
    shop.door.open.set()
    shop.until("another goes on", sent=16, claimed=16, redeemed=7)
    said = shop.said()
    assert {len(found) for found in said.values()} == {1}
    assert len({code for found in said.values() for code in found}) == 16
    assert shop.pool()["odd"] == {"by another customer": 1}
    logs = "".join(one.log.read_text("utf-8") for one in shop.api.cluster.workers.values())
    assert "redeemed by another customer (tintype coupons SHOP show spring --cluster)" in logs
    assert "codes left; load more: tintype coupons SHOP import spring FILE --cluster" in logs
    for member in first[:6]:
        found = shop.code(codes[member])
        assert (found["customer"], found["odd"], found["delivery"]) == (id_of(f"member:{member}"), [], "sent")


def test_a_code_is_redeemed_over_http_once_an_order(shop: Shop) -> None:
    [code] = shop.said()[id_of("member:N1")]
    path, client = f"/v1/coupons/spring/codes/{code}:redeem", shop.api.client
    mine = {"order": "o1", "customer": "member:N1"}
    odd = [client.post(path, json=body).json()["odd"] for body in (mine, mine, {"order": "o2"})]
    assert odd == ["", "", "again"]
    assert shop.pool()["redeemed"] == 8
    only_read = {"Authorization": f"Bearer {shop.api.keys['read']}"}
    for method, place, body in (("POST", path, mine), ("POST", "/v1/coupons/spring/codes", {"codes": ["A"]})):
        url = f"{shop.api.address}{place}"
        assert httpx.request(method, url, json=body, headers=only_read).status_code == 403
    less = httpx.get(f"{shop.api.address}/v1/coupons/spring/codes/{code}", headers=only_read).json()
    assert (less["customer"], less["decision"], less["claimed"] is None) == (None, None, False)
    assert client.get("/v1/coupons/spring/codes/NONE").status_code == 404


def test_an_export_has_the_codes_and_an_erasure_takes_the_person_off_them(shop: Shop) -> None:
    [code] = shop.said()[id_of("member:N1")]
    export = shop.api.client.post("/v1/customers/member:N1:export").json()["export"]
    assert [one["code"] for one in export["coupons"]] == [code]
    asked = {"channel": "sms", "template": "hi", "customers": ["member:N1"]}
    [preview] = shop.api.client.post("/v1/texts:preview", json=asked).json()["texts"]
    assert code not in str(preview), "the code that it will be is nobody's yet"
    assert f"take {CODE} worth 20 off" in str(preview)
    assert shop.api.client.post("/v1/customers/member:N1:erase").status_code == 200
    shop.api.wait(lambda: shop.code(code)["customer"] is None, "it is nobody's")
    found = shop.code(code)
    assert (found["decision"], found["claimed"] is None, found["redeemed"] is None) == (None, False, False)
    assert shop.pool()["claimed"] == 16


def test_the_same_stands_in_a_copy(shop: Shop, tmp_path: Path) -> None:
    cluster = shop.api.cluster
    cluster.stop()
    sender, rebuilt = Ledger(cluster.folder / "b" / "sender", write=False), LedgerCopy(tmp_path)
    for _, records in fetches(cluster.kafka.address, Topics(cluster.name).ledger, {0: 0}):
        rebuilt.follow([(record.offset, record.value) for record in records])
    assert list(rebuilt.connection.iterdump()) == list(sender.connection.iterdump())
    sender.close()
    rebuilt.close()
