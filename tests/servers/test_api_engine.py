"""What only engines know, over the API of a cluster: overviews and reasons, as the embedded form has them."""

from __future__ import annotations

import datetime as dt
import json
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException

from app.clickhouse_address import ADDRESS, PASSWORD
from app.load import load_shop
from deploy.servers.places import HOST, ROOT, Place
from tests.called import id_of
from tests.console.at_work import FILES, AtWork, at_work
from tests.console.recommending_shop import FILES as TEAS
from tests.console.recommending_shop import agreed, line
from tests.servers.api_of_cluster import LINKS, MEMBERS, ApiOfCluster, ago, api_of_cluster, member, order

TEXTS: dict[str, str | None] = {
    "channels.yaml": """\
sms:
  address: phone
  templates:
    hi:
      text: "{{ name }}: {{ fen }} in {{ lately }} orders {{ link }}"
      link: "https://shop.example/{{ fen }}"
    note: "{{ fen }}"
""",
    "triggers/hello.yaml": """\
when: {event: {source: orders}}
action:
  channel: sms
  template: hi
  values: {fen: spend, lately: 'count(orders, "90d")', name: customer.name}
guards: {max_age: 365d}
""",
    "triggers/spring.yaml": """\
when: {schedule: {at: "20:00", on: [2099-12-31]}}
if: spend >= 1000000
action: {channel: sms, template: note, values: {fen: spend}}
""",
    "triggers/wary.yaml": """\
status: shadow
when: {schedule: {at: "20:00", on: [2099-12-31]}}
if: spend >= 500000
guards: {consent: sms/marketing}
action: {channel: sms, template: note, values: {fen: spend}}
""",
}
pytestmark = pytest.mark.parametrize("store", ["valkey"], indirect=True, scope="session")


SLOTS_OF_TEAS = {name: TEAS[name] for name in ("recommendations.yaml", "items.csv")}
SHOP_OF_TEAS = {name: text for name, text in TEAS.items() if "/" in name}
ROWS = [
    order(f"A{number}", f"M{number % 17}", f"{number * 373 % 6000}.00", created_at=ago(9 + number * 7 % 90))
    for number in range(60)
]


@pytest.fixture(scope="module")
def shop(
    kafka: Place, store: Place, clickhouse: Place, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApiOfCluster]:
    changes = {**TEXTS, **SHOP_OF_TEAS, **SLOTS_OF_TEAS}
    with api_of_cluster(
        kafka, store, tmp_path_factory.mktemp("cluster"), changes, clickhouse=clickhouse
    ) as made:
        made.post("orders", *ROWS)
        made.wait(lambda: all(made.metrics(f"member:M{number}") for number in range(17)), "all are known")
        yield made


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtWork]:
    toml = f"{FILES['tintype.toml']}\n{LINKS}"
    files = {**TEXTS, **SHOP_OF_TEAS, "sources/members.yaml": MEMBERS, "tintype.toml": toml}
    with at_work(tmp_path_factory.mktemp("embedded"), files) as made:
        yield made


def minute(told: str) -> int:
    return int(dt.datetime.fromisoformat(told).timestamp()) // 60


def overviews(shop: Any) -> dict[str, Any]:
    """Return what /v1/rfm and /v1/tags say, but for when cut points were taken and how far records are."""
    found = {"rfm": shop.get("/v1/rfm"), "tags": shop.get("/v1/tags")}
    for one in found.values():
        del one["position"], one["lag_ms"]
    for model in found["rfm"]["models"]:
        if model["cut_points"] is not None:
            del model["cut_points"]["minute"]
    return found


