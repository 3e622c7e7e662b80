"""What customers answer, from a provider to the log: an opt-out is never lost, and a reply is seen."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.cli import main
from app.log_folder import open_log
from streams.live import append_controls
from streams.log.log import Unwritable
from streams.log.rows import read_control
from tests.console.at_work import AtWork, at_work, order, states, wait_for
from tests.sinks.loopback_smsc import LoopbackSmsc

CONSENTS = """\
kind: consent
key: [member_id, channel, purpose]
references:
  - {type: member, column: member_id}
event_time: {column: changed_at}
"""
CHANNELS = """\
sms:
  address: phone
  templates: {hi: 'you spent {{ fen }}'}
  providers:
    - {kind: console, price: '0.045'}
    - {kind: aliyun, sign_name: 小店, receipts_token_env: TOKEN, provider_templates: {hi: {code: SMS_1}}}
"""
TOKEN = "a long random token"


def hello(consent: str | None) -> str:
    guards = "{max_age: 365d}" if consent is None else f"{{max_age: 365d, consent: {consent}}}"
    action = "action: {channel: sms, template: hi, values: {fen: spend}}\n"
    return f"when: {{event: {{source: orders}}}}\n{action}guards: {guards}\n"


FILES: dict[str, str | None] = {
    "channels.yaml": CHANNELS, "sources/consents.yaml": CONSENTS, "triggers/hello.yaml": hello("sms/news"),
}  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtWork]:
    with at_work(tmp_path_factory.mktemp("answers") / "little", FILES) as found:
        yield found


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", TOKEN)


def write_to(shop: AtWork, member: str, phone: str) -> str:
    """Let a message go out to a new member who agrees; return its id."""
    agreed = {"member_id": member, "channel": "sms", "purpose": "news", "granted": True}
    shop.send("consents", {**agreed, "changed_at": "2026-03-01 16:00"})
    shop.send("orders", order(f"{member}-1", member, phone=phone))
    wait_for(lambda: [one["state"] for one in messages(shop, member)] == ["sent"])
    return str(messages(shop, member)[0]["id"])


def messages(shop: AtWork, member: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shop.get("/v1/deliveries", customer=f"member:{member}")["deliveries"]
    return found


def say(shop: AtWork, number: str, words: str) -> None:
    """Let the provider call back with an answer."""
    body = [{"phone_number": number, "content": words, "send_time": "2026-03-01 17:31:00"}]
    answer = httpx.post(f"{shop.address}/v1/receipts/sms?token={TOKEN}", json=body, timeout=20)
    assert answer.status_code == 200, answer.text


def outcomes(shop: AtWork, member: str) -> list[str]:
    """Return the guard, or the outcome, of each decision about a member, once all are in the ledger."""

    def drained() -> bool:
        counts = shop.opened.service.ask(lambda owner: [one.count for one in owner.engine.digests]).result(60)
        return list(shop.opened.relays.drained()) == counts

    wait_for(drained)
    found = shop.get("/v1/decisions", customer=f"member:{member}")["decisions"]
    return [one["guard"] or one["outcome"] for one in found]


def in_log(shop: AtWork, kind: str) -> list[dict[str, Any]]:
    with open_log(shop.opened.folder, shop.opened.shop) as log:
        return [json.loads(body) for body in read_control(log, kinds=[kind])["body"]]


@pytest.mark.parametrize(
    ("member", "kept", "said"),
    [("N1", "13800000001", "TD"), ("N2", "8613800000002", "拒收请回复R"), ("N3", "+8613800000003", "退 订"),
     ("N4", "138 0000 0004", "td")],
)  # fmt: skip
def test_the_next_decision_knows_of_an_opt_out_however_the_number_is_kept(
    shop: AtWork, member: str, kept: str, said: str
) -> None:
    """The provider says eleven digits; the consent that is asked for is not called marketing."""
    number = f"1380000000{member[1]}"
    write_to(shop, member, kept)
    say(shop, number, said)
    shop.send("orders", order(f"{member}-2", member))
    assert outcomes(shop, member) == ["act", "consent"]
    [one] = messages(shop, member)
    assert (one["replied"], one["replies"], one["unsubscribed"]) == ("2026-03-01T09:31:00Z", 1, True)


def test_a_reply_is_seen_with_its_message_and_told_to_the_log(shop: AtWork) -> None:
    """Once, however often the provider calls; by whom and when, and not what."""
    name = write_to(shop, "R1", "13800000011")
    for _ in range(2):
        say(shop, "13800000011", "请打电话给我")
    life = shop.get(f"/v1/deliveries/{name}")["delivery"]
    assert (life["replied"], life["replies"], life["unsubscribed"]) == ("2026-03-01T09:31:00Z", 1, False)

    def told() -> list[str]:
        return [one["state"] for one in in_log(shop, "receipt") if one["decision"] == name]

    wait_for(told)
    assert told() == ["replied"]
    shop.send("orders", order("R1-2", "R1"))
    assert outcomes(shop, "R1") == ["act", "act"]
    assert "打电话" not in str(shop.opened.ledger.rows("SELECT * FROM answer"))


def test_an_export_says_what_was_answered(shop: AtWork) -> None:
    name = write_to(shop, "E1", "13800000031")
    say(shop, "13800000031", "在吗")
    answer = shop.client.post("/v1/customers/member:E1:export")
    assert answer.status_code == 200, answer.text
    [one] = answer.json()["export"]["answered"]
    assert (one["channel"], one["decision"], one["unsubscribes"]) == ("sms", name, False)


def test_counts_have_answers_and_what_parts_cost(shop: AtWork) -> None:
    write_to(shop, "C1", "13800000021")
    say(shop, "13800000021", "退订")
    found = shop.get("/v1/deliveries:counts", customer="member:C1")
    [one] = found["counts"]
    assert (one["parts"], one["cost"], one["replied"], one["unsubscribed"]) == (1, "0.045", 1, 1)
    assert found["currency"] is None  # the shop says none


def test_who_is_not_known_is_counted(shop: AtWork) -> None:
    metric = 'tintype_answers_of_nobody_total{answer="unsubscribed"}'

    def counted() -> float:
        text = shop.client.get("/metrics").text
        return next(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(metric))

    before = counted()
    say(shop, "13911110000", "TD")
    assert counted() == before + 1


def test_a_command_beside_the_shop_shows_how_its_providers_stand(
    shop: AtWork, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["deliveries", str(shop.opened.folder), "--providers"]
    wait_for(lambda: main([*arguments, "--json"]) == 0)
    capsys.readouterr()
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["providers"]
    assert found == shop.get("/v1/providers")["providers"]
    assert [one["provider"] for one in found] == ["sms/console", "sms/aliyun"]
    assert main(arguments) == 0
    assert "sms/aliyun" in capsys.readouterr().out


@pytest.mark.parametrize("restarted", [False, True])
def test_an_opt_out_outlives_a_log_that_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restarted: bool
) -> None:
    """It is answered when it is in the ledger, and told when the disk takes something again, if need be by
    the next process; meanwhile what is decided is held back."""
    full = [True]

    def append(*given: Any) -> Any:
        if full[0]:
            raise Unwritable("log.sqlite", "the disk is full", "make room")
        return append_controls(*given)

    monkeypatch.setattr("app.sending.turns.AGAIN_SECONDS", 0.1)
    with at_work(tmp_path / "little", FILES) as shop:
        write_to(shop, "F1", "13800000001")
        monkeypatch.setattr("app.embedded.append_controls", append)
        say(shop, "13800000001", "TD")
        shop.send("orders", order("F1-2", "F1"))
        wait_for(lambda: [one["state"] for one in messages(shop, "F1")] == ["sent", "held back"])
        assert messages(shop, "F1")[1]["reason"] == "unsubscribed from sms"
        if not restarted:
            full[0] = False
            check_told(shop)
    full[0] = False
    if restarted:
        with at_work(tmp_path / "little", FILES) as shop:
            check_told(shop)


def check_told(shop: AtWork) -> None:
    """Wait until the log has what it could not take; the next decision knows of it."""
    wait_for(lambda: shop.opened.ledger.rows("SELECT count(*) FROM answer WHERE told = 0") == [(0,)])
    shop.send("orders", order("F1-3", "F1"))
    assert outcomes(shop, "F1") == ["act", "act", "consent"]


def test_a_message_for_which_no_consent_is_asked_is_held_back_behind_an_opt_out(tmp_path: Path) -> None:
    with at_work(tmp_path / "little", {**FILES, "triggers/hello.yaml": hello(None)}) as shop:
        shop.send("orders", order("A1", "M1", phone="13800000001"))
        wait_for(lambda: states(shop) == ["sent"])
        say(shop, "13800000001", "TD")
        shop.send("orders", order("A2", "M1"))
        wait_for(lambda: states(shop) == ["sent", "held back"])
        assert messages(shop, "M1")[1]["reason"] == "consent to sms/marketing is withdrawn"


def test_an_smsc_is_answered_behind_the_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the ledger takes nothing nothing is acknowledged; what comes again is taken."""
    monkeypatch.setenv("SMS_PASSWORD", "secret")
    smsc = LoopbackSmsc()
    account = "system_id: shop, password_env: SMS_PASSWORD"
    provider = f"{{kind: smpp, host: 127.0.0.1, port: {smsc.port}, {account}}}"
    channels = f"sms:\n  address: phone\n  templates: {{hi: hi}}\n  providers: [{provider}]\n"
    held = threading.Event()
    with at_work(tmp_path / "little", {**FILES, "channels.yaml": channels}) as shop:
        write_to(shop, "S1", "+8613800000001")
        shop.opened.service.change(lambda _log, _shop, _minute: held.wait(30))  # the log waits for its store
        try:
            smsc.write("8613800000001", "TD")
            wait_for(lambda: smsc.answered)
            query = "SELECT opts_out, told FROM answer"
            assert shop.opened.ledger.rows(query) == [(1, 0)], "acknowledged, and on disk"
        finally:
            held.set()
        wait_for(lambda: shop.opened.ledger.rows(query) == [(1, 1)])
        shop.send("orders", order("S1-2", "S1"))
        assert outcomes(shop, "S1") == ["act", "consent"]
    smsc.close()
