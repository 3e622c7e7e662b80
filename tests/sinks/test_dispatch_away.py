"""While what messages are made from is away, deliveries wait as they are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from sinks.deliveries.delivery import Away, Queued
from sinks.deliveries.ledger import Ledger
from tests.sinks.dispatching import Clock, Fake, dispatcher_of, queue, states


def test_what_messages_are_made_from_may_be_away_and_nothing_is_judged_meanwhile(
    tmp_path: Path
) -> None:
    """A customer must not count as one without an address because a store is being started."""
    fake, said, prepared = Fake(), list[str](), list[list[int]]()
    ledger, clock = Ledger(tmp_path), Clock()
    queue(ledger, range(3))

    def prepare(rows: Sequence[Queued], _: float) -> None:
        prepared.append([row.decision.step for row in rows])
        if len(prepared) == 1:
            raise Away("the profile store: gone")

    dispatcher = dispatcher_of(ledger, {"sms": [fake]}, clock, say=said.append, prepare=prepare)

    async def at_work() -> None:
        running = asyncio.create_task(dispatcher.run())
        while set(states(ledger).values()) != {"sent"}:
            assert not running.done()
            assert set(states(ledger).values()) <= {"queued", "claimed", "sent"}
            await asyncio.sleep(0.01)
        dispatcher.stop()
        await running

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sinks.deliveries.dispatch.AGAIN_SECONDS", 0.01)
        asyncio.run(asyncio.wait_for(at_work(), 20))
    assert said == ["sms/0: the profile store: gone (tried again in 0 s)"]
    assert prepared[0] == [0, 1, 2]
    assert len(fake.out) == 3
    ledger.close()