def differ(mine: Any, theirs: Any, where: str = "") -> Iterator[str]:
    """Yield where two documents differ."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        for name in {**mine, **theirs}:
            yield from differ(mine.get(name), theirs.get(name), f"{where}.{name}")
    elif isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
        for at, (one, other) in enumerate(zip(mine, theirs, strict=True)):
            yield from differ(one, other, f"{where}[{at}]")
    elif mine != theirs:
        yield f"{where}: {mine} {theirs}"


def test_rfm_and_tags_are_those_of_the_embedded_form(shop: ApiOfCluster, embedded: AtWork) -> None:
    """Summed over three partitions: the grid, segments, cut points and sizes that one engine has."""
    embedded.clock[0] = time.time() // 60 * 60
    embedded.send("orders", *ROWS)
    seen: dict[str, Any] = {}

    def same() -> bool:
        try:
            mine = overviews(shop)
        except AssertionError as error:  # not every partition has an overview yet
            seen.update(cluster=str(error))
            return False
        at = max(minute(mine["rfm"]["as_of"]), int(embedded.clock[0] // 60))
        embedded.clock[0] = at * 60 + 30.0
        embedded.settle()
        theirs = overviews(embedded)
        seen.update(cluster=mine, embedded=theirs)
        return mine == theirs and mine["rfm"]["models"][0]["cut_points"] is not None

    deadline = time.monotonic() + 240
    while not same():
        assert time.monotonic() < deadline, list(differ(seen.get("cluster"), seen.get("embedded")))
        time.sleep(1)
    [model] = seen["cluster"]["rfm"]["models"]
    assert model["customers"] == 17
    assert model["cut_points"] is not None
    assert len({(one["r"], one["f"]) for one in model["grid"] if one["customers"]}) > 3
    sizes = {one["name"]: one["size"] for one in seen["cluster"]["tags"]["tags"]}
    assert sizes["vip"] > 1
    assert sizes["vip"] + sizes["普通"] <= 17


def test_an_overview_says_how_old_it_is(shop: ApiOfCluster) -> None:
    shop.wait(lambda: shop.client.get("/v1/tags").status_code == 200, "every partition has an overview")
    found = shop.get("/v1/tags")
    assert len(found["position"]) == 3
    heads = [head.step for head in shop.cluster.heads()]
    assert all(step <= head for step, head in zip(found["position"], heads, strict=True))
    assert found["lag_ms"] < 150_000


def test_reasons_are_given_by_the_partitions_owner(shop: ApiOfCluster, embedded: AtWork) -> None:
    row = order("W1", "W1", "7000.00", phone="13700000001")
    shop.post("orders", row, order("W2", "W1", "3.00"))
    embedded.clock[0] = max(embedded.clock[0], time.time())
    embedded.send("orders", row, order("W2", "W1", "3.00", created_at=ago(5)))
    shop.wait(lambda: shop.metrics("member:W1").get("orders_30d") == 2, "both orders are there")
    found = shop.get("/v1/profiles/phone:13700000001", why=1)
    why = found["profile"]["tags"]["vip"]["why"]
    assert why["values"] == {'sum(orders.amount, "365d")': 700300}
    assert sorted(one["amount"] for one in why["rows"]) == [300, 700000]
    theirs = embedded.get("/v1/profiles/member:W1", why=1)["profile"]["tags"]["vip"]["why"]
    assert {**why, "windows": 0, "rows": 0} == {**theirs, "windows": 0, "rows": 0}
    for held in found["profile"]["tags"].values():
        del held["why"]
    stored = shop.get(f"/v1/profiles/{id_of('member:W1')}")
    assert {**found["profile"], "rfm": 0} == {**stored["profile"], "rfm": 0}
    assert len(found["position"]) == 3
    assert shop.client.get("/v1/profiles/" + "f" * 32, params={"why": 1}).status_code == 404


def test_while_no_owner_answers_reasons_are_not_given_and_overviews_are(shop: ApiOfCluster) -> None:
    shop.wait(lambda: shop.client.get("/v1/tags").status_code == 200, "every partition has an overview")
    path = f"/v1/profiles/{id_of('member:M1')}"
    shop.cluster.workers["a"].pause()
    try:
        answer = shop.client.get(path, params={"why": 1})
        assert (answer.status_code, answer.json()["code"]) == (503, "busy")
        assert answer.headers["retry-after"] == "1"
        assert shop.client.get(path).status_code == 200
        assert shop.client.get("/v1/tags").status_code == 200
    finally:
        shop.cluster.workers["a"].go_on()
    shop.wait(lambda: shop.client.get(path, params={"why": 1}).status_code == 200, "it answers again")


def test_new_settings_hold_in_overviews_once_every_partition_has_them(shop: ApiOfCluster) -> None:
    """Until then none is given: it would count under two sets of rules."""
    folder = shop.cluster.folder / "shop"
    file = folder / "tags" / "vip.yaml"
    before = file.read_text("utf-8")
    assert load_shop(folder).tags["vip"].rule == "spend >= 500000"
    file.write_text("title: 贵宾\nowner: crm\ngroup: value\nrule: spend >= 1\n", "utf-8")
    shop.cluster.command("apply", str(folder))

    def rule() -> Any:
        answer = shop.client.get("/v1/tags")
        if answer.status_code != 200:
            assert (answer.status_code, answer.json()["code"]) == (503, "not-ready")
            return None
        return next(one for one in answer.json()["tags"] if one["name"] == "vip")

    shop.wait(lambda: (rule() or {}).get("rule") == "spend >= 1", "they hold")
    shop.wait(lambda: (rule() or {}).get("size", 0) >= 17, "who has bought anything is in it")
    file.write_text(before, "utf-8")
    shop.cluster.command("apply", str(folder))
    shop.wait(lambda: (rule() or {}).get("rule") == "spend >= 500000", "those of before hold again")


def texts(shop: Any, **asked: Any) -> Any:
    """Return status and texts, or what is wrong; ids are each form's own."""
    wanted = {"channel": "sms", "template": "hi", **asked}
    answer = shop.client.post("/v1/texts:preview", json=wanted)
    found = answer.json()
    if answer.status_code != 200:
        return answer.status_code, found["code"], found["detail"]
    return 200, [{name: one[name] for name in one if name != "customer"} for one in found["texts"]]


