"""A message that is due and finds its caps full waits until they are not, or does not go (semantics D5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from profiles.windows import write_length
from sinks.deliveries.delivery import Queued, Step
from sinks.deliveries.gone import Gone
from sinks.deliveries.life import Event


class Caps:
    """Those of a dispatcher, over all lanes. `look` first, then ask for the same rows; `take` what is to be
    claimed.

    gone: what went out to customers (their ids) behind a minute.
    """

    def __init__(self, gone: Callable[[Sequence[str], int], Gone] = lambda _customers, _since: {}) -> None:
        self._gone, self._out = gone, Gone()

    def look(self, rows: Sequence[Queued], now: float) -> None:
        """Find out what went out of late to those to whom caps apply: one question for all of them."""
        lengths = [cap.minutes for row in rows for cap in row.caps]
        if lengths:
            customers = sorted({row.decision.customer for row in rows if row.caps})
            self._out = self._gone(customers, _minute(now) - max(lengths))

    def judge(self, row: Queued, now: float) -> Step | None:
        """Say what is to be done with a delivery that has a full cap; None where each has room."""
        if not row.caps:
            return None
        minute, free, full = _minute(now), 0, None
        for cap in row.caps:
            out = sorted(
                at for at, names in self._out.get(row.decision.customer, ())
                if cap.name in names and at > minute - cap.minutes
            )  # fmt: skip
            if len(out) >= cap.most and out[-cap.most] + cap.minutes > free:
                free, full = out[-cap.most] + cap.minutes, cap
        if full is None:
            return None
        until = datetime.fromtimestamp(free * 60, UTC).strftime("%Y-%m-%d %H:%M")
        stands = f"{full.most} within {write_length(full.minutes)}"
        reason = f"cap '{full.name}' ({stands}) is full until {until} UTC"
        if free * 60.0 >= row.expires:
            return Step(row.number, Event.TOO_LATE, now, reason=f"{reason}: too late to be sent by then")
        return Step(row.number, Event.PUT_OFF, now, due=free * 60.0, reason=reason)

    def take(self, row: Queued, now: float) -> None:
        """Count one that is to be claimed."""
        if row.caps:
            names = frozenset(cap.name for cap in row.caps)
            self._out.setdefault(row.decision.customer, []).append((_minute(now), names))


def _minute(now: float) -> int:
    return int(now // 60)
