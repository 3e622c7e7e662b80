"""Rows that redeem codes, and who is erased, by the topic `changes`: each once, whoever sends, whatever is
killed."""

from __future__ import annotations

import random
import zlib
from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import app.worker.coupons
from app.worker.coupons import AGAIN_SECONDS, ERASED, TopicCoupons
from engine.outcome import Decision
from sinks.coupons.claims import Claims
from sinks.coupons.codes import codes_of, load
from sinks.coupons.following import name_of
from sinks.coupons.pool import Pool, Redeemed
from sinks.coupons.records import CodesForgotten
from sinks.deliveries.delivery import Step
from sinks.deliveries.life import Event
from sinks.deliveries.logged import LedgerCopy, LoggedLedger
from streams.changes.controls import control_message
from streams.changes.wire import Outgoing, outgoing
from streams.control import ERASE, Control
from streams.log.block import ROW_FIELDS, Block, encode_tables
from tests.app.forecast_senders import Record
from tests.sinks.dispatching import MINUTE, START, decided, route
from tests.sinks.killed_dispatch import Fate, Killed
from tests.sinks.test_logged_ledger import Topic

PARTITIONS = 2
ORDERS = Redeemed(source="orders", code="voucher")
POOLS = {"spring": Pool(redeemed=ORDERS), "summer": Pool(redeemed=ORDERS), "plain": Pool()}
CODES = [f"C{at}" for at in range(12)]
Row = tuple[int, int, str | None]  # key, customer, code


def rows_message(rows: Sequence[Row], partition: int) -> Outgoing:
    """Return rows of orders as a message of the log."""
    fixed = {"op": 0, "epoch": 0, "position": 0, "offset": 0, "event_us": int(START * 1e6),
             "reference": None, "minute": MINUTE}  # fmt: skip
    given = [
        {**fixed, "ordinal": at, "customer": whose.to_bytes(16, "big"), "key_high": 0, "key_low": key,
         "voucher": code}
        for at, (key, whose, code) in enumerate(rows)
    ]  # fmt: skip
    table = pa.Table.from_pylist(given, pa.schema([*ROW_FIELDS, pa.field("voucher", pa.utf8())]))
    payload = encode_tables({"orders": table})
    return outgoing(Block(partition, 0, len(rows), "live", MINUTE, MINUTE, payload), ["orders"])


