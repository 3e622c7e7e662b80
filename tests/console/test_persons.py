"""Over HTTP: what is personal is for keys of scope personal, who may also export and erase."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.console.at_work import AtWork, at_work, order
from tests.personal.persons import FILES

MEMBERS = (FILES["sources/members.yaml"] or "").replace("attribute: city", "attribute: home")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[AtWork]:
    with at_work(tmp_path / "little", {"sources/members.yaml": MEMBERS}) as found:
        always = {"joined": "2026-03-01 09:00", "city": "上海"}
        people = ("M1", "李雷雷"), ("M2", "王小明")
        rows = [{**always, "member_id": n, "phone": f"138{n}", "name": name} for n, name in people]
        found.send("members", *rows)
        found.send("orders", order("A1", "M1", "6000.00"))
        found.settle()
        yield found


def reader(shop: AtWork) -> httpx.Client:
    return httpx.Client(
        base_url=shop.address, headers={"Authorization": f"Bearer {shop.keys['read']}"}, timeout=60
    )


@pytest.mark.parametrize("query", ["", "?why=1"])
def test_a_key_to_read_sees_that_there_is_a_name_but_not_which(shop: AtWork, query: str) -> None:
    with reader(shop) as client:
        said = client.get(f"/v1/profiles/member:M1{query}").json()["profile"]
        assert (said["attributes"]["name"], said["attributes"]["home"]) == (None, "上海")
        assert said["withheld"] == ["name"]
        many = client.post("/v1/profiles:batch", json={"customers": ["member:M1"]}).json()
        assert many["profiles"][0]["attributes"]["name"] is None
    said = shop.get(f"/v1/profiles/member:M1{query}")["profile"]
    assert said["attributes"]["name"] == "李雷雷"
    assert "withheld" not in said


@pytest.mark.parametrize("right", ["erase", "export"])
def test_a_key_to_read_may_neither_erase_nor_export(shop: AtWork, right: str) -> None:
    with reader(shop) as client:
        answer = client.post(f"/v1/customers/member:M1:{right}")
    assert answer.status_code == 403
    assert answer.json()["code"] == "scope-missing"


def test_who_is_erased_is_known_by_nothing_any_more(shop: AtWork) -> None:
    identity = shop.get("/v1/profiles/phone:138M1")["profile"]["id"]
    export = shop.client.post("/v1/customers/member:M1:export").json()["export"]
    assert [row["name"] for row in export["rows"]["members"]] == ["李雷雷"]
    said = shop.client.post("/v1/customers/phone:138M1:erase").json()
    assert (said["customer"], said["references"], said["rows"]) == (identity, 2, 2)
    for name in ("member:M1", "phone:138M1", identity):
        assert shop.client.get(f"/v1/profiles/{name}").status_code == 404
    assert shop.client.post("/v1/customers/member:M1:erase").status_code == 404
    assert shop.get("/v1/profiles/member:M2")["profile"]["attributes"]["name"] == "王小明"
    assert shop.get("/v1/tags")["tags"][0]["size"] == 0  # the vip was M1
