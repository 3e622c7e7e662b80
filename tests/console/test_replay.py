"""Webhooks that a receiver has lost are posted again: with the same ids, and nothing else is."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook

from streams.log.log import Log
from streams.log.rows import read_control
from tests.console.at_work import AtWork, at_work, order, states, wait_for
from tests.sinks.loopback_http import LoopbackHttp, Reply

SECRET = "whsec_" + base64.b64encode(os.urandom(32)).decode()
CHANNELS = """\
sms:
  address: phone
  templates: {{hi: 'you spent {{{{ fen }}}}'}}
  providers:
    - kind: webhook
      url: http://127.0.0.1:{port}/hook
      plain_http: true
      allow: [127.0.0.1]
      secrets_env: [REPLAYED_SECRET]
people:
  providers: [{{kind: console}}]
"""
SINCE = {"since": "2026-03-01T00:00:00Z", "reason": "its disk was lost"}


@pytest.fixture
def http() -> Iterator[LoopbackHttp]:
    far = LoopbackHttp()
    yield far
    far.go_away()


@pytest.fixture
def shop(
    tmp_path_factory: pytest.TempPathFactory, http: LoopbackHttp, monkeypatch: pytest.MonkeyPatch
) -> Iterator[AtWork]:
    monkeypatch.setenv("REPLAYED_SECRET", SECRET)
    channels = CHANNELS.format(port=http.port)
    with at_work(tmp_path_factory.mktemp("replay") / "little", {"channels.yaml": channels}) as found:
        rows = [order(f"A{n}", f"M{n}", "7.00", phone=f"1380000000{n}") for n in range(1, 4)]
        found.send("orders", *rows)
        wait_for(lambda: states(found) == ["sent"] * 3)
        yield found


def posted(http: LoopbackHttp) -> list[dict[str, Any]]:
    """Return what was taken in, verified as a receiver does."""
    return [Webhook(SECRET).verify(one.body, dict(one.headers)) for one in http.taken]


def replay(shop: AtWork, channel: str = "sms", **more: Any) -> tuple[int, dict[str, Any]]:
    answer = shop.client.post("/v1/deliveries:replay", json={"channel": channel, **SINCE, **more})
    return answer.status_code, answer.json()


def ids(shop: AtWork) -> list[str]:
    return [one["id"] for one in shop.get("/v1/deliveries")["deliveries"]]


def told_log(shop: AtWork) -> list[str]:
    """Return the states that the log was told of."""
    with Log.open(shop.opened.data) as log:
        bodies = read_control(log, kinds=["receipt"])["body"]
    return [json.loads(one)["state"] for one in bodies]


def test_what_is_out_is_posted_again_with_its_id_page_by_page(shop: AtWork, http: LoopbackHttp) -> None:
    first = {one["id"]: one["data"] for one in posted(http)}
    status, answer = replay(shop, most=2)
    assert (status, answer["replayed"]) == (200, 2)
    status, last = replay(shop, most=2, cursor=answer["next"])
    assert (status, last["replayed"], last["next"]) == (200, 1, None)
    wait_for(lambda: len(http.taken) == 6)
    again = {one["id"]: one["data"] for one in posted(http)[3:]}
    for data in (*first.values(), *again.values()):
        data.pop("expires")  # it lasts anew
    assert again == first
    wait_for(lambda: states(shop) == ["sent"] * 3)
    life = shop.get(f"/v1/deliveries/{ids(shop)[0]}")
    assert [(one["act"], one["reason"]) for one in life["by_hand"]] == [("replay", SINCE["reason"])]
    assert [one["outcome"] for one in life["attempts"]] == ["accepted", "accepted"]


def test_one_is_posted_again(shop: AtWork, http: LoopbackHttp) -> None:
    one = ids(shop)[1]
    answer = shop.client.post(f"/v1/deliveries/{one}:replay", json={"reason": "asked for"})
    assert answer.status_code == 200, answer.text
    wait_for(lambda: len(http.taken) == 4)
    assert posted(http)[3]["id"] == one


def test_a_stretch_of_time_and_a_trigger_choose(shop: AtWork, http: LoopbackHttp) -> None:
    for nothing in ({"until": "2026-03-01T00:00:01Z"}, {"since": "2026-04-01T00:00:00Z"}, {"trigger": "x"}):
        assert replay(shop, **nothing)[1]["replayed"] == 0, nothing
    assert shop.get("/v1/deliveries", until="2026-03-01T00:00:01Z")["deliveries"] == []
    assert states(shop) == ["sent"] * 3


def test_what_reaches_people_is_never_sent_twice(shop: AtWork) -> None:
    status, answer = replay(shop, "people")
    assert (status, answer["code"]) == (409, "wrong-state")
    assert "only webhooks are known by their id" in answer["detail"]
    assert "those that can: sms" in str(answer)
    status, answer = replay(shop, "smss")
    assert (status, answer["code"]) == (409, "wrong-state")
    assert "did you mean 'sms'?" in str(answer)
    one = ids(shop)[0]
    shop.opened.ledger.connection.execute("UPDATE delivery SET channel = 'people' WHERE number = 1")
    answer = shop.client.post(f"/v1/deliveries/{one}:replay", json={"reason": "x"}).json()
    assert answer["code"] == "wrong-state"
    gone = shop.client.post(f"/v1/deliveries/{'f' * 32}:replay", json={"reason": "x"}).json()
    assert gone["code"] == "unknown-delivery"


def test_a_replay_that_fails_gives_no_slot_back(shop: AtWork, http: LoopbackHttp) -> None:
    """The message was there before: the log is told of a failure only where nobody was reached."""
    http.always = Reply(400, b"no")
    assert replay(shop)[1]["replayed"] == 3
    shop.send("orders", order("A9", "M9", "7.00", phone="13800000009"))
    wait_for(lambda: states(shop) == ["failed"] * 4)
    wait_for(lambda: told_log(shop))
    assert told_log(shop) == ["failed"], "of the fourth, which never arrived"
