"""What coupons cost: ``python -m bench.coupons [COUNT]``.

COUNT codes (1,000,000 when absent) are loaded; a tenth of them is claimed in the batches of a lane, each a
write that is synced; then the pool is counted, and asked for what is left.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.deliveries import MINUTE
from engine.outcome import Decision
from sinks.coupons.claims import Claims
from sinks.coupons.codes import load
from sinks.coupons.counts import left, standing
from sinks.coupons.pool import Pool
from sinks.deliveries.delivery import Queued, Route
from sinks.deliveries.lane import BATCH
from sinks.deliveries.ledger import Ledger

COUNT = 1_000_000
NOW = MINUTE * 60.0
POOL = Pool(expires="30d", per_customer=2, warn_below=100)


def main(count: int, say: Callable[[str], None] = print) -> float:
    """Load, claim and count; return the microseconds that one claim takes."""
    folder = Path(tempfile.mkdtemp(prefix="tintype-coupons-"))
    ledger = Ledger(folder)
    try:
        codes = [f"SPRING-{number:08x}" for number in range(count)]
        _timed(say, f"load {count:,} codes", lambda: load(ledger, "spring", codes, NOW))
        claimed = count // 10
        for at in range(0, claimed, BATCH):
            made = [(_decided(one), _ROUTE) for one in range(at, at + BATCH)]
            ledger.take("channels", made, {0: at + BATCH})
        claims = Claims(ledger, {"spring": POOL}, lambda _: "spring", "UTC", say)
        batches = [[_queued(one) for one in range(at, at + BATCH)] for at in range(0, claimed, BATCH)]

        def claim() -> None:
            for rows in batches:
                claims.claim(rows, NOW)

        seconds = _timed(say, f"claim {claimed:,}, {BATCH} a batch", claim)
        say(f"{seconds / claimed * 1e6:.0f} us a claim, {seconds / len(batches) * 1e3:.1f} ms a batch")
        _timed(say, "count the pool", lambda: standing(ledger, "spring", POOL, "UTC", NOW))
        _timed(say, "what is left", lambda: left(ledger, "spring", POOL, "UTC", NOW))
        return seconds / claimed * 1e6
    finally:
        ledger.close()
        shutil.rmtree(folder)


_ROUTE = Route("sms", "hi", "marketing", 0, 86400.0)


def _timed(say: Callable[[str], None], what: str, act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    seconds = time.perf_counter() - began
    say(f"{what}: {seconds:.3f} s")
    return seconds


def _decided(number: int) -> Decision:
    return Decision(
        id=f"{number:032x}", partition=0, step=number, minute=MINUTE, customer=f"{number // 2:032x}",
        trigger="win_back", version="v", outcome="act", guard="", status="live", cause={"minute": MINUTE},
        figures={}, values={}, seq=number,
    )  # fmt: skip


def _queued(number: int) -> Queued:
    return Queued(number + 1, _decided(number), "sms", "hi", "marketing", 0, NOW + 86400, 0, 0)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT)
