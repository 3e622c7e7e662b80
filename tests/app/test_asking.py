"""What a cluster's sender is asked: done with how far it has read, and what the log is told, all at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.load import load_shop
from app.sending.revocations import records_of
from app.worker.addresses import Addresses
from app.worker.asking import Asking
from app.worker.revoking import TopicRevocations
from app.worker.switches import TopicSwitches
from app.worker.telling_log import tell_log
from sinks.channels.outcome import Accepted
from sinks.channels.provider import Receipt
from sinks.coupons.codes import Loaded, loaded_by
from sinks.coupons.redeeming import Redemption
from sinks.coupons.written import written
from sinks.deliveries import asked
from sinks.deliveries.answers import has_opted_out
from sinks.deliveries.delivery import Away, Step
from sinks.deliveries.life import Event
from sinks.deliveries.listing import off
from sinks.deliveries.logged import LoggedLedger
from sinks.deliveries.switches import pauses
from sinks.topics.events import Event as Told
from streams.changes.wire import Outgoing, incoming
from streams.control import canonical
from tests.app.little_shop import write_shop
from tests.called import SECRET
from tests.sinks.dispatching import START, decided, queue, states

LANE, ONE = "sms/console", f"{1:032x}"
WITHDRAWN = canonical({"channel": "sms", "purpose": "marketing", "granted": False, "until": None})


class Journal:
    """Transactions: (records, messages of the log)."""

    def __init__(self) -> None:
        self.commits: list[tuple[bytes, Sequence[Outgoing]]] = []

    def commit(
        self, message: bytes, outgoing: Sequence[Outgoing] = (), events: Sequence[Told] = ()
    ) -> int:
        self.commits.append((message, outgoing))
        return len(self.commits)

    def told(self) -> list[tuple[int, str, Any, str]]:
        """Return (partition, kind, customer, body) of what the last transaction tells the log."""
        found = []
        for one in self.commits[-1][1]:
            block = incoming("t", one.partition, 0, 0, one.value, one.headers).block(0, -1)
            found += [(one.partition, kind, who, body) for _, kind, who, body in records_of(block)]
        return found


class Desk:
    """A sender's ledger, and what does what is asked."""

    def __init__(self, folder: Path) -> None:
        toml = 'name = "Test"\nzone = "UTC"\npartitions = 3\n\n[groups]\nvalue = ["vip", "普通"]\n'
        channels = "sms:\n  address: phone\n  templates:\n    hi: 'you spent {{ fen }}'\n"
        files = {"tintype.toml": toml, "channels.yaml": channels}
        self.shop = load_shop(write_shop(folder / "shop", files))
        self.journal = Journal()
        self.ledger = LoggedLedger(folder / "sender", self.journal)
        self.revocations = TopicRevocations(
            folder / "sender", "t", 3, lambda: START, partial(has_opted_out, self.ledger)
        )
        self.switches = TopicSwitches(self.ledger, self.revocations, 3)
        self.asking = Asking(self.switches)

    def tell(self) -> dict[str, list[str]]:
        """Tell the log of answers; return what it was told of each customer."""
        before = len(self.journal.commits)
        found: dict[str, list[str]] = {}
        if tell_log(self.ledger, self.shop, self.revocations):
            assert len(self.journal.commits) == before + 1, "one transaction"
            for _, kind, who, body in self.journal.told():
                said = body if kind == "consent" else json.loads(body)["state"]
                found.setdefault(who.hex(), []).append(said)
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    queue(made.ledger, [1])
    made.ledger.write([Step(1, Event.CLAIM, START, LANE)])
    made.ledger.write([Step(1, Event.ACCEPT, START, outcome=Accepted("r1"))])
    yield made
    made.ledger.close()
    made.revocations.close()


