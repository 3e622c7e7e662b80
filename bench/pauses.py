"""What turns, a pause and its end cost: ``python -m bench.pauses [COUNT]``, COUNT 100,000 when absent.

So many messages of one trigger are queued without a pace, so many with one; all are paused and let go on. In
another ledger so many without and so many with quiet hours are sent by day, and so many put off at night.
Seconds are of CPU, on a disk that syncs. A pause and its end are one transaction each: nothing else is
written to the ledger meanwhile.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.deliveries import MINUTE, PAGE, Ready, drain, queue
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.pace import Pace
from sinks.deliveries.quiet import Quiet
from sinks.deliveries.switches import ask

COUNT = 100_000
PACE = Pace(600, 60)
TRIGGER = "trigger/win_back"
NIGHT = Quiet(23 * 60, 8 * 60, "Europe/Berlin")
LATE = MINUTE + 4 * 60  # from 22:20 to 02:20 there


def main(count: int, say: Callable[[str], None] = print) -> None:
    """Do it, and say what each part took."""
    folder = Path(tempfile.mkdtemp(prefix="tintype-pauses-"))
    ledger, nights = Ledger(folder / "pauses"), Ledger(folder / "nights")

    def take(first: int, pace: Pace | None) -> None:
        for at in range(first, first + count, PAGE):
            queue(ledger, at, min(at + PAGE, first + count), pace)

    def tell(what: str, of: int, work: Callable[[], object]) -> None:
        began = time.process_time()
        work()
        used = time.process_time() - began
        say(f"{what}: {of:,} in {used:.2f} s, {1e6 * used / of:.0f} us each")

    def tell_sent(what: str, first: int, quiet: Quiet | None, minute: int = MINUTE) -> None:
        for at in range(first, first + count, PAGE):
            queue(nights, at, min(at + PAGE, first + count), None, quiet)
        tell(what, count, lambda: asyncio.run(drain(nights, Ready(), minute)))

    try:
        tell_sent("sent", 0, None)
        tell_sent("sent outside of its quiet hours", count, NIGHT)
        tell_sent("put off in its quiet hours", 2 * count, NIGHT, LATE)
        tell("queued", count, lambda: take(0, None))
        tell("queued at a pace", count, lambda: take(count, PACE))
        tell("paused", 2 * count, lambda: ask(ledger, TRIGGER, "paused", "", MINUTE * 60.0))
        tell("let go on", 2 * count, lambda: ask(ledger, TRIGGER, "on", "", MINUTE * 60.0 + 3600))
    finally:
        ledger.close()
        nights.close()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT)
