"""Between a decision and its sending: switches, withdrawn consent; and slots that failures give back (D5)."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app import exits
from app.cli import main
from app.embedded import Embedded
from app.sending.revocations import Revocations
from engine.outcome import Decision
from sinks.channels.courier import Courier
from sinks.deliveries.life import State
from sinks.deliveries.switches import Asked, ask
from streams.control import Control, switch
from streams.live import append_controls
from streams.log.log import Log, Unwritable
from streams.message import Message
from tests.app.little_shop import write_shop
from tests.app.revoked import CASES, MINUTE, TRIGGER, WHO
from tests.app.test_embedded import START, at_work, until
from tests.sinks.test_channels import decision

EVENT = "when: {event: {source: orders}}\naction: {channel: sms, template: hi, values: {fen: spend}}\n"


def shop_of(folder: Path, caps: str, text: str) -> Path:
    toml = f'name = "Test"\nzone = "UTC"\nhistory = false\n\n{caps}\n[groups]\nvalue = ["vip", "普通"]\n'
    channels = f"sms:\n  providers: [{{kind: file, path: sent.jsonl}}]\n  templates:\n    hi: '{text}'\n"
    return write_shop(
        folder, {"tintype.toml": toml, "channels.yaml": channels, "triggers/hello.yaml": EVENT}
    )


def order(number: int) -> Message:
    row = {"order_id": number, "member_id": "M1", "created_at": moment(), "amount": "20.00",
           "status": "paid"}  # fmt: skip
    return Message("orders", f"test:{number}", json.dumps(row).encode())


def moment() -> str:
    return datetime.fromtimestamp(START, UTC).strftime("%Y-%m-%d %H:%M")


def decided(shop: Embedded) -> list[tuple[str, str]]:
    """Return (outcome or guard, state) of each decision so far."""
    return [(one.decision.guard or one.decision.outcome, one.state) for one in shop.ledger.after(0, 100)]


def test_a_switch_beside_the_running_shop_stops_decisions_and_what_waits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shop_of(tmp_path / "shop", "", "you spent {{ fen }}")
    with at_work(folder) as shop:
        shop.service.accept([order(1)]).result(60)
        until(lambda: decided(shop) == [("act", "sent")])
        assert main(["switch", str(folder), "channel/sms", "--off", "--reason", "test", "--json"]) == exits.OK
        assert json.loads(capsys.readouterr().out) == {
            "off": ["channel/sms"], "paused": [], "reasons": {"channel/sms": "test"},
        }  # fmt: skip
        until(lambda: shop.ledger.rows("SELECT * FROM switch") == [])  # the log has it
        shop.service.accept([order(2)]).result(60)
        until(lambda: len(decided(shop)) == 2)
        assert decided(shop)[1] == ("kill_switch", "nothing to send")
        assert main(["switch", str(folder), "channel/sms", "--on"]) == exits.OK
        until(lambda: shop.ledger.rows("SELECT * FROM switch") == [])
        shop.service.accept([order(3)]).result(60)
        until(lambda: len(decided(shop)) == 3 and decided(shop)[2] == ("act", "sent"))
    assert main(["switch", str(folder)]) == exits.OK
    assert "nothing is switched off" in capsys.readouterr().out


def test_a_pause_beside_the_running_shop_lets_what_is_decided_wait_until_it_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shop_of(tmp_path / "shop", "", "you spent {{ fen }}")
    command = ["switch", str(folder), "trigger/hello", "--reason", "the price"]
    with at_work(folder) as shop:
        shop.service.accept([order(1)]).result(60)
        until(lambda: decided(shop) == [("act", "sent")])
        assert main([*command, "--pause"]) == exits.OK
        assert capsys.readouterr().out == "paused: trigger/hello (the price)\n"
        shop.service.accept([order(2)]).result(60)
        until(lambda: len(decided(shop)) == 2)
        sent = shop.relays.sender.sent
        until(lambda: shop.relays.sender.sent == sent)
        assert decided(shop)[1] == ("act", "queued")
    with at_work(folder) as shop:  # it outlives a restart
        shop.service.accept([order(3)]).result(60)
        until(lambda: len(decided(shop)) == 3)
        assert [state for _, state in decided(shop)] == ["sent", "queued", "queued"]
        assert main([*command, "--on", "--json"]) == exits.OK
        assert json.loads(capsys.readouterr().out) == {"off": [], "paused": [], "reasons": {}}
        until(lambda: [state for _, state in decided(shop)] == ["sent"] * 3)
        assert main([*command, "--off"]) == exits.OK
        capsys.readouterr()
        assert main([*command, "--pause"]) == exits.BAD_INPUT
        assert "let it go on first, then pause it" in capsys.readouterr().err


def test_what_a_stop_brings_up_is_never_sent_also_where_the_log_was_not_read_since(tmp_path: Path) -> None:
    """The second message is due in an hour. The stop brings it up at once, to be held back."""
    folder = shop_of(tmp_path / "shop", "", "you spent {{ fen }}")
    paced = EVENT.replace("values: {fen: spend}", "values: {fen: spend}, pace: {most: 1, within: 1h}")
    (folder / "triggers" / "hello.yaml").write_text(paced, "utf-8")
    with at_work(folder) as shop, pytest.MonkeyPatch.context() as patched:
        shop.service.accept([order(1), order(2)]).result(60)
        until(lambda: [state for _, state in decided(shop)] == ["sent", "queued"])
        patched.setattr(Revocations, "refresh", lambda *_: None)
        patched.setattr(shop.relays.sender, "append", lambda _: Future())  # nor does the log have it yet
        ask(shop.ledger, "trigger/hello", "off", "test", START)
        until(lambda: decided(shop)[1][1] != "queued")
        assert [state for _, state in decided(shop)] == ["sent", "held back"]


def test_a_message_that_is_held_back_gives_its_slot_of_a_cap_back(tmp_path: Path) -> None:
    """One a day: the first is held back for want of a value, so the second may act."""
    caps = '[guards.caps]\n"a day" = {most = 1, within = "1d"}\n'
    folder = shop_of(tmp_path / "shop", caps, "{{ fen }}")
    with at_work(folder) as shop:
        spoilt: Callable[..., str | None] = lambda *_: "spoilt by the test"  # noqa: E731
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Courier, "revoked", spoilt)
            shop.service.accept([order(1)]).result(60)
            until(lambda: decided(shop) == [("act", State.HELD_BACK.value)])
        until(lambda: shop.ledger.rows("SELECT * FROM ended") == [])
        shop.service.accept([order(2)]).result(60)
        until(lambda: len(decided(shop)) == 2)
        assert decided(shop)[1][0] == "act"
        shop.service.accept([order(3)]).result(60)
        until(lambda: len(decided(shop)) == 3)
        assert decided(shop)[2][0] == "cap"


def test_a_log_that_cannot_be_written_is_told_of_a_switch_when_it_can(tmp_path: Path) -> None:
    """A full disk is waited for, as everywhere; the senders know of the switch meanwhile."""
    folder, said = shop_of(tmp_path / "shop", "", "you spent {{ fen }}"), list[str]()
    with at_work(folder, said) as shop, pytest.MonkeyPatch.context() as patched:
        patched.setattr("app.sending.turns.AGAIN_SECONDS", 0.1)
        append, refused = shop.relays.sender.append, Future[Any]()
        refused.set_exception(Unwritable("log.sqlite", "the disk is full", "make room"))
        patched.setattr(shop.relays.sender, "append", lambda _: refused)
        ask(shop.ledger, "", "off", "test", START)
        until(lambda: said == ["log.sqlite: the disk is full: make room (tried again every 0 s)"])
        until(lambda: list(shop.relays.sender.off() or ()) == [""])
        patched.setattr(shop.relays.sender, "append", append)
        until(lambda: shop.ledger.rows("SELECT * FROM switch") == [])
        assert shop.service.failed is None


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with contextlib.closing(Log.create(tmp_path / "log", "revoked", 2)) as made:
        yield made


def revoked(log: Log, *controls: Control, asked: list[Asked] | None = None, at: int = MINUTE) -> str | None:
    """Return why a decision is revoked once the log has these records."""
    found = Revocations(log, lambda: at * 60.0)
    found.refresh([])
    for control in controls:  # one by one, as they come
        append_controls(log, [control], MINUTE)
        found.refresh(asked or [])
    found.refresh(asked or [])
    fresh = Revocations(log, lambda: at * 60.0)
    fresh.refresh(asked or [])
    made: Decision = replace(decision(), customer=WHO.hex())
    assert fresh.of(made, TRIGGER) == found.of(made, TRIGGER)  # whether it has watched or begins now
    return found.of(made, TRIGGER)


@pytest.mark.parametrize(("controls", "expected"), CASES)
def test_what_is_withdrawn_or_switched_off_is_not_sent(
    log: Log, controls: list[Control], expected: str | None
) -> None:
    assert revoked(log, *controls) == expected


def test_a_switch_counts_before_the_log_has_it(log: Log) -> None:
    off, on = Asked(1, "", True, ""), Asked(2, "", False, "")
    assert revoked(log, asked=[off]) == "everything is switched off"
    assert revoked(log, switch("", True), asked=[off, on]) is None


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["channel/fax", "--off"], "there is no channel 'fax'"),
        (["trigger/helo", "--off"], "did you mean 'hello'?"),
        (["sms", "--off"], "names nothing that can be switched"),
        (["channel/sms"], "write --off or --on"),
        (["channel/sms", "--off", "--on"], "write --off or --on"),
        (["channel/sms", "--off", "--pause"], "write --off or --on, or --pause"),
        (["--off"], "write everything, channel/NAME or trigger/NAME"),
    ],
)
def test_what_cannot_be_switched_is_refused_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    folder = write_shop(tmp_path / "shop", {})
    assert main(["switch", str(folder), *arguments]) == exits.BAD_INPUT
    assert told in capsys.readouterr().err


def test_a_shop_that_has_never_run_can_be_switched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It holds from its first step on."""
    folder = shop_of(tmp_path / "shop", "", "you spent {{ fen }}")
    assert main(["switch", str(folder), "everything", "--off"]) == exits.OK
    assert "off: everything\n" in capsys.readouterr().out
    with at_work(folder) as shop:
        until(lambda: shop.ledger.rows("SELECT * FROM switch") == [])
        shop.service.accept([order(1)]).result(60)
        until(lambda: decided(shop) == [("kill_switch", "nothing to send")])
