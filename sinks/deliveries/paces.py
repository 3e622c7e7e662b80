"""What triggers have sent of late, against their pace: whatever made a message late, no stretch has more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sinks.deliveries.delivery import Queued, Step
from sinks.deliveries.life import Event
from sinks.deliveries.limits import Window
from sinks.deliveries.pace import Pace
from sinks.deliveries.posting import DROPPED


class Paces:
    """Those of a dispatcher, over all lanes. declared: trigger to its pace, as the settings have it now."""

    def __init__(self, declared: Mapping[str, Pace] | None = None) -> None:
        self._windows = {
            trigger: Window(pace.most, float(pace.seconds)) for trigger, pace in (declared or {}).items()
        }
        self.longest = max((float(pace.seconds) for pace in (declared or {}).values()), default=0.0)

    def fill(self, attempts: Iterable[tuple[float, str]]) -> None:
        """Count former attempts: (time, trigger), in order of time."""
        for at, trigger in attempts:
            if trigger in self._windows:
                self._windows[trigger].take(at)

    def judge(self, row: Queued, now: float) -> Step | None:
        """Count a message that is due and return None if it may go now; else return what is to be done."""
        quiet = row.pace.quiet if row.pace is not None else None
        over = quiet.over_at(int(now // 60)) if quiet is not None else None
        if quiet is not None and over is not None:
            if quiet.drop:
                return Step(row.number, Event.HOLD_BACK, now, reason=DROPPED)
            return Step(row.number, Event.WAIT, now, due=over * 60.0, reason="quiet hours")
        window = self._windows.get(row.decision.trigger)
        if window is None:
            return None
        if window.free_at(now) > now:
            due = window.promise(now)
            return Step(row.number, Event.WAIT, now, due=due, reason="its turn at the pace of its trigger")
        window.take(now)
        return None
