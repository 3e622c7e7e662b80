"""A ledger follows from its records alone: whoever replays them has what the one that wrote them has."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from engine.outcome import Decision
from sinks.channels.outcome import Accepted, Outcome, Refused, Unknown
from sinks.channels.provider import Receipt
from sinks.coupons.claims import Claims
from sinks.coupons.pool import Pool
from sinks.coupons.records import CodesForgotten, CodesLoaded, CodesRedeemed
from sinks.coupons.redeeming import Redemption
from sinks.deliveries.answers import untold
from sinks.deliveries.capped import Capped
from sinks.deliveries.delivery import Step, Way, Withheld
from sinks.deliveries.ended import ended
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import Event
from sinks.deliveries.listing import off
from sinks.deliveries.logged import LedgerCopy, LoggedLedger
from sinks.deliveries.quiet import Quiet
from sinks.deliveries.records import (
    Acted,
    AnswersTold,
    EndsTold,
    Moved,
    Off,
    Record,
    Stepped,
    Switched,
    SwitchesTold,
    Taken,
    decoded,
    encoded,
    reached,
)
from sinks.deliveries.tables import FILE_NAME
from sinks.topics.events import Event as Told
from streams.changes.wire import Outgoing
from tests.sinks.dispatching import MINUTE, START, decided, route, states

LANES = ("sms/0", "sms/1")
NIGHT = Quiet(22 * 60, 8 * 60, "Asia/Shanghai")


class Topic:
    """A topic of one partition, in which transactions take offsets too."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, bytes]] = []

    def commit(
        self, message: bytes, outgoing: Sequence[Outgoing] = (), events: Sequence[Told] = ()
    ) -> int:
        offset = 2 * len(self.messages)
        self.messages.append((offset, message))
        return offset


@contextmanager
def opened(folder: Path, topic: Topic) -> Iterator[LoggedLedger]:
    made = LoggedLedger(folder, topic)
    yield made
    made.close()


def dump(ledger: Ledger) -> list[str]:
    """Return the whole file as statements."""
    return list(ledger.connection.iterdump())


def replayed(folder: Path, messages: list[tuple[int, bytes]], chance: random.Random) -> list[str]:
    """Follow messages in pieces of any size, some of them twice; return the dump."""
    copy, at = LedgerCopy(folder), 0
    while at < len(messages):
        size = chance.randint(1, 40)
        copy.follow(messages[max(0, at - chance.randint(0, 3)) : at + size])
        at += size
    found = dump(copy)
    copy.close()
    return found


