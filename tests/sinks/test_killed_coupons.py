"""Killed between any two steps of a delivery whose message says a code: a decision has one code for good."""

from __future__ import annotations

import random
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from sinks.channels.message import HeldBack, Message
from sinks.channels.provider import Outcome
from sinks.coupons.claims import Claims
from sinks.coupons.codes import load
from sinks.coupons.pool import Pool
from sinks.deliveries import lane, tables
from sinks.deliveries import ledger as ledger_file
from sinks.deliveries.delivery import Queued
from sinks.deliveries.dispatch import Dispatcher
from sinks.deliveries.ledger import Ledger
from tests.laws.effort import LONG
from tests.sinks.dispatching import dispatcher_of, make
from tests.sinks.killed_dispatch import MortalLedger, World

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
        ledger = Ledger(folder)
        load(ledger, "spring", [f"C{at}" for at in range(codes)], 0.0)
        ledger.close()

    def _dispatcher(self, ledger: MortalLedger, channels: Mapping[str, Sequence[Any]]) -> Dispatcher:
        claims = Claims(ledger, {"spring": Pool()}, lambda _: "spring", "UTC", lambda _: None)  # type: ignore[arg-type]  # all that it asks

        def prepare(rows: Sequence[Queued], now: float) -> None:
            claims.claim(rows, now)
            if not self._durable:
                ledger.change(lambda one: one.execute("UPDATE coupon SET number = NULL, claimed = NULL"))

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
        ledger = Ledger(self.folder)
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


def moments(folder: Path, seed: int, codes: int) -> int:
    """Return how many moments there are to be killed at."""
    shop = Shop(folder, (), seed, codes)
    assert shop.faults(codes) == []
    return shop.fate.moments


@pytest.mark.parametrize("codes", [10, 3])
def test_killed_once_at_each_single_moment(tmp_path: Path, codes: int) -> None:
    count = moments(tmp_path / "whole", 0, codes)
    assert count > 20
    kills = range(1, count + 1)
    for kill in kills if LONG or codes > DECISIONS else random.Random(2).sample(kills, 12):
        shop = Shop(tmp_path / str(kill), (kill,), 0, codes)
        assert shop.faults(codes) == [], f"killed at {kill} of {count}"
        assert shop.lives == 2


def test_killed_at_any_two_moments(tmp_path: Path) -> None:
    count = moments(tmp_path / "whole", 1, 10)
    pairs = list(combinations(range(1, count + 1), 2))
    for first, second in pairs if LONG else random.Random(1).sample(pairs, 16):
        shop = Shop(tmp_path / f"{first} {second}", (first, second), 1, 10)
        assert shop.faults(10) == [], f"killed at {first} and {second} of {count}"


@pytest.mark.parametrize("seed", range(200 if LONG else 8))
def test_killed_again_and_again(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    kills = {at for at in range(1, 200) if chance.random() < 0.1}
    assert Shop(tmp_path, kills, seed, 10).faults(10) == []


def test_without_the_claim_on_disk_codes_would_be_given_twice(tmp_path: Path) -> None:
    """The tests above would notice."""
    assert any("said" in fault for fault in Shop(tmp_path, (), 0, 10, durable=False).faults(10))
