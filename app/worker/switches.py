"""The switches of a cluster's sender: in every partition of the log by the transaction that says so in the
ledger."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

from app.worker.revoking import TopicRevocations
from sinks.deliveries.asked import Switch
from sinks.deliveries.logged import LoggedLedger
from sinks.deliveries.records import Off, Record, Turned
from streams.changes.controls import control_messages
from streams.control import Control, switch


class TopicSwitches:
    """An `app.sending.forecasts.Switches`."""

    def __init__(
        self, ledger: LoggedLedger, revocations: TopicRevocations, partitions: int,
        now: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._ledger, self._revocations, self._partitions = ledger, revocations, partitions
        self._now = now

    def turn(
        self, turned: Sequence[Switch], controls: Sequence[Control] = (), *records: Record
    ) -> list[Any]:
        """Turn switches, together with other records of the log and of the ledger; return what becomes of
        these (`sinks.deliveries.posting`)."""
        said = [switch(one.what, one.off, one.reason) for one in turned]
        messages = control_messages([*controls, *said], self._partitions)
        off = [self._off_behind(turned)] if turned else []
        done = self._ledger.tell(messages, *records, *off)
        for one in turned:  # before anything else can run
            self._revocations.turn(one.what, one.off, one.reason)
        return done[: len(records)]

    def _off_behind(self, turned: Sequence[Switch]) -> Off:
        off = self._revocations.reasons()
        for one in turned:
            off.pop(one.what, None)
            if one.off:
                off[one.what] = one.reason
        return Off(sorted(off), off)

    def all_off(self) -> Off:
        """Return the record of what is off now."""
        return self._off_behind(())

    def refresh(self) -> None:
        """Nothing: the sender follows the log."""

    def on_their_way(self) -> Collection[str]:
        """Return what was turned off in this life, and is not read yet in every partition."""
        return self._revocations.on_their_way()

    def off(self) -> list[str]:
        """Return what is off."""
        return self._revocations.off()

    def stopped_at(self, partition: int, what: str) -> int:
        """Return the step of the last stop; -1 where there was none."""
        return self._revocations.stopped_at(partition, what)

    def stop(self, what: str, reason: str) -> None:
        """Turn something off; committed on return."""
        now = self._now()
        self.turn([Switch(what, True, reason, at=now)], (), Turned(what, "off", reason, now))
