"""What turns, a pause and its end cost: ``python -m bench.pauses [COUNT]``, COUNT 100,000 when absent.

So many messages of one trigger are queued without a pace, so many with one; all are paused and let go on.
Seconds are of CPU, on a disk that syncs. A pause and its end are one transaction each: nothing else is
written to the ledger meanwhile.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.deliveries import MINUTE, PAGE, queue
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.pace import Pace
from sinks.deliveries.switches import ask

COUNT = 100_000
PACE = Pace(600, 60)
TRIGGER = "trigger/win_back"


def main(count: int, say: Callable[[str], None] = print) -> None:
    """Do it, and say what each part took."""
    folder = Path(tempfile.mkdtemp(prefix="tintype-pauses-"))
    ledger = Ledger(folder)

    def take(first: int, pace: Pace | None) -> None:
        for at in range(first, first + count, PAGE):
            queue(ledger, at, min(at + PAGE, first + count), pace)

    def tell(what: str, of: int, work: Callable[[], object]) -> None:
        began = time.process_time()
        work()
        used = time.process_time() - began
        say(f"{what}: {of:,} in {used:.2f} s, {1e6 * used / of:.0f} us each")

    try:
        tell("queued", count, lambda: take(0, None))
        tell("queued at a pace", count, lambda: take(count, PACE))
        tell("paused", 2 * count, lambda: ask(ledger, TRIGGER, "paused", "", MINUTE * 60.0))
        tell("let go on", 2 * count, lambda: ask(ledger, TRIGGER, "on", "", MINUTE * 60.0 + 3600))
    finally:
        ledger.close()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT)