def test_a_switch_is_in_every_partition_and_holds_at_once(desk: Desk) -> None:
    before = len(desk.journal.commits)
    desk.asking.do([asked.Switch("channel/sms", True, "试"), asked.Switch("", True, ""),
                    asked.Switch("", False, "")], 7)  # fmt: skip
    assert len(desk.journal.commits) == before + 1, "one transaction"
    bodies = [(number, json.loads(body)["what"]) for number, _, _, body in desk.journal.told()]
    assert bodies == [(number, what) for number in range(3) for what in ("channel/sms", "", "")]
    assert desk.revocations.off() == ["channel/sms"]
    assert off(desk.ledger.connection) == {"channel/sms": "试"}
    assert desk.ledger.reached(asked.ASKED) == {0: 7}


def test_a_pause_is_of_the_ledger_alone_and_a_stop_ends_it(desk: Desk) -> None:
    queue(desk.ledger, [2])
    desk.asking.do([asked.Switch("channel/sms", False, "试", paused=True, at=START)], 7)
    assert desk.journal.told() == []
    assert pauses(desk.ledger) == {"channel/sms": "试"}
    assert desk.ledger.waiting("sms", [0], START, 9) == []
    desk.asking.do([asked.Switch("channel/sms", True, "试", at=START + 1)], 8)
    assert pauses(desk.ledger) == {}
    [row] = desk.ledger.waiting("sms", [0], START, 9)
    assert desk.revocations.off() == ["channel/sms"]
    assert row.number == 2
    desk.asking.do([asked.Switch("", False, "", paused=True, at=START),
                    asked.Switch("", False, "", at=START + 2)], 9)  # fmt: skip
    assert pauses(desk.ledger) == {}