def test_texts_read_as_in_the_embedded_form(shop: ApiOfCluster, embedded: AtWork) -> None:
    """Of metrics that nobody declared and names that are sealed; of those who are named, and of some."""
    rows = [order(f"T{number}", f"T{number % 3}", f"{number}.00", created_at=ago(9)) for number in range(7)]
    people = [member(f"T{number}", f"1390000000{number}", f"王{number}") for number in range(2)]
    embedded.clock[0] = max(embedded.clock[0], time.time())
    for source, sent in (("members", people), ("orders", [*ROWS, *rows])):
        shop.post(source, *sent)
        embedded.send(source, *sent)
    everybody = [f"member:T{number}" for number in (2, 1, 0)] + [f"member:M{number}" for number in range(17)]
    read: dict[str, Any] = {}

    def same() -> bool:
        read["mine"], read["theirs"] = (texts(one, customers=everybody) for one in (shop, embedded))
        return bool(read["mine"] == read["theirs"])

    shop.wait(same, "they are the same")
    _, found = read["mine"]
    assert [one["reference"] for one in found] == everybody
    assert found[1]["text"].startswith("王1: 500 in 2 orders https://s.shop.example/s/")
    assert found[0]["held_back"] == "the customer has no phone, or is erased"
    for asked in (
        {"customers": everybody[:3], "words": "{{ fen | money }}, {{ name }}"},
        {"customers": ["phone:13900000000"], "words": {"zh": "你好", "en": "hi"}, "language": "en"},
        {"customers": ["member:T1"], "words": "{{ fen | monny }}"}, {"template": "ho"}, {"language": "zh"},
        {"customers": ["member:T99"]},
    ):  # fmt: skip
        assert texts(shop, **asked) == texts(embedded, **asked)
    status, some = texts(shop)
    assert (status, len(some)) == (200, 20)
    assert sum(one["text"] is not None for one in some) <= 2


def reach(shop: Any, name: str) -> dict[str, Any] | str:
    answer = shop.client.post(f"/v1/broadcasts/{name}:count")
    if answer.status_code != 200:
        return str(answer.json()["code"])
    found = answer.json()["reach"]
    return {one: found[one] for one in ("audience", "act", "held", "refused")}


def test_whom_a_broadcast_would_reach_is_counted_by_all_owners(
    shop: ApiOfCluster, embedded: AtWork
) -> None:
    """As the embedded form counts it, over the API and by the command."""
    embedded.clock[0] = max(embedded.clock[0], time.time())
    embedded.send("orders", *ROWS)
    for name in ("spring", "wary"):
        theirs = reach(embedded, name)
        assert isinstance(theirs, dict)
        assert 2 < theirs["audience"] < 17
        assert theirs["act" if name == "spring" else "refused"]
        shop.wait(lambda: reach(shop, name) == theirs, "they are the same")  # noqa: B023 - called at once
        folder = str(shop.cluster.folder / "shop")
        told = json.loads(shop.cluster.command("broadcast", folder, "count", name, "--cluster", "--json"))
        assert told["audience"] == theirs["audience"]
        assert told["outcomes"].get("act", 0) == theirs["act"]
        assert told["guards"] == theirs["refused"]
    assert len(shop.client.post("/v1/broadcasts/spring:count").json()["position"]) == 3
    [one, _] = json.loads(shop.cluster.command("broadcast", folder, "--cluster", "--json"))["broadcasts"]
    assert (one["name"], one["stands"], one["deliveries"]) == ("spring", "on", {})
    off = {"what": "trigger/spring", "off": False, "paused": True, "reason": "the price"}
    assert shop.client.post("/v1/switches", json=off).status_code == 200
    shop.wait(
        lambda: json.loads(
            shop.cluster.command("broadcast", folder, "show", "spring", "--cluster", "--json")
        )["stands"] == "paused", "the ledger has it",
    )  # fmt: skip
    shop.cluster.workers["a"].pause()
    try:
        assert reach(shop, "spring") == "busy"
    finally:
        shop.cluster.workers["a"].go_on()
    shop.wait(lambda: isinstance(reach(shop, "spring"), dict), "it counts again")


