"""The codes of pools: loading them, finding one, forgetting whose they were."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sinks.coupons.records import CodesForgotten, CodesLoaded
from sinks.deliveries.ledger import Ledger

LONGEST = 100  # characters of a code
_FIND = (
    "SELECT coupon.place, pool, code, loaded, claimed, coupon.expires, redeemed, decision.id, state, customer"
    " FROM coupon LEFT JOIN delivery USING (number) LEFT JOIN decision USING (number) "
    "WHERE code = ? AND pool IN (SELECT value FROM json_each(?)) ORDER BY pool"
)
_WHOSE = (
    "SELECT coupon.place, pool, code, loaded, claimed, coupon.expires, redeemed, decision.id, state, customer"
    " FROM decision CROSS JOIN coupon USING (number) LEFT JOIN delivery USING (number) "
    "WHERE customer = ? ORDER BY coupon.number"
)
_ODD = "SELECT DISTINCT odd FROM redemption WHERE place = ? AND odd <> '' ORDER BY 1"
_TOGETHER = 10_000  # codes of one transaction: the dispatcher waits for it, 90 ms (bench.coupons)


@dataclass(frozen=True)
class Loaded:
    """What became of codes that were to be loaded. known: the pool had them already."""

    loaded: int
    known: int


@dataclass(frozen=True)
class Code:
    """A code and what became of it. Times in seconds since 1970; expires: an epoch minute; decision, state,
    customer: of the delivery that has it; odd: what is strange about its being redeemed, each once."""

    pool: str
    code: str
    loaded: float
    claimed: float | None
    expires: int | None
    redeemed: float | None
    decision: str | None
    state: str | None
    customer: str | None
    odd: tuple[str, ...]


def problem_of(code: str) -> str | None:
    """Return what is wrong with a code, or None.

    >>> problem_of("SPRING-1A2B"), problem_of("a b")
    (None, 'holds a blank')
    """
    if not code:
        return "is empty"
    if len(code) > LONGEST:
        return f"has {len(code)} characters, {LONGEST} are the most"
    if any(sign.isspace() for sign in code):
        return "holds a blank"
    if not code.isprintable():
        return "holds a character that cannot be seen"
    return "holds a '/'" if "/" in code else None


def mask(code: str) -> str:
    """Return what of a code may be shown to whoever did not ask for just this one.

    >>> mask("SPRING-1A2B"), mask("A1")
    ('…2B', '…')
    """
    shown = min(4, len(code) // 4)
    return "…" + (code[-shown:] if shown else "")


def load(ledger: Ledger, pool: str, codes: Sequence[str], now: float) -> Loaded:
    """Load codes behind those that a pool has, which are left as they are: the same again loads nothing.

    codes: without mistakes (`problem_of`). Cut short it has loaded a part; the same again does the rest.
    """
    loaded = 0
    for at in range(0, len(codes), _TOGETHER):
        loaded += ledger.do(CodesLoaded(pool, codes[at : at + _TOGETHER], now))[0]
    return Loaded(loaded, len(codes) - loaded)


def loaded_by(ledger: Ledger, pool: str, codes: Sequence[str], at: float) -> Loaded:
    """Return what became of codes that somebody else was asked to load. at: the time of the asking, which
    tells it from others."""
    query = (
        "SELECT count(*) FROM coupon WHERE pool = ? AND loaded = ? "
        "AND code IN (SELECT value FROM json_each(?))"
    )
    [(loaded,)] = ledger.rows(query, (pool, at, json.dumps(list(codes))))
    return Loaded(loaded, len(codes) - loaded)


def find(ledger: Ledger, code: str, pool: str | None = None) -> list[Code]:
    """Return a code of a pool, or of whichever pools have it."""
    rows = ledger.rows(_FIND, (code, _pools(ledger, pool)))
    return [Code(*[*rest, _odd(ledger, place)]) for place, *rest in rows]


def forget(ledger: Ledger, customer: str) -> int:
    """Let an erased customer's codes, and what they redeemed, be nobody's. A code stays used. customer: 32
    hex digits. Return how many codes there were."""
    freed: int = ledger.do(CodesForgotten(customer))[0]
    return freed


def codes_of(ledger: Ledger, customer: str) -> list[Code]:
    """Return the codes that a customer's decisions have: what is held on them."""
    rows = ledger.rows(_WHOSE, (customer,))
    return [Code(*[*rest, _odd(ledger, place)]) for place, *rest in rows]


def _pools(ledger: Ledger, pool: str | None) -> str:
    names = [pool] if pool is not None else [name for (name,) in ledger.rows(_NAMES)]
    return json.dumps(names)


def _odd(ledger: Ledger, place: int) -> tuple[str, ...]:
    return tuple(odd for (odd,) in ledger.rows(_ODD, (place,)))


# The names by jumps in the index: a million codes are not gone through.
_NAMES = (
    "WITH RECURSIVE name(pool) AS (SELECT min(pool) FROM coupon UNION ALL "
    "SELECT (SELECT min(pool) FROM coupon WHERE coupon.pool > name.pool) FROM name WHERE pool IS NOT NULL) "
    "SELECT pool FROM name WHERE pool IS NOT NULL"
)
