"""Killed between any two steps of a delivery whose message says a code: a decision has one code for good."""

from __future__ import annotations

import random
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from sinks.channels.message import HeldBack, Message
from sinks.channels.outcome import Outcome
from sinks.coupons.claims import Claims
from sinks.coupons.codes import load
from sinks.coupons.pool import Pool
from sinks.deliveries import lane, tables
from sinks.deliveries import ledger as ledger_file
from sinks.deliveries.delivery import Queued
from sinks.deliveries.dispatch import Dispatcher
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.logged import LedgerCopy, LoggedLedger
from tests.laws.effort import LONG
from tests.sinks.dispatching import dispatcher_of, make
from tests.sinks.killed_dispatch import Fate, MortalLedger, World
from tests.sinks.test_logged_ledger import Topic

DECISIONS = 4
NOBODY = 1  # the decision whose customer has no address: its code goes back


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two messages a batch; and no waiting for the disk, since no power fails here."""

    def connect(folder: Path, write: bool) -> sqlite3.Connection:
        connection = tables.connect(folder, write)
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    monkeypatch.setattr(lane, "BATCH", 2)
    monkeypatch.setattr(ledger_file, "connect", connect)


class Shop(World):
    """A world whose messages say codes of a pool. durable: False takes the claims back, to see that the
    tests would notice."""

    def __init__(
        self, folder: Path, kills: Collection[int], seed: int, codes: int, durable: bool = True
    ) -> None:
        super().__init__(folder, kills, seed, DECISIONS)
        self.folder, self._durable = folder, durable
        self.said: dict[str, set[str]] = defaultdict(set)  # decision -> the codes that came out
        ledger = self._begun()
        load(ledger, "spring", [f"C{at}" for at in range(codes)], 0.0)
        ledger.close()

    def _begun(self) -> Ledger:
        return Ledger(self.folder)

    def _opened(self) -> Ledger:
        self._own = self._begun()
        return self._own

    def _dispatcher(self, ledger: MortalLedger, channels: Mapping[str, Sequence[Any]]) -> Dispatcher:
        claims = Claims(ledger, {"spring": Pool()}, lambda _: "spring", "UTC", lambda _: None)  # type: ignore[arg-type]  # all that it asks

        def prepare(rows: Sequence[Queued], now: float) -> None:
            claims.claim(rows, now)
            if not self._durable:
                self._own.connection.execute("UPDATE coupon SET number = NULL, claimed = NULL")

        def message(row: Queued) -> Message:
            code = claims.of(row)
            assert code is not None
            if row.decision.step == NOBODY:
                raise HeldBack("the customer has no phone")
            return replace(make(row), text=code.code)

        return dispatcher_of(ledger, channels, lambda: self._now, made=message, prepare=prepare)

    def answer(self, name: str, message: Message) -> Outcome:
        before = self.out[message.id]
        outcome = super().answer(name, message)
        if self.out[message.id] > before:
            self.said[message.id].add(message.text)
        return outcome

    def faults(self, codes: int) -> list[str]:
        """Live to the end; return what was done wrong."""
        states = self.live_out()
        ledger = self._begun()
        held = dict(ledger.rows("SELECT id, code FROM coupon JOIN decision USING (number)"))
        [(free,)] = ledger.rows("SELECT count(*) FROM coupon WHERE claimed IS NULL")
        ledger.close()
        found = [f"{one} said {len(said)} codes" for one, said in self.said.items() if len(said) > 1]
        found += [f"{one} said what it has not" for one, said in self.said.items() if said != {held.get(one)}]
        if len({*held.values()}) != len(held):
            found.append("two decisions have a code")
        if len(held) + free != codes:
            found.append(f"{codes - free - len(held)} codes are lost")
        if codes > DECISIONS and len(held) != DECISIONS - 1:
            found.append(f"{len(held)} decisions have codes")
        if codes < DECISIONS and free > 1:  # where there are few, what goes back may come too late for one
            found.append(f"{free} codes are left, and decisions without one")
        found += [f"{at} is {state}" for at, state in states.items() if state in ("queued", "claimed")]
        return found


class Clustered(Shop):
    """The same in a cluster: each life is another worker's, whose file is the last one's, or has to be made
    from the topic. It is also killed between a commit to the topic and what it does to the file."""

    def __init__(self, folder: Path, kills: Collection[int], seed: int, codes: int) -> None:
        self._topic, self._begins = Topic(), 0
        self._fate: Fate | None = None  # nobody is killed who loads codes
        super().__init__(folder, kills, seed, codes)
        self._fate = self.fate

    def commit(self, message: bytes, *_: object) -> int:
        if self._fate is not None:
            self._fate.moment()
        offset = self._topic.commit(message)
        if self._fate is not None:
            self._fate.moment()
        return offset

    def _begun(self) -> Ledger:
        self._begins += 1
        own = LoggedLedger(self.folder / str(self._begins // 2), self)
        own.connection.execute("PRAGMA synchronous = OFF")
        own.follow([one for one in self._topic.messages if one[0] >= own.next])
        return own

    def faults(self, codes: int) -> list[str]:
        self._fate = self.fate
        found = super().faults(codes)
        with closing(self._begun()) as sender, closing(LedgerCopy(self.folder / "copy")) as copy:
            copy.follow(self._topic.messages)
            if list(copy.connection.iterdump()) != list(sender.connection.iterdump()):
                found.append("a copy has something else")
        return found


FORMS: dict[str, type[Shop]] = {"embedded": Shop, "cluster": Clustered}


def moments(form: str, folder: Path, seed: int, codes: int) -> int:
    """Return how many moments there are to be killed at."""
    shop = FORMS[form](folder, (), seed, codes)
    assert shop.faults(codes) == []
    return shop.fate.moments


@pytest.mark.parametrize("codes", [10, 3])
@pytest.mark.parametrize("form", FORMS)
def test_killed_once_at_each_single_moment(form: str, tmp_path: Path, codes: int) -> None:
    count = moments(form, tmp_path / "whole", 0, codes)
    assert count > 20
    kills = range(1, count + 1)
    for kill in kills if LONG or codes > DECISIONS else random.Random(2).sample(kills, 12):
        shop = FORMS[form](tmp_path / str(kill), (kill,), 0, codes)
        assert shop.faults(codes) == [], f"killed at {kill} of {count}"
        assert shop.lives == 2


@pytest.mark.parametrize("form", FORMS)
def test_killed_at_any_two_moments(form: str, tmp_path: Path) -> None:
    count = moments(form, tmp_path / "whole", 1, 10)
    pairs = list(combinations(range(1, count + 1), 2))
    for first, second in pairs if LONG else random.Random(1).sample(pairs, 16):
        shop = FORMS[form](tmp_path / f"{first} {second}", (first, second), 1, 10)
        assert shop.faults(10) == [], f"killed at {first} and {second} of {count}"


@pytest.mark.parametrize("seed", range(200 if LONG else 8))
@pytest.mark.parametrize("form", FORMS)
def test_killed_again_and_again(form: str, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    kills = {at for at in range(1, 200) if chance.random() < 0.1}
    assert FORMS[form](tmp_path, kills, seed, 10).faults(10) == []


def test_without_the_claim_on_disk_codes_would_be_given_twice(tmp_path: Path) -> None:
    """The tests above would notice."""
    assert any("said" in fault for fault in Shop(tmp_path, (), 0, 10, durable=False).faults(10))