def test_who_unsubscribes_is_told_by_the_message_and_by_the_address(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """By whatever is known; where nothing is, it is said."""
    given = [Receipt("r1", "unsubscribed"), Receipt(None, "unsubscribed"), Receipt(None, "unsubscribed"),
             Receipt("r1", "replied"), Receipt("r1", "delivered")]  # fmt: skip
    whom = [["cd" * 16], ["ab" * 16, "ef" * 16], [], [], []]
    desk.asking.do([asked.Receipts(LANE, given, whom, START)], 9)
    assert desk.journal.told() == []
    assert desk.tell() == {
        ONE: [WITHDRAWN, "unsubscribed", "replied", "delivered"],
        "ab" * 16: [WITHDRAWN], "cd" * 16: [WITHDRAWN], "ef" * 16: [WITHDRAWN],
    }  # fmt: skip
    assert desk.tell() == {}
    assert states(desk.ledger) == {1: "delivered"}
    [line] = [one.message for one in caplog.records]
    assert line.startswith("sms: a message that is not known unsubscribes, and no customer is known by it")


def test_what_a_former_release_asked_is_understood(desk: Desk) -> None:
    given = [{"reference": None, "state": "unsubscribed"}] * 2
    message = {"type": "receipts", "provider": LANE, "receipts": given, "at": 1} | {
        "by_address": ["ab" * 16, None]
    }
    desk.asking.do([asked.decoded(json.dumps(message))], 9)
    assert desk.tell() == {"ab" * 16: [WITHDRAWN]}


def test_an_answer_holds_back_what_waits_before_and_behind_its_record(desk: Desk) -> None:
    """The consent counts when it is written, although this sender reads its own records a moment later."""
    trigger: Any = SimpleNamespace(
        purpose="marketing", action=SimpleNamespace(channel="sms"), guards=SimpleNamespace(consent=None)
    )
    assert desk.revocations.of(decided(1), trigger) is None
    stop = Receipt("r1", "unsubscribed", address="138", text="TD")
    assert desk.ledger.receive(LANE, [stop], START) == [ONE]
    assert b"138" not in desk.journal.commits[-1][0]
    assert b"TD" not in desk.journal.commits[-1][0]
    assert desk.revocations.of(decided(1), trigger) == "unsubscribed from sms"
    assert desk.revocations.of(decided(2), trigger) is None
    desk.tell()
    assert desk.revocations.of(decided(1), trigger) == "consent to sms/marketing is withdrawn"
    trigger.purpose = "transactional"
    assert desk.revocations.of(decided(1), trigger) is None


def test_a_consent_that_is_over_holds_back_only_what_asks_for_it(desk: Desk) -> None:
    said = {"channel": "sms", "purpose": "marketing", "granted": True, "until": 1}
    desk.revocations.take("consent", bytes.fromhex(ONE), canonical(said))
    trigger: Any = SimpleNamespace(
        purpose="marketing", action=SimpleNamespace(channel="sms"), guards=SimpleNamespace(consent=None)
    )
    assert desk.revocations.of(decided(1), trigger) is None
    trigger.guards.consent = "sms/marketing"
    assert desk.revocations.of(decided(1), trigger) == "consent to sms/marketing is over"


def test_an_act_that_cannot_be_is_passed_over(desk: Desk) -> None:
    acts = [asked.Act(ONE, Event.SETTLE_FAILED, "no", START), asked.Act("f" * 32, Event.RESEND, "no", START)]
    desk.asking.do(acts, 3)
    assert states(desk.ledger) == {1: "sent"}
    assert desk.ledger.rows("SELECT * FROM by_hand") == []
    assert desk.ledger.reached(asked.ASKED) == {0: 3}


def test_codes_are_loaded_and_redeemed_once_however_often_it_is_asked(desk: Desk) -> None:
    """Whoever asked finds in the ledger what came of it."""
    codes, told = ["C1", "C2", "C1"], [Redemption("spring", "C1", "api o1", START, ONE)]
    for at, following in ((1.25, 3), (2.5, 6)):
        desk.asking.do([*asked.to_load("spring", codes, at), *asked.to_redeem(told)], following)
    assert loaded_by(desk.ledger, "spring", codes, 1.25) == Loaded(2, 1)
    assert loaded_by(desk.ledger, "spring", codes, 2.5) == Loaded(0, 3)
    assert written(desk.ledger, [*told, replace(told[0], code="C2"), replace(told[0], code="C3")]) == [
        "never claimed", None, "unknown",
    ]  # fmt: skip
    assert desk.ledger.rows("SELECT count(*) FROM redemption") == [(1,)]
    assert desk.ledger.reached(asked.ASKED) == {0: 6}
    assert desk.journal.told() == []


def test_what_is_asked_at_once_is_cut_into_messages() -> None:
    codes = ["券" * 100] * 2500
    loads = asked.to_load("p" * 100, codes, 1.5)
    assert [code for one in loads if isinstance(one, asked.Codes) for code in one.codes] == codes
    told = [Redemption("p" * 100, code, "单" * 300, 1.5, ONE) for code in codes]
    redeems = asked.to_redeem(told)
    assert [each for one in redeems if isinstance(one, asked.Redeem) for each in one.told] == told
    sizes = [len(asked.encoded(one)) for one in (*loads, *redeems)]
    assert max(sizes) < 1_000_000
    assert max(sizes[: len(loads)]) < 512 << 10


def test_messages_come_back_as_they_were() -> None:
    receipt = Receipt("r", "failed", 2.0, "C", "晚")
    for one in (asked.Codes("春", ["券1"], 1.5), asked.Redeem([Redemption("春", "券1", "o", 1.5)]),
                asked.Act(ONE, Event.RESEND, "问", 1.5), asked.Switch("", True, ""),
                asked.Receipts(LANE, [receipt], [["ab" * 16]], 3.0)):  # fmt: skip
        assert asked.decoded(asked.encoded(one)) == one


def test_an_index_that_is_not_whole_lets_nobody_be_without_an_address() -> None:
    index: Any = SimpleNamespace(life=lambda: None, references=lambda asked: [None] * len(asked))
    with pytest.raises(Away, match="not whole"):
        Addresses(index, SECRET, {}).prepare([])
    with pytest.raises(Away, match="not whole"):
        Addresses(index, SECRET, {}).customers_at(["phone:138", "phone:+86138"])
    index.life = lambda: "whole"
    assert Addresses(index, SECRET, {}).customers_at(["phone:138"]) == []
    index.references = lambda _: [b"r" + b"\xab" * 16 + b"s", None, b"r" + b"\xab" * 16 + b"w"]
    assert Addresses(index, SECRET, {}).customers_at(["phone:1", "phone:2", "phone:3"]) == ["ab" * 16]
