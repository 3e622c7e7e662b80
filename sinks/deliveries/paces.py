"""What triggers have sent of late, against their pace: whatever made a message late, no stretch has more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sinks.deliveries.delivery import Queued, Step
from sinks.deliveries.life import Event
from sinks.deliveries.limits import Window
from sinks.deliveries.pace import Pace


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
        window = self._windows.get(row.decision.trigger)
        if window is None:
            return None
        if window.free_at(now) > now:
            due = window.promise(now)
            return Step(row.number, Event.WAIT, now, due=due, reason="its turn at the pace of its trigger")
        window.take(now)
        return None
