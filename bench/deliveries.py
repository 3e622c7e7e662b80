"""What a delivery costs: ``python -m bench.deliveries [COUNT]``.

Decisions are queued, claimed, sent to a provider that accepts at once, and settled, all on a disk that syncs.
COUNT (1,000,000 when absent) are queued first and drained then: memory must not grow with what waits. A tenth
of them is drained once more in a ledger of its own, as of a shop with two caps; each customer has ten.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from engine.outcome import Decision
from sinks.channels.batch import Batch
from sinks.channels.message import Message
from sinks.channels.outcome import Accepted
from sinks.deliveries.capped import Capped
from sinks.deliveries.delivery import Queued, Route
from sinks.deliveries.dispatch import Dispatcher
from sinks.deliveries.gone import gone_since
from sinks.deliveries.lane import Lane, Surroundings
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import State
from sinks.deliveries.limits import Limits
from sinks.deliveries.over_caps import Caps
from sinks.deliveries.pace import Pace
from sinks.deliveries.quiet import Quiet

COUNT = 1_000_000
PAGE = 1000
MINUTE = 29_540_000
GOAL = 5000  # a second and core
CAPS = (Capped("a day", 10, 1440), Capped("a month", 60, 43_200))


class Ready:
    """Accepts at once."""

    def __init__(self) -> None:
        self.sent = 0

    async def open(self) -> None: ...

    async def send(self, batch: Batch) -> None:
        for message in batch:
            self.sent += 1
            batch.tell(message, Accepted(message.id))

    async def close(self) -> None: ...


def main(count: int, say: Callable[[str], None] = print) -> tuple[float, int]:
    """Queue and drain so many; return deliveries a second of CPU, and by how many bytes memory grew while
    they were drained.
    """
    folder = Path(tempfile.mkdtemp(prefix="tintype-deliveries-"))
    ledger = Ledger(folder)
    try:
        began, cpu = time.perf_counter(), time.process_time()
        for at in range(0, count, PAGE):
            queue(ledger, at, min(at + PAGE, count))
        tell(say, "queued", count, time.perf_counter() - began, time.process_time() - cpu)
        before, began, cpu = resident(), time.perf_counter(), time.process_time()
        provider = Ready()
        asyncio.run(drain(ledger, provider))
        used = time.process_time() - cpu
        grown = resident() - before
        tell(say, "claimed, sent, settled", count, time.perf_counter() - began, used)
        say(f"memory grew by {grown / 1e6:.1f} MB, to {resident() / 1e6:.0f} MB; goal {GOAL:,}/s/core")
        assert provider.sent == ledger.count(State.SENT) == count
        under_caps(folder / "capped", count // 10, say)
        return count / used, grown
    finally:
        ledger.close()
        shutil.rmtree(folder)


def under_caps(folder: Path, count: int, say: Callable[[str], None]) -> None:
    """Drain so many with and without caps that have room, one after the other, and say what each took."""
    for what, caps in (("no cap", ()), ("two caps", CAPS)):
        ledger, provider = Ledger(folder / what), Ready()
        for at in range(0, count, PAGE):
            queue(ledger, at, min(at + PAGE, count), caps=caps, customers=max(1, count // 10))
        began, cpu = time.perf_counter(), time.process_time()
        asyncio.run(drain(ledger, provider))
        used = time.process_time() - cpu
        tell(say, f"under {what}", count, time.perf_counter() - began, used)
        assert provider.sent == count
        ledger.close()


def queue(
    ledger: Ledger, first: int, end: int, pace: Pace | None = None, quiet: Quiet | None = None,
    caps: tuple[Capped, ...] = (), customers: int = 100_000,
) -> None:  # fmt: skip
    """Queue decisions of these numbers."""
    route = Route("sms", "hi", "marketing", 0, 86400.0, pace, quiet, caps)
    made = [
        Decision(
            f"{number:032x}", 0, number, MINUTE, f"{number % customers:032x}", "win_back", "v", "act", "",
            "live", {"minute": MINUTE}, {}, {"count(orders)": number}, number,
        )
        for number in range(first, end)
    ]  # fmt: skip
    ledger.take("channels", [(one, route) for one in made], {0: end})


async def drain(ledger: Ledger, provider: Ready, minute: int = MINUTE) -> None:
    """Send what is due at a minute."""
    around = Surroundings(
        ledger, make, lambda _: None, lambda: minute * 60.0, random.Random(1), lambda _: None, print,
        caps=Caps(partial(gone_since, ledger.rows)),
    )  # fmt: skip
    lane = Lane(around, "sms", "sms/0", provider, Limits([]), 0, 1)
    await Dispatcher(around, {"sms": [lane]}).run_until_idle()


def make(row: Queued) -> Message:
    """Return the message of a delivery."""
    one = row.decision
    text = f"You have {one.values['count(orders)']} orders"
    return Message(one.id, one.minute, "phone:13800001001", row.channel, row.template, text)


def resident() -> int:
    """Return the memory that the process holds, in bytes."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * 4096


def tell(say: Callable[[str], None], what: str, count: int, seconds: float, cpu: float) -> None:
    """Say how long so many have taken."""
    rate = f"{count / seconds:,.0f}/s, {count / cpu:,.0f}/s of CPU"
    say(f"{what}: {count:,} in {seconds:.1f} s ({cpu:.1f} s CPU): {rate}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT)