class Life:
    """Whatever can happen to a ledger, by chance."""

    def __init__(self, ledger: LoggedLedger, chance: random.Random) -> None:
        self._ledger, self._chance = ledger, chance
        self._made, self._now = 0, START
        self._references: list[str] = []

    def happen(self) -> None:
        """Let one thing happen."""
        self._now += self._chance.random() * 400
        does = [self._take, self._carry, self._carry, self._receive, self._act, self._expire, self._tell,
                self._recover, self._claim, self._change_codes]  # fmt: skip
        self._chance.choices(does, [4, 6, 6, 4, 3, 1, 2, 1, 4, 3])[0]()

    def _take(self) -> None:
        chance = self._chance
        made: list[tuple[Decision, Way]] = []
        for _ in range(chance.randint(1, 6)):
            self._made += chance.random() < 0.9  # else it is one that is known
            one = decided(self._made, outcome=chance.choice(["act", "act", "act", "refused"]),
                          values={"名": 1.5, "n": self._made})  # fmt: skip
            purpose = chance.choice(["marketing", "transactional"])
            lasts, quiet = chance.choice([300.0, 86400.0]), chance.choice([None, NIGHT])
            caps = chance.choice([(), (Capped("周", 3, 10_080), Capped("日", 1, 1440))])
            way = route(purpose, lasts=lasts, quiet=quiet, caps=caps)  # type: ignore[arg-type]  # one of both
            ways: list[Way] = ["there is no channel", Withheld(way, "too many"), way]
            made.append((one, chance.choices(ways, [2, 1, 7])[0]))
        self._ledger.take("decisions", made, {0: self._made, 2: self._made // 2})

    def _carry(self) -> None:
        rows = self._ledger.waiting("sms", [0, 1], self._now, self._chance.randint(1, 5))
        lane = self._chance.choice(LANES)
        self._ledger.write([Step(one.number, Event.CLAIM, self._now, lane) for one in rows])
        if self._chance.random() < 0.2:
            return  # its end is not known
        self._ledger.write([self._settled(one.number) for one in rows])

    def _settled(self, number: int) -> Step:
        chance, now = self._chance, self._now + 0.25
        outcome: Outcome = Accepted(f"r{len(self._references)}", chance.randint(1, 3))
        event = chance.choice([Event.ACCEPT, Event.REFUSE, Event.GIVE_UP, Event.BREAK])
        if event is Event.ACCEPT:
            self._references.append(f"r{len(self._references)}")
            return Step(number, event, now, outcome=outcome)
        if event is Event.BREAK:
            outcome = Unknown("短信 the line to 13800001001 broke")
            return Step(number, event, now, outcome=outcome, reason="broke")
        verdict = "give_up" if event is Event.GIVE_UP else chance.choice(["retry", "stop"])
        outcome = Refused(verdict, "E1", "to a@b.cn: no", 9.0)  # type: ignore[arg-type]  # a verdict
        return Step(number, event, now, outcome=outcome, due=now + chance.random(), turn=1, reason="E1")

    def _receive(self) -> None:
        chance = self._chance
        names = [*self._references[-9:], f"r{len(self._references)}", f"{chance.randint(1, 9):032x}"]
        given = [
            Receipt(chance.choice(names), chance.choice(["delivered", "failed", "replied", "unsubscribed"]),
                    chance.choice([None, self._now]), "C", "to 13800001001", "13800001001", "TD")
            for _ in range(chance.randint(1, 4))
        ]  # fmt: skip
        whom = [[f"{chance.randint(1, 9):032x}" for _ in range(chance.randint(0, 2))] for _ in given]
        self._ledger.receive(chance.choice(LANES), given, self._now, whom)

    def _act(self) -> None:
        event = self._chance.choice([Event.RESEND, Event.SETTLE_DELIVERED, Event.SETTLE_FAILED, Event.CLAIM])
        name = f"{self._chance.randint(1, self._made + 2):032x}"
        self._ledger.do(Acted(name, event, "问过", self._now), reached("asked", {0: self._made}))

    def _expire(self) -> None:
        self._ledger.expire(self._now, 3)

    def _tell(self) -> None:
        over, answered = ended(self._ledger, 4), untold(self._ledger, 3)
        self._ledger.do(AnswersTold([one.id for one in answered]))
        self._ledger.do(Switched("channel/sms", self._chance.random() < 0.5, "测试", self._now))
        is_off = Off(["", "channel/短信"], {"channel/短信": "测试"})
        self._ledger.do(EndsTold([one.number for one in over]), is_off)
        self._ledger.do(SwitchesTold(self._chance.randint(0, 3)))

    def _claim(self) -> None:
        """Codes for some of what waits; whoever replays it may know other pools."""
        rows = self._ledger.waiting("sms", [0, 1], self._now, self._chance.randint(1, 5))
        pools = {"spring": Pool(expires="30d"), "summer": Pool(per_customer=self._chance.randint(1, 2))}
        chosen = {one.number: self._chance.choice(["spring", "summer", ""]) for one in rows}
        claims = Claims(self._ledger, pools, lambda one: chosen[one.number], "Asia/Shanghai", lambda _: None)
        claims.claim(rows, self._now)
        if self._chance.random() < 0.15:  # nobody can have seen these: their codes go back
            self._ledger.write([Step(one.number, Event.HOLD_BACK, self._now, reason="短") for one in rows])

    def _change_codes(self) -> None:
        chance, pool = self._chance, self._chance.choice(["spring", "summer"])
        codes = [f"券{chance.randint(1, 40)}" for _ in range(4)]
        whose = f"{chance.randint(1, 9):032x}"
        told = [
            Redemption(pool, one, f"o{chance.randint(1, 9)}", self._now, chance.choice([None, whose]))
            for one in codes
        ]  # fmt: skip
        until = chance.choice([None, MINUTE, MINUTE - 1])
        records: list[Record] = [
            CodesLoaded(pool, codes, self._now), CodesRedeemed(told[:2]), CodesForgotten(whose, until)
        ]  # fmt: skip
        self._ledger.do(*chance.sample(records, chance.randint(1, 3)))

    def _recover(self) -> None:
        self._ledger.recover(self._now)


@pytest.mark.parametrize("seed", range(12))
def test_a_ledger_replayed_from_its_records_is_the_one_that_wrote_them(seed: int, tmp_path: Path) -> None:
    chance, topic = random.Random(seed), Topic()
    with opened(tmp_path / "own", topic) as ledger:
        life = Life(ledger, chance)
        for _ in range(260):
            life.happen()
        written, reaches = dump(ledger), set(states(ledger).values())
        [counted] = ledger.rows(
            "SELECT count(claimed), count(redeemed), count(*), (SELECT count(*) FROM gone) FROM coupon"
        )
    assert len(reaches) >= 5
    assert min(counted) > 0
    assert replayed(tmp_path / "copy", topic.messages, chance) == written


def test_what_is_replayed_twice_by_two_who_share_a_file_counts_once(tmp_path: Path) -> None:
    topic = Topic()
    with opened(tmp_path / "own", topic) as ledger:
        life = Life(ledger, random.Random(1))
        for _ in range(40):
            life.happen()
        written = dump(ledger)
    one, other = LedgerCopy(tmp_path / "shared"), LedgerCopy(tmp_path / "shared")
    for message in topic.messages:
        one.follow([message])
        other.follow([message])
    assert dump(other) == written
    assert one.next == other.next == topic.messages[-1][0] + 1
    one.close()
    other.close()


def test_a_sender_of_a_former_release_has_told_no_reasons(tmp_path: Path) -> None:
    """Its records and its file are taken over."""
    with contextlib.closing(sqlite3.connect(tmp_path / FILE_NAME)) as former:
        former.execute("CREATE TABLE off (what TEXT PRIMARY KEY)")
        former.execute("INSERT INTO off VALUES ('trigger/a')")
        former.commit()
    copy = LedgerCopy(tmp_path)
    assert off(copy.connection) == {"trigger/a": ""}
    copy.follow([(0, b'[{"type":"off","names":["channel/sms"]}]')])
    assert off(copy.connection) == {"channel/sms": ""}
    copy.follow([(1, encoded([Off(["trigger/a"], {"trigger/a": "fired"})]))])
    assert off(copy.connection) == {"trigger/a": "fired"}
    copy.close()


def test_what_is_not_committed_is_not_posted(tmp_path: Path) -> None:
    class Gone(Topic):
        def commit(
            self, message: bytes, outgoing: Sequence[Outgoing] = (), events: Sequence[Told] = ()
        ) -> int:
            raise ConnectionError("fenced")

    topic = Topic()
    with opened(tmp_path, topic) as ledger:
        ledger.take("decisions", [(decided(1), route())], {0: 1})
        before = dump(ledger)
    with opened(tmp_path, Gone()) as ledger:
        with pytest.raises(ConnectionError):
            ledger.write([Step(1, Event.CLAIM, START, "sms/0")])
        assert dump(ledger) == before


def test_a_copy_refuses_to_be_written(tmp_path: Path) -> None:
    copy = LedgerCopy(tmp_path)
    with pytest.raises(TypeError):
        copy.recover(START)
    copy.close()


def test_records_come_back_as_they_were_but_for_what_nobody_may_keep() -> None:
    refused = Step(1, Event.REFUSE, START, outcome=Refused("retry", "E", "to 13800001001", 3.0), due=START)
    late = Step(3, Event.TOO_LATE, 1.5, reason="晚")
    steps = Stepped([Step(2, Event.CLAIM, START, "sms/0"), refused, late])
    records: list[Record] = [Taken([(decided(1), route()), (decided(2), "why"), (decided(3), None)]), steps]
    back = decoded(encoded(records))
    assert back[0] == records[0]
    moved = Moved([msgspec.Raw(b'{"what":"vip"}')], 29_540_000)
    assert decoded(encoded([moved])) == [moved]
    kept = replace(refused, outcome=Refused("retry", "E", "to …"))
    assert back[1] == Stepped([steps.steps[0], kept, steps.steps[2]])
