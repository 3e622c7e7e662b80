"""What is late and comes up in quiet hours: it waits for their end, or does not go (semantics D5)."""

from __future__ import annotations

from sinks.deliveries.delivery import Queued, Step
from sinks.deliveries.life import Event
from sinks.deliveries.pace import hours_of
from sinks.deliveries.quiet import DROPPED


def in_quiet_hours(row: Queued, now: float) -> Step | None:
    """Say what is to be done with a delivery that is due in its quiet hours; None where it is not."""
    quiet = hours_of(row.pace, row.quiet)
    over = None if quiet is None else quiet.over_at(int(now // 60))
    if quiet is None or over is None:
        return None
    if quiet.drop:
        return Step(row.number, Event.HOLD_BACK, now, reason=DROPPED)
    hour, minute = divmod(quiet.local(over), 60)
    reason, due = f"quiet hours until {hour:02}:{minute:02}", over * 60.0
    if row.pace is not None:  # it lives from its turn on
        return Step(row.number, Event.WAIT, now, due=due, reason=reason)
    if due >= row.expires:
        return Step(row.number, Event.TOO_LATE, now, reason=f"{reason}: too late to be sent by then")
    return Step(row.number, Event.PUT_OFF, now, due=due, reason=reason)