def slot(shop: ApiOfCluster, member: str, name: str, **query: Any) -> dict[str, Any]:
    return shop.get(f"/v1/profiles/member:{member}/recommendations/{name}", **query)


def skus(body: dict[str, Any]) -> list[str]:
    return [one["id"] for one in body["items"]]


def test_recommendations_are_trained_from_history_and_served_with_reasons(shop: ApiOfCluster) -> None:
    """Rows go through Kafka into ClickHouse; a process of its own trains from there, and goes on; the API
    answers what the embedded form answers of the same rows (tests/console/test_recommendations.py)."""
    early = shop.client.get("/v1/profiles/member:M1/recommendations/home")
    assert (early.status_code, early.json()["code"]) == (503, "not-ready")
    cluster = shop.cluster
    bought = [(f"R{n}", sku) for n in range(1, 5) for sku in ("T1", "T2")]
    bought += [("R5", "T3"), ("R5", "C1"), ("R6", "T1"), ("R7", "T4")]
    shop.post("lines", *[line(n, *one, ago(90)) for n, one in enumerate(bought)])
    shop.post("agreed", {**agreed("R6"), "at": ago(90)})
    command = [str(ROOT / "tintype"), "recommendations", str(cluster.folder / "shop"), "--cluster"]
    wanted = {"changes_lines": len(bought), "controls WHERE kind = 'consent'": 1}
    shop.wait(lambda: all(copied(shop, one) >= rows for one, rows in wanted.items()), "history has them")
    said = (cluster.folder / "trainer.log").open("wb")
    trainer = subprocess.Popen([*command, "--keep"], env=cluster.environment, stdout=said, stderr=said)
    try:
        shop.wait(
            lambda: shop.client.get("/v1/profiles/member:R6/recommendations/home").status_code == 200,
            "it is trained",
        )
        found = slot(shop, "R6", "home")
        first, *others = found["items"]
        assert (found["personalised"], found["title"]["zh"]) == (True, "猜你喜欢")
        assert (first["id"], first["price"], first["strategy"]) == ("T2", "99.00", "similar")
        assert (first["because"]["item"], first["because"]["text"]["zh"]) == ("T1", "因为您买过龙井")
        assert [one["strategy"] for one in others] == ["popular"] * 2
        assert slot(shop, "R1", "home")["personalised"] is False
        assert skus(slot(shop, "R6", "home", personalised=False)) == skus(slot(shop, "R1", "home"))
        assert skus(slot(shop, "R7", "mail"))[0] == "T1"
        shop.post("lines", line(90, "R7", "T1", ago(1)))
        shop.wait(lambda: "T1" not in skus(slot(shop, "R7", "mail")), "what was bought just now is left out")
        assert shop.client.post("/v1/customers/member:R6:erase").status_code == 200
        assert shop.client.get("/v1/profiles/member:R6/recommendations/home").status_code == 404
        told = json.loads(cluster.command(*command[1:], "--json"))
        assert (told["items"], told["rows"]) == (5, len(bought))
    finally:
        trainer.terminate()
        assert trainer.wait(30) in (0, -signal.SIGTERM), (cluster.folder / "trainer.log").read_text()
        said.close()


def copied(shop: ApiOfCluster, table: str) -> int:
    """Return how many rows a table of history has; 0 before it is there."""
    address = shop.cluster.environment[ADDRESS].rpartition(":")[2]
    client = Client(
        HOST, int(address), f"tintype_{shop.cluster.name}", password=shop.cluster.environment[PASSWORD]
    )
    try:
        return int(client.execute(f"SELECT count() FROM {table}")[0][0])
    except ServerException:
        return 0
    finally:
        client.disconnect()