class World:
    """Topics as lists, and senders one after the other."""

    def __init__(self, folder: Path, kills: Collection[int] = (), pools: Any = POOLS) -> None:
        self.folder, self.pools, self.ledger_topic = folder, pools, Topic()
        self.changes: list[list[Record]] = [[] for _ in range(PARTITIONS)]
        self.fate = Fate(())
        self.kills, self.lives, self.now = kills, 0, START
        self.said: list[str] = []
        self.ledger: LoggedLedger
        self.begin()
        for pool in ("spring", "summer"):
            load(self.ledger, pool, CODES[: 8 if pool == "spring" else 4], 0.0)

    def commit(self, message: bytes, *_: object) -> int:
        self.fate.moment()
        offset = self.ledger_topic.commit(message)
        self.fate.moment()
        return offset

    def begin(self) -> None:
        """Begin as another worker, or the same one again."""
        self.lives += 1
        if self.lives > 1:
            self.ledger.close()
        self.fate.dead = False
        self.ledger = LoggedLedger(self.folder / str(self.lives // 2), self)
        self.ledger.connection.execute("PRAGMA synchronous = OFF")
        self.ledger.follow([one for one in self.ledger_topic.messages if one[0] >= self.ledger.next])
        self.coupons = TopicCoupons(
            "t", self.ledger, self.pools, PARTITIONS, self.said.append, lambda: self.now
        )
        self.reads = dict(self.coupons.next)

    def append(self, one: Outgoing) -> None:
        there = self.changes[one.partition]
        there.append(Record(2 * len(there), int(self.now * 1000), one.value, one.headers))

    def erase(self, customer: int) -> None:
        self.append(control_message([Control(ERASE, customer.to_bytes(16, "big"), "{}")], 0))

    def read(self, most: int = 1000) -> bool:
        """Read a fetch of up to so many messages a partition; return whether there was any."""
        fetched = {}
        for number, records in enumerate(self.changes):
            some = [one for one in records if one.offset >= self.reads[number]][:most]
            if some:
                fetched[number] = some
                self.reads[number] = some[-1].offset + 1
        self.coupons.read(fetched)
        self.coupons.step()
        return bool(fetched)

    def read_all(self, chance: random.Random) -> None:
        """Read to the end, through every kill."""
        self.fate = Fate(self.kills)
        while True:
            try:
                while self.read(chance.randint(1, 2)):
                    pass
                return
            except Killed:
                self.begin()

    def redeemed(self) -> list[tuple[Any, ...]]:
        return self.ledger.rows(
            "SELECT pool, code, mark, customer, odd FROM redemption JOIN coupon USING (place) "
            "ORDER BY 1, 2, 3"
        )

    def decide(self, number: int, **changed: Any) -> Decision:
        """Queue a delivery, let it have a code, and send it."""
        one = decided(number, **changed)
        self.ledger.take("decisions", [(one, route())], {0: number})
        claims = Claims(self.ledger, self.pools, lambda _: "spring", "UTC", self.said.append)
        claims.claim(self.ledger.waiting("sms", [0], START + 900.0, 9), START)
        steps = [Step(number, each, START, "sms/0") for each in (Event.CLAIM, Event.GIVE_UP)]
        self.ledger.write(steps)
        return one


def filled(folder: Path, kills: Collection[int] = ()) -> World:
    """Return a world whose log tells of codes: known, of nobody, twice by one row, and by two rows. Those of
    one code are of one partition, which has an order."""
    world = World(folder, kills)
    every: list[Row] = [(at, at % 5, CODES[at] if at < len(CODES) else None) for at in range(15)]
    every += [(3, 3, CODES[3]), (20, 1, CODES[3]), (21, 1, " C4 "), (22, 1, "NONE")]
    for number in range(PARTITIONS):
        mine = [one for one in every if zlib.crc32((one[2] or "").strip().encode()) % PARTITIONS == number]
        for at in range(0, len(mine), 2):
            world.append(rows_message(mine[at : at + 2], number))
    return world


def test_each_row_counts_once_at_whatever_moment_senders_are_killed(tmp_path: Path) -> None:
    whole = filled(tmp_path / "whole")
    whole.read_all(random.Random(1))
    wanted = whole.redeemed()
    assert len(wanted) == 8 + 4 + 3
    assert {odd for *_, odd in wanted} == {"never claimed", "again"}
    count = whole.fate.moments
    assert count >= 8
    for kill in range(1, count + 1):
        world = filled(tmp_path / str(kill), {kill, kill + 5})
        world.read_all(random.Random(1))
        assert world.lives >= 2
        assert world.redeemed() == wanted, f"killed at {kill} of {count}"
        world.begin()
        before = len(world.ledger_topic.messages)
        world.read_all(random.Random(2))
        assert (world.redeemed(), len(world.ledger_topic.messages)) == (wanted, before), "told again: nothing"
        with closing(LedgerCopy(world.folder / "copy")) as copy:
            copy.follow(world.ledger_topic.messages)
            assert list(copy.connection.iterdump()) == list(world.ledger.connection.iterdump())
        world.ledger.close()


def test_a_sender_goes_on_where_the_ledger_says(tmp_path: Path) -> None:
    world = filled(tmp_path)
    world.read()
    ends = {number: 2 * len(records) - 1 for number, records in enumerate(world.changes)}
    world.begin()
    assert world.coupons.next == ends
    load(world.ledger, "summer", ["NONE"], 1.0)
    world.pools = {**POOLS, "spring": Pool(redeemed=Redeemed(source="orders", code="other"))}
    world.begin()
    assert world.coupons.next == {0: 0, 1: 0}, "another column is read from the first row on"
    assert world.ledger.reached(ERASED) == ends
    before = world.redeemed()
    world.read()
    assert world.redeemed() == before, "that column has nothing, and rows of the other pool were read"


def test_what_tells_nothing_is_read_again_up_to_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.worker.coupons, "UNSAID", 3)
    world = World(tmp_path)
    for _ in range(4):
        world.append(rows_message([(1, 1, "NONE")], 0))
        world.read()
    assert world.ledger.reached(name_of("spring", ORDERS)) == {0: 5, 1: 0}
    assert world.said == []


def test_many_redemptions_are_several_records_and_the_last_says_how_far(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.worker.coupons, "_TOGETHER", 3)
    world = World(tmp_path)
    world.append(rows_message([(at, 1, CODES[at]) for at in range(8)], 1))
    before = len(world.ledger_topic.messages)
    world.kills = {4}  # behind the second of four
    world.read_all(random.Random(1))
    assert (world.lives, len(world.redeemed())) == (2, 12)
    assert len(world.ledger_topic.messages) - before == 2 + 2
    assert world.ledger.reached(ERASED) == {0: 0, 1: 1}
    line = "coupons: pool 'spring': 3 redeemed never claimed (tintype coupons SHOP show spring --cluster)"
    assert line in world.said


def test_who_is_erased_has_no_code_whoever_is_killed_and_who_comes_later_keeps_theirs(tmp_path: Path) -> None:
    world = World(tmp_path, {2})
    one, other = 7, f"{7:032x}"
    world.decide(1, customer=other)
    world.append(rows_message([(1, one, "C0")], 0))
    world.now = (MINUTE + 2) * 60.0
    world.erase(one)
    world.append(rows_message([(2, 3, "C6")], 0))
    world.read_all(random.Random(1))
    assert world.lives == 2
    assert codes_of(world.ledger, other) == []
    assert world.redeemed()[0][3] is None
    world.decide(2, customer=other)  # it was on its way
    world.decide(3, customer=other, minute=MINUTE + 3)  # somebody new
    world.begin()
    assert world.ledger.reached(ERASED) == {0: 2, 1: 0}, "an erasure is held until it was taken in twice"
    world.read()
    assert [one.code for one in codes_of(world.ledger, other)] == ["C2"]
    world.decide(4, customer=other)
    world.now += AGAIN_SECONDS
    world.read()
    assert [one.code for one in codes_of(world.ledger, other)] == ["C2"]
    assert world.ledger.rows("SELECT count(claimed) FROM coupon") == [(4,)], "codes stay used"
    world.append(rows_message([(9, 1, "C5")], 1))
    world.read()
    assert world.ledger.reached(ERASED) == {0: 5, 1: 1}
    before = len(world.ledger_topic.messages)
    world.erase(99)
    world.read()
    assert len(world.ledger_topic.messages) == before, "who never had a code is no record"
    world.ledger.do(CodesForgotten(other))
    assert codes_of(world.ledger, other) == []


def test_a_shop_that_has_no_codes_follows_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, pools={})
    world.begin()
    assert world.coupons.has_work, "codes of pools that are gone are somebody's"
    world.ledger_topic = Topic()
    world.folder = tmp_path / "other"
    world.begin()
    assert not world.coupons.has_work
