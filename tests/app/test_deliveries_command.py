"""``tintype deliveries``: lists, one life, counts, and what is done by hand."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from sinks.channels.outcome import Accepted, Unknown
from sinks.deliveries.delivery import Step
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import Event
from tests.app.little_shop import write_shop
from tests.sinks.dispatching import START, decided, route

SENT, LOST, WAITS = (f"{number:032x}" for number in range(3))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A shop with three deliveries: one sent, one of which nobody knows, one that waits."""
    shop = tmp_path / "shop"
    write_shop(shop, {})
    ledger = Ledger(shop / "data")
    changed: list[dict[str, Any]] = [{}, {}, {"trigger": "hello"}]
    ledger.take("channels", [(decided(at, **one), route()) for at, one in enumerate(changed)], {0: 3})
    ledger.write([Step(one, Event.CLAIM, START, "sms/console") for one in (1, 2)])
    ledger.write([Step(1, Event.ACCEPT, START + 1, outcome=Accepted("r1", 3))])
    ledger.write([Step(2, Event.BREAK, START + 1, outcome=Unknown("it broke"), reason="it broke")])
    ledger.close()
    return shop


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert main(["deliveries", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def ids(found: Any) -> list[str]:
    return [one["id"] for one in found["deliveries"]]


def test_the_newest_come_first_and_filters_choose(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop = str(folder)
    assert ids(asked(capsys, shop)) == [WAITS, LOST, SENT]
    assert ids(asked(capsys, shop, "--limit", "1")) == [WAITS]
    assert ids(asked(capsys, shop, "--state", "unknown")) == [LOST]
    assert ids(asked(capsys, shop, "--trigger", "hello")) == [WAITS]
    assert ids(asked(capsys, shop, "--channel", "mail")) == []
    assert ids(asked(capsys, shop, "--since", "2020-01-01")) == [WAITS, LOST, SENT]
    assert ids(asked(capsys, shop, "--since", "2100-01-01")) == []


def test_one_life_has_every_attempt(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = asked(capsys, str(folder), SENT)
    assert found["delivery"]["state"] == "sent"
    (attempt,) = found["attempts"]
    assert (attempt["provider"], attempt["outcome"]) == ("sms/console", "accepted")
    assert attempt["reference"] == "r1"
    assert main(["deliveries", str(folder), LOST]) == 0
    assert "it broke" in capsys.readouterr().out


def test_counts_have_parts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = asked(capsys, str(folder), "--counts")["counts"]
    told = [(one["trigger"], one["state"], one["deliveries"], one["parts"]) for one in found]
    assert told == [("hello", "queued", 1, 0), ("win_back", "sent", 1, 3), ("win_back", "unknown", 1, 0)]


def test_what_is_done_by_hand_is_on_record(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = asked(capsys, str(folder), LOST, "--settle", "delivered", "--reason", "she has it")
    assert found["delivery"]["state"] == "delivered"
    assert [(one["act"], one["reason"]) for one in found["by_hand"]] == [("settle delivered", "she has it")]


def test_what_came_to_nothing_is_sent_again_by_a_filter_the_oldest_first(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = str(folder)
    with contextlib.closing(Ledger(folder / "data")) as ledger:
        ledger.take("channels", [(decided(at), route()) for at in range(3, 7)], {0: 7})
        ledger.write([Step(at, Event.CLAIM, START, "sms/console") for at in range(4, 8)])
        ledger.write([Step(at, Event.GIVE_UP, START) for at in range(4, 8)])
    dead = ids(asked(capsys, shop, "--state", "failed"))
    assert len(dead) == 4
    choice = ("--state", "failed", "--resend", "--reason", "the number was wrong")
    assert asked(capsys, shop, *choice, "--channel", "mail") == {"resent": 0, "left": 0}
    assert asked(capsys, shop, *choice, "--limit", "3") == {"resent": 3, "left": 1}
    assert ids(asked(capsys, shop, "--state", "failed")) == dead[:1], "the newest is left"
    found = asked(capsys, shop, dead[-1])
    assert found["delivery"]["state"] == "queued"
    assert [(one["act"], one["reason"]) for one in found["by_hand"]] == [("resend", "the number was wrong")]


CRM = "crm:\n  providers: [{kind: webhook, url: https://crm.example/hook, secrets_env: [HOOK]}]\n"


def test_webhooks_that_are_out_are_posted_again_by_a_stretch_of_time(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = str(folder)
    channels = (folder / "channels.yaml").read_text(encoding="utf-8")
    (folder / "channels.yaml").write_text(channels + CRM, encoding="utf-8")
    with contextlib.closing(Ledger(folder / "data")) as ledger:
        ledger.take("channels", [(decided(at), route(channel="crm")) for at in range(3, 8)], {0: 8})
        ledger.write([Step(at, Event.CLAIM, START, "crm/webhook") for at in range(4, 9)])
        ledger.write([Step(at, Event.ACCEPT, START, outcome=Accepted(f"r{at}", 1)) for at in range(4, 8)])
        ledger.write([Step(8, Event.GIVE_UP, START)])
    again = ("--channel", "crm", "--replay", "--reason", "its disk was lost")
    assert asked(capsys, shop, *again, "--since", "2100-01-01") == {"replayed": 0}
    assert asked(capsys, shop, *again, "--since", "2020-01-01", "--until", "2020-01-02") == {"replayed": 0}
    assert asked(capsys, shop, *again, "--since", "2020-01-01", "--limit", "1") == {"replayed": 1}
    assert ids(asked(capsys, shop, "--channel", "crm", "--state", "queued")) == [f"{3:032x}"], "the oldest"
    monkeypatch.setattr("app.commands.deliveries.MOST", 2)  # what is left is more than one piece
    assert asked(capsys, shop, *again, "--since", "2020-01-01") == {"replayed": 3}
    assert len(ids(asked(capsys, shop, "--channel", "crm", "--state", "queued"))) == 4
    assert ids(asked(capsys, shop, "--channel", "crm", "--state", "failed")) == [f"{7:032x}"]
    assert ids(asked(capsys, shop, "--until", "2020-01-01")) == []
    found = asked(capsys, shop, f"{3:032x}")
    assert [(one["act"], one["reason"]) for one in found["by_hand"]] == [("replay", "its disk was lost")]
    assert main(["deliveries", shop, f"{7:032x}", "--replay", "--reason", "x"]) == 2
    assert "a delivery that is failed cannot take 'replay'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([SENT, "--replay", "--reason", "x"], "only webhooks are known by their id"),
        (["--replay", "--reason", "x", "--channel", "sms"], "write an ID, or --channel NAME --since TIME"),
        (["--replay", "--reason", "x", "--channel", "sms", "--since", "2020-01-01"],
         "only webhooks are known by their id"),
        (["--replay", "--reason", "x", "--channel", "smss", "--since", "2020-01-01"], "did you mean 'sms'"),
        ([SENT, "--replay", "--resend", "--reason", "x"], "write one of --resend, --replay and --settle"),
        ([LOST, "--settle", "failed", "--resend", "--reason", "x"], "several things are to be done at once"),
        (["--settle", "failed", "--reason", "x"], "no delivery is named"),
        (["--until", "soon"], "--until: 'soon' is no time"),
        ([LOST, "--resend"], "--reason: there is none"),
        (["--resend", "--reason", "x"], "no delivery is named"),
        (["--state", "unknown", "--resend", "--reason", "x"], "no state whose deliveries came to nothing"),
        (["--state", "failed", "--resend"], "--reason: there is none"),
        (["--state", "failed", "--resend", "--reason", "x", "--limit", "1001"], "1000 are the most"),
        (["--providers"], "no process runs this shop"),
        ([LOST, "--settle", "perhaps", "--reason", "x"], "'perhaps' is no end"),
        ([SENT, "--resend", "--reason", "x"], "a delivery that is sent cannot take 'resend'"),
        (["f" * 32], "there is no such delivery"),
        (["--state", "unknwon"], "did you mean 'unknown'"),
        (["--since", "soon"], "--since: 'soon' is no time"),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_to_do(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str
) -> None:
    assert main(["deliveries", str(folder), *arguments]) == 2
    assert problem in " ".join(capsys.readouterr().err.split())
