"""The switches of an embedded shop's sender: turned in the ledger, told to the log a moment later."""

from __future__ import annotations

from collections.abc import Callable, Collection

from app.sending.revocations import Revocations
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.switches import ask, asked


class LedgerSwitches:
    """An `app.sending.forecasts.Switches`. now: seconds since 1970, for the record."""

    def __init__(self, ledger: Ledger, revocations: Revocations, now: Callable[[], float]) -> None:
        self._ledger, self._revocations, self._now = ledger, revocations, now

    def refresh(self) -> None:
        """Read what the log has gained, and what is on its way there."""
        self._revocations.refresh(asked(self._ledger))

    def on_their_way(self) -> Collection[str]:
        """Return what was turned, off or on, and is not in the log yet."""
        return {one.what for one in asked(self._ledger)}

    def off(self) -> list[str]:
        """Return what is off."""
        return self._revocations.off()

    def stopped_at(self, partition: int, what: str) -> int:
        """Return the step of the last stop; -1 where there was none."""
        return self._revocations.stopped_at(partition, what)

    def stop(self, what: str, reason: str) -> None:
        """Turn something off; on disk on return."""
        ask(self._ledger, what, "off", reason, self._now())
        self.refresh()
