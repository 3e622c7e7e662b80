"""An action's values are changed while a message of it waits, or is out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.at_work import AtWork, at_work, order, states, wait_for
from tests.console.test_links import CHANNELS, TOML, followed, texts

Files = dict[str, str | None]
PLAIN = "sms:\n  providers: [{kind: file, path: sent.jsonl}]\n  templates: {hi: 'you spent {{ fen }}'}\n"


def hello(values: str) -> str:
    return (
        "when: {event: {source: orders}}\n"
        f"action: {{channel: sms, template: hi, values: {values}}}\nguards: {{max_age: 365d}}\n"
    )


def turn(shop: AtWork, *, paused: bool) -> None:
    body = {"what": "channel/sms", "off": False, "paused": paused, "reason": "it is looked at"}
    assert shop.client.post("/v1/switches", json=body).status_code == 200


@pytest.fixture
def waiting(tmp_path: Path) -> Path:
    """A shop that has stopped while a message waits, which was decided under ``fen: spend``."""
    files: Files = {"channels.yaml": PLAIN, "triggers/hello.yaml": hello("{fen: spend}")}
    with at_work(tmp_path / "little", files) as shop:
        turn(shop, paused=True)
        shop.send("orders", order("A1", "M1", "7.00"))
        wait_for(lambda: states(shop) == ["queued"])
    return tmp_path / "little"


@pytest.mark.parametrize(
    ("values", "lacks"), [("{fen: orders_30d}", "fen"), ("{fen: spend, n: spend / orders_30d}", "n")]
)
def test_what_waits_is_held_back_where_its_decision_carries_a_value_no_more(
    waiting: Path, values: str, lacks: str
) -> None:
    """It ended the shop, and each start of it again."""
    with at_work(waiting, {"channels.yaml": PLAIN, "triggers/hello.yaml": hello(values)}) as shop:
        turn(shop, paused=False)
        wait_for(lambda: states(shop) == ["held back"])
        [one] = shop.get("/v1/deliveries")["deliveries"]
        assert one["reason"] == (
            f"its decision carries no '{lacks}', which trigger 'hello' says now: it was made under other "
            "settings"
        )
        shop.send("orders", order("A2", "M2", "9.00"))
        wait_for(lambda: states(shop) == ["held back", "sent"])
    with at_work(waiting, {"channels.yaml": PLAIN, "triggers/hello.yaml": hello("{fen: spend}")}) as shop:
        body = {"reason": "the settings fit again"}
        assert shop.client.post(f"/v1/deliveries/{one['id']}:resend", json=body).status_code == 200
        wait_for(lambda: states(shop)[0] == "sent")
        assert texts(shop)[-1] == "you spent 700"


def test_what_waits_is_said_in_the_words_of_now_where_its_values_suffice(waiting: Path) -> None:
    paid = PLAIN.replace("spent", "paid")
    files: Files = {"channels.yaml": paid, "triggers/hello.yaml": hello("{fen: spend / 100}")}
    with at_work(waiting, files) as shop:
        turn(shop, paused=False)
        wait_for(lambda: states(shop) == ["sent"])
        assert texts(shop) == ["you paid 7"]


def test_the_link_of_a_message_that_is_out_leads_where_it_can(tmp_path: Path) -> None:
    """A value more takes nothing from it; one that it says and that nobody knows leads nowhere."""
    files: Files = {"tintype.toml": TOML, "channels.yaml": CHANNELS.partition("plain:")[0]}
    with at_work(tmp_path / "little", {**files, "triggers/hello.yaml": hello("{fen: spend}")}) as shop:
        shop.send("orders", order("A1", "M1", "7.00"))
        wait_for(lambda: states(shop) == ["sent"])
        code = texts(shop)[0].rpartition("/")[2]
    for values, told in (("{fen: spend, n: orders_30d}", 302), ("{fen: orders_30d}", 404)):
        with at_work(tmp_path / "little", {**files, "triggers/hello.yaml": hello(values)}) as shop:
            assert followed(shop, code).status_code == told
