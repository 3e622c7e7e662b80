"""Redemptions that rows of a source tell of: the log is followed, and each row counts once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import pyarrow.compute as pc

from sinks.coupons.pool import Pool, Redeemed
from sinks.coupons.records import CodesRedeemed
from sinks.coupons.redeeming import Odd, Redemption
from sinks.coupons.written import news_of
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.records import reached as drained
from streams.log.block import Block
from streams.log.log import Log

_WORD = 2**64 - 1
_BLOCKS = 4  # of a partition in one step: what sends has its turn in between


class Following:
    """Follows a log for pools that say `redeemed`. One thread's, which calls `step` again and again.

    It remembers on disk how far it is; a row that is told again is known by its key. say: a line for people.
    """

    def __init__(
        self, log: Log, ledger: Ledger, pools: Mapping[str, Pool], say: Callable[[str], None]
    ) -> None:
        self._log, self._ledger, self._say = log, ledger, say
        self._pools = {name: pool.redeemed for name, pool in pools.items() if pool.redeemed is not None}
        self._names = {name: name_of(name, one) for name, one in self._pools.items()}
        self._next = {name: ledger.drained(self._names[name], log.partitions) for name in self._pools}

    @property
    def has_work(self) -> bool:
        """Whether any pool says where its redemptions are told."""
        return bool(self._pools)

    def step(self) -> int:
        """Take what the log has gained, a bounded part of it; return how many blocks were looked at."""
        ends = self._log.next_steps()
        return sum(
            self._take(name, partition, end)
            for name in self._pools
            for partition, end in enumerate(ends)
            if self._next[name][partition] < end
        )

    def _take(self, name: str, partition: int, end: int) -> int:
        declared, first = self._pools[name], self._next[name][partition]
        told: list[Redemption] = []
        blocks, reached = 0, end
        for block in self._log.blocks(partition, first, end, holding=declared.source):
            if blocks == _BLOCKS:
                reached = block.first_step
                break
            blocks += 1
            told += told_by(name, block, declared.source, declared.code, first)
        if blocks:  # else nothing has to be on disk: it is looked at again after a restart
            news = news_of(self._ledger, told)  # a row that was changed tells of its code again
            odd = self._ledger.do(CodesRedeemed(news), drained(self._names[name], {partition: reached}))[0]
            for line in odd_lines(news, odd):
                self._say(line)
        self._next[name][partition] = reached
        return blocks


def name_of(pool: str, declared: Redeemed) -> str:
    """Return under which name it is kept how far rows are read for a pool. Another source or column is
    another name: its rows are read from the first on."""
    return f"redeemed {pool} {declared.source} {declared.code}"


def odd_lines(told: Sequence[Redemption], odd: Sequence[Odd], form: str = "") -> list[str]:
    """Return lines for people of redemptions that are not as they should be. form: of `Claims`."""
    found = Counter((one.pool, why) for one, why in zip(told, odd, strict=True) if why)
    return [
        f"coupons: pool '{pool}': {count} redeemed {why} (tintype coupons SHOP show {pool}{form})"
        for (pool, why), count in sorted(found.items())
    ]


def told_by(pool: str, block: Block, source: str, column: str, first: int) -> list[Redemption]:
    """Return what rows of a block, from a step on, tell of codes."""
    table = block.tables([source])[source]
    if column not in table.column_names:  # it was declared later
        return []
    new = pc.greater_equal(table["ordinal"], first - block.first_step)
    mine = table.filter(pc.and_(new, pc.is_valid(table[column])))
    names = ("key_high", "key_low", "event_us", "customer")
    columns = [mine[column].to_pylist(), *(mine[name].to_pylist() for name in names)]
    return [
        Redemption(
            pool, code.strip(), f"{source} {high & _WORD:016x}{low & _WORD:016x}", at / 1e6, whose.hex()
        )
        for code, high, low, at, whose in zip(*columns, strict=True)
    ]
