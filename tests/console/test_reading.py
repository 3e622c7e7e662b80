"""What the API tells of customers, RFM, tags and decisions."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from tests.console.at_work import NOW, AtWork, order

AS_OF = "2026-03-01T09:30:00Z"


def test_a_customer_is_found_by_any_reference_and_by_the_id(shop: AtWork) -> None:
    first = shop.get("/v1/profiles/member:M1")
    identity = first["profile"]["id"]
    assert shop.get(f"/v1/profiles/{quote('phone:13800000001')}") == first
    assert shop.get(f"/v1/profiles/{identity}") == first
    assert first["profile"]["references"] == ["member:M1", "phone:13800000001"]


def test_a_reference_may_hold_any_sign(shop: AtWork) -> None:
    found = shop.get(f"/v1/profiles/{quote('member:会员/三 号', safe='')}")
    assert found["profile"]["metrics"]["spend"] == 3000


def test_a_profile_is_the_stores_document_with_times_and_units(shop: AtWork) -> None:
    found = shop.get("/v1/profiles/member:M1")["profile"]
    assert found["metrics"] == {
        "spend": 600000, "orders_30d": 1, "basket": {"sum": 600000, "count": 1}, "clicks_1d": 0, "late": 0,
    }  # fmt: skip
    assert found["units"] == {name: {"scale": 2, "currency": "CNY"} for name in ("spend", "basket")}
    assert found["tags"] == {"vip": {"since": AS_OF, "until": None, "manual": False}}
    assert found["rfm"]["rfm"] | {"recency": 0} == {
        "recency": 0, "recency_unit": "minute", "last_order": "2026-03-01T08:00:00Z", "frequency": 1,
        "monetary": 600000, "r": None, "f": None, "m": None, "score": None, "segment": None,
    }  # fmt: skip


def test_fields_choose_what_is_told(shop: AtWork) -> None:
    found = shop.get("/v1/profiles/member:M1", fields="tags,references")["profile"]
    assert set(found) == {"id", "tags", "references"}


def test_why_names_rule_window_and_rows(shop: AtWork) -> None:
    why = shop.get("/v1/profiles/member:M1", why=1)["profile"]["tags"]["vip"]["why"]
    text = 'sum(orders.amount, "365d")'
    assert why["rule"] == "spend >= 500000"
    assert why["values"] == {text: 600000}
    assert why["windows"] == {text: {"from": "2025-03-01T09:31:00Z", "to": "2026-03-01T09:31:00Z"}}
    assert why["rows"] == [{"source": "orders", "minute": "2026-03-01T08:00:00Z", "amount": 600000}]


def test_why_and_the_store_tell_the_same(shop: AtWork) -> None:
    asked = shop.get("/v1/profiles/member:M1", why=1)
    for held in asked["profile"]["tags"].values():
        del held["why"]
    assert asked == shop.get("/v1/profiles/member:M1")


def test_every_answer_says_how_old_it_is(shop: AtWork) -> None:
    heads = [shop.opened.store.head(0).step]
    for path in ("/v1/profiles/member:M1", "/v1/rfm", "/v1/tags", "/v1/decisions"):
        found = shop.get(path)
        assert (found["as_of"], found["position"], found["lag_ms"]) == (AS_OF, heads, 0), path


def test_many_customers_come_in_the_order_asked_for(shop: AtWork) -> None:
    asked = {
        "customers": ["member:M2", "member:nobody", "phone:13800000001", "f" * 32],
        "fields": ["metrics"],
    }
    found = shop.client.post("/v1/profiles:batch", json=asked).json()
    assert [one and one["metrics"]["spend"] for one in found["profiles"]] == [700, None, 600000, None]
    assert found["unknown"] == ["member:nobody", "f" * 32]


def test_tags_are_told_with_their_size(shop: AtWork) -> None:
    found = {one["name"]: one for one in shop.get("/v1/tags")["tags"]}
    assert {name: one["size"] for name, one in found.items()} == {"vip": 1, "普通": 2}
    vip = found["vip"]
    assert (vip["title"], vip["owner"], vip["rule"], vip["group"]) == (
        "贵宾",
        "crm",
        "spend >= 500000",
        "value",
    )


def test_recency_moves_with_the_clock_though_nothing_is_written(fresh: AtWork) -> None:
    fresh.send("orders", order("A1", "M1"))
    before = fresh.get("/v1/profiles/member:M1")
    fresh.clock[0] += 7 * 60
    fresh.settle()
    after = fresh.get("/v1/profiles/member:M1")
    assert after["profile"]["rfm"]["rfm"]["recency"] == before["profile"]["rfm"]["rfm"]["recency"] + 7
    assert after["as_of"] == "2026-03-01T09:37:00Z"


def test_lag_grows_while_nothing_is_committed(fresh: AtWork) -> None:
    fresh.send("orders", order("A1", "M1"))
    fresh.answering.now = lambda: NOW.timestamp() + 90  # the engine's own clock stands still
    assert fresh.get("/v1/profiles/member:M1")["lag_ms"] == 30_000  # since the end of the minute of as_of


def test_the_grid_counts_everybody_scored_and_the_cut_points_stand_beside_it(fresh: AtWork) -> None:
    rows = [order(f"A{n}", f"M{n}", f"{n}.00", created_at=f"2026-02-{n + 1:02} 10:00") for n in range(1, 21)]
    fresh.send("orders", *rows)
    fresh.clock[0] += 60
    fresh.settle()
    [model] = fresh.get("/v1/rfm")["models"]
    assert (model["customers"], sum(cell["customers"] for cell in model["grid"])) == (20, 20)
    assert sum(cell["monetary"] for cell in model["grid"]) == 21000
    assert sum(one["customers"] for one in model["segments"]) == 20
    cuts = model["cut_points"]
    assert cuts["minute"] == "2026-03-01T09:31:00Z"
    assert cuts["monetary"] == [481, 861, 1241, 1621]
    profile = fresh.get("/v1/profiles/member:M20")["profile"]["rfm"]["rfm"]
    expected = {
        "r": 5 - sum(profile["recency"] >= cut for cut in cuts["recency"]),
        "f": 1 + sum(profile["frequency"] >= cut for cut in cuts["frequency"]),
        "m": 1 + sum(profile["monetary"] >= cut for cut in cuts["monetary"]),
    }
    assert {letter: profile[letter] for letter in "rfm"} == expected


def test_decisions_go_on_exactly_where_the_consumer_was(shop: AtWork) -> None:
    everything = shop.get("/v1/decisions")
    found: list[dict[str, Any]] = []
    cursor = "0"
    while page := (answer := shop.get("/v1/decisions", cursor=cursor, limit=2))["decisions"]:
        found += page
        cursor = answer["next"]
    assert found == everything["decisions"]
    assert len({one["id"] for one in found}) == 3
    assert answer["next"] == cursor == everything["next"]


def test_decisions_of_one_customer(shop: AtWork) -> None:
    [one] = shop.get("/v1/decisions", customer="member:M1")["decisions"]
    assert one["customer"] == shop.get("/v1/profiles/member:M1")["profile"]["id"]
    assert (one["trigger"], one["outcome"], one["guard"]) == ("hello", "act", "")
    assert one["delivery"]["state"] == "sent"
    assert one["at"] == AS_OF
