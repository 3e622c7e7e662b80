"""What the topic ``changes`` says of coupons: rows that redeem codes, and customers whom nobody may know any
more. How far it is read stands in the ledger, in the record of what came of it: whoever sends goes on there.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.sending.revocations import records_of
from app.worker.topic_reading import reading
from sinks.coupons.following import name_of, odd_lines, told_by
from sinks.coupons.pool import Pool
from sinks.coupons.posting import concerned
from sinks.coupons.records import CodesForgotten, CodesRedeemed
from sinks.coupons.redeeming import Redemption
from sinks.coupons.written import news_of
from sinks.deliveries.logged import LoggedLedger
from sinks.deliveries.records import Reached, Record, reached
from streams.changes.reading import messages
from streams.changes.wire import Incoming
from streams.control import ERASE

ERASED = "codes of who is erased"  # how far erasures are read
FORM = " --cluster"
AGAIN_SECONDS = 5.0  # then what was on its way when somebody was erased has its code, if it gets one
UNSAID = 10_000  # messages, before it is written down that they were read
_POLL_MS, _BLOCKS = 200, 16
_TOGETHER = 1000  # redemptions of one record: 1 KB each at most


@dataclass(frozen=True)
class _Again:
    """An erasure that is taken in once more, at a time; its place in the topic."""

    at: float
    partition: int
    offset: int
    record: CodesForgotten


class TopicCoupons:
    """One sender's; its thread's."""

    def __init__(
        self, topic: str, ledger: LoggedLedger, pools: Mapping[str, Pool], partitions: int,
        say: Callable[[str], None], now: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        """partitions: of the topic; say: gets a line for people."""
        self._topic, self._ledger, self._now, self._say = topic, ledger, now, say
        self._pools = {name: pool.redeemed for name, pool in pools.items() if pool.redeemed is not None}
        self._names = {name: name_of(name, one) for name, one in self._pools.items()}
        relays = [ERASED, *self._names.values()]
        self._next = {
            relay: dict(enumerate(ledger.drained(relay, partitions))) for relay in relays
        }  # fmt: skip
        self._again: deque[_Again] = deque()
        self._unsaid = 0
        self.has_work = bool(pools) or bool(ledger.rows("SELECT 1 FROM coupon LIMIT 1"))

    async def follow(self, bootstrap: str) -> None:
        """Follow the topic, until it is cancelled."""
        async with reading(bootstrap, self._topic, self.next) as consumer:
            while True:
                fetched = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_BLOCKS)
                self.read({at.partition: records for at, records in fetched.items()})
                self.step()
                await asyncio.sleep(0)  # what sends has its turn

    @property
    def next(self) -> dict[int, int]:
        """The first offset of each partition that is wanted."""
        return {
            number: min(one[number] for one in self._next.values()) for number in self._next[ERASED]
        }  # fmt: skip

    def read(self, fetched: Mapping[int, Sequence[Any]]) -> None:
        """Take in records of the topic (of a Kafka client), by partition, in their order."""
        told: list[Redemption] = []
        erased: list[_Again] = []
        for number, records in fetched.items():
            for one in messages(self._topic, number, records):
                told += self._told(one)
                erased += self._erased(one)
            for offsets in self._next.values():
                offsets[number] = max(offsets[number], records[-1].offset + 1)
            self._unsaid += len(records)
        self._again += erased  # first, for what is read is written down next
        self._redeem(news_of(self._ledger, told))
        self._forget(erased)
        if self._unsaid >= UNSAID:
            self._ledger.do(*self._reached())
            self._unsaid = 0

    def step(self) -> None:
        """Take erasures in once more that are due for it."""
        due = []
        while self._again and self._again[0].at <= self._now():
            due.append(self._again.popleft())
        self._forget(due)

    def _told(self, one: Incoming) -> list[Redemption]:
        wanted = [
            (name, said) for name, said in self._pools.items()
            if said.source in one.holds and one.offset >= self._next[self._names[name]][one.partition]
        ]  # fmt: skip
        if not wanted:
            return []
        block = one.block(0, -1)
        return [each for name, said in wanted for each in told_by(name, block, said.source, said.code, 0)]

    def _erased(self, one: Incoming) -> list[_Again]:
        if f"!{ERASE}" not in one.holds or one.offset < self._next[ERASED][one.partition]:
            return []
        block, again = one.block(0, -1), self._now() + AGAIN_SECONDS
        return [
            _Again(again, one.partition, one.offset, CodesForgotten(whose.hex(), block.last_minute))
            for _, kind, whose, _ in records_of(block) if kind == ERASE and whose is not None
        ]  # fmt: skip

    def _redeem(self, news: Sequence[Redemption]) -> None:
        """Write redemptions down, the last of them with how far everything is read."""
        for begin in range(0, len(news), _TOGETHER):
            some = news[begin : begin + _TOGETHER]
            is_last = begin + _TOGETHER >= len(news)
            behind = self._reached() if is_last else []
            odd = self._ledger.do(CodesRedeemed(some), *behind)[0]
            self._unsaid = 0 if is_last else self._unsaid
            for line in odd_lines(some, odd, FORM):
                self._say(line)

    def _forget(self, erased: Sequence[_Again]) -> None:
        there = concerned(self._ledger.connection, [one.record.customer for one in erased])
        records: list[Record] = [one.record for one in erased if one.record.customer in there]
        if records:
            self._ledger.do(*records)

    def _reached(self) -> list[Reached]:
        """Return how far the topic is read; behind an erasure only when it is done with."""
        held: dict[int, int] = {}
        for one in self._again:
            held[one.partition] = min(one.offset, held.get(one.partition, one.offset))
        found = []
        for relay, offsets in self._next.items():
            until = {**offsets, **held} if relay == ERASED else offsets
            found.append(reached(relay, until))
        return found
