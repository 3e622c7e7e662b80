"""A shop at work with recommendation slots: who gets what and why, how soon, and who is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from console.api.recommendations import Recommended
from tests.console.at_work import AtWork, at_work, wait_for
from tests.console.inbox_at_work import bearing
from tests.console.recommending_shop import AT, agreed, line, recommending_shop, settled

EARLY: list[httpx.Response] = []  # before anything was trained


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtWork]:
    def ask(early: AtWork) -> None:
        """M8 has bought nothing that counts: the one line is of no pieces."""
        early.send("lines", line(1, "M8", "T1", pieces=0))
        EARLY.append(early.client.get("/v1/profiles/member:M8/recommendations/home"))

    with recommending_shop(tmp_path_factory.mktemp("slots") / "shop", ask) as found:
        yield found


def slot(shop: AtWork, member: str, name: str, **query: Any) -> dict[str, Any]:
    return shop.get(f"/v1/profiles/member:{member}/recommendations/{name}", **query)


def ids(body: dict[str, Any]) -> list[str]:
    return [one["id"] for one in body["items"]]


def test_who_has_agreed_gets_what_goes_with_their_purchase_and_is_told_why(shop: AtWork) -> None:
    found = slot(shop, "M6", "home")
    assert (found["personalised"], found["title"]) == (True, {"zh": "猜你喜欢", "en": "For you"})
    first, *others = found["items"]
    assert first == {
        "id": "T2", "title": {"zh": "碧螺春", "en": "Biluochun"}, "category": "green", "price": "99.00",
        "image": "", "link": "", "strategy": "similar",
        "because": {
            "act": "bought", "item": "T1", "title": {"zh": "龙井", "en": "Longjing"},
            "text": {"zh": "因为您买过龙井", "en": "Because you bought Longjing"},
        },
    }  # fmt: skip
    assert [(one["strategy"], one["because"]["item"]) for one in others] == [("popular", None)] * 2
    assert found["as_of"] == "2026-03-01T09:30:00Z"
    assert found["model"]["as_of"] == "2026-02-20T02:00:00Z"


@pytest.mark.parametrize("query", ["", "?personalised=false"])
def test_a_slot_needs_a_key_that_reads_and_is_written_as_its_model_says(shop: AtWork, query: str) -> None:
    """Without a query nothing is checked before the endpoint is called."""
    path = f"/v1/profiles/member:M6/recommendations/home{query}"
    answer = shop.client.get(path)
    assert answer.json() == Recommended.model_validate_json(answer.content).model_dump(mode="json")
    told = [
        shop.client.get(path, headers=headers).json()["code"]
        for headers in ({"Authorization": ""}, {"Authorization": "Bearer tt_no"}, bearing(shop, "write"))
    ]
    assert told == ["key-missing", "key-unknown", "scope-missing"]


@pytest.mark.parametrize("member", ["M5", "M1"])
def test_who_has_not_agreed_gets_what_is_popular_with_all(shop: AtWork, member: str) -> None:
    """M5 refused, M1 was never asked."""
    found = slot(shop, member, "home")
    assert found["personalised"] is False
    assert {one["strategy"] for one in found["items"]} == {"popular"}
    assert ids(found) == ids(slot(shop, "M6", "home", personalised=False)) == ["T1", "T2", "C1"]


def test_rules_hold_for_one_customer_and_a_tag_counts_at_once(shop: AtWork) -> None:
    """M1 has the green teas, T3 is out of stock; what is left is a cup and white tea, without reasons."""
    found = slot(shop, "M1", "mail")
    assert ids(found) == ["C1", "T4"]
    assert "because" not in found["items"][0]
    mark = {"member_id": "M1", "tag": "拒绝", "at": AT, "on": True, "until": None}
    shop.send("marks", mark)
    found = slot(shop, "M1", "mail")
    assert (found["personalised"], ids(found)[0]) == (False, "T1")
    shop.send("marks", {**mark, "on": None})
    assert slot(shop, "M1", "mail")["personalised"] is True


def test_purchases_and_consents_count_as_soon_as_customers_are_read_again(shop: AtWork) -> None:
    shop.send("agreed", agreed("M7"))
    shop.send("lines", line(30, "M7", "T2"))
    settled(shop)
    assert slot(shop, "M7", "home")["items"][0]["because"]["item"] == "T2"
    shop.send("agreed", agreed("M7", granted=False))
    settled(shop)
    assert slot(shop, "M7", "home")["personalised"] is False


def test_the_catalogue_is_read_again_with_the_customers(shop: AtWork) -> None:
    catalogue = shop.opened.folder / "items.csv"
    before = catalogue.read_text(encoding="utf-8")
    assert "C1" in ids(slot(shop, "M2", "mail"))
    catalogue.write_text(before.replace("15.00,100,60", "15.00,0,60"), encoding="utf-8")
    wait_for(lambda: "C1" not in ids(slot(shop, "M2", "mail")))
    catalogue.write_text(before, encoding="utf-8")
    wait_for(lambda: "C1" in ids(slot(shop, "M2", "mail")))


def test_who_is_erased_leaves_nothing_in_the_store_and_comes_back_as_nobody(shop: AtWork) -> None:
    shop.send("lines", line(40, "M9", "T1"))
    shop.send("agreed", agreed("M9"))
    settled(shop)
    identity = shop.get("/v1/profiles/member:M9")["profile"]["id"]
    key = f"tintype:{{Test/0}}:items:{identity}"
    assert shop.opened.store.client.exists(key)
    assert shop.client.post("/v1/customers/member:M9:erase").status_code == 200
    assert not shop.opened.store.client.exists(key)
    settled(shop)
    assert not shop.opened.store.client.exists(key)
    path = f"/v1/profiles/{identity}/recommendations/home"
    assert shop.client.get(path).json()["code"] == "unknown-customer"


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("member:M6/recommendations/hom", {}, 404, "unknown-slot"),
        ("member:nobody/recommendations/home", {}, 404, "unknown-customer"),
        ("member:M6/recommendations/home", {"Authorization": ""}, 401, "key-missing"),
        ("member:M6/recommendations/home?personalised=perhaps", {}, 422, "invalid-request"),
    ],
)
def test_a_wrong_request_is_told(
    shop: AtWork, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    answer = shop.client.get(f"/v1/profiles/{path}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_before_anything_is_trained_it_is_not_ready_and_no_slot_is_empty(shop: AtWork) -> None:
    assert [(one.status_code, one.json()["code"]) for one in EARLY] == [(503, "not-ready")]


def test_a_shop_without_slots_says_so(tmp_path: Path) -> None:
    with at_work(tmp_path / "shop") as plain:
        answer = plain.client.get("/v1/profiles/member:M1/recommendations/home")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown-slot")
