"""Stops a trigger that acts more often than its forecast, before anything beyond it is sent (D7)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from app.sending.revocations import Revocations
from app.shop import Shop
from engine.outcome import Decision
from profiles.windows import parse_length
from sinks.deliveries.delivery import Route
from sinks.deliveries.forecast import KEPT, Acts
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.switches import ask, asked
from triggers.trigger import Forecast

# Placeholders: the trigger, seconds, and as JSON the step at which it was stopped last in each partition.
_ACTS = (
    "SELECT CAST(decided / 60 AS INTEGER), count(*) FROM delivery JOIN decision USING (number) "
    "WHERE trigger = ? AND decided > ? AND json_extract(CAST(body AS TEXT), '$.step') "
    "> json_extract(?, '$[' || partition || ']') GROUP BY 1 ORDER BY 1"
)


@dataclass
class _Watched:
    """One trigger: its forecast, acts since it was stopped last, and the most of them in one span."""

    forecast: Forecast
    acts: Acts
    most: int = 0
    is_told: bool = False  # it is switched off; until the log says so nothing is let pass

    def add(self, minute: int, number: int = 1) -> None:
        self.most = max(self.most, self.acts.add(minute, number))

    @property
    def is_over(self) -> bool:
        return self.most > self.forecast.most


class Forecasts:
    """Stands between the outbox and the ledger, in the sender's thread. In this order, again and again:

    1. `begin`, before a step: what the log says of switches is read; where one was turned off, or the step
       before has failed, acts are counted anew from the ledger;
    2. `judge`, for each decision that is taken over: counted, and held back beyond the forecast;
    3. `settle`, behind the step and before anything is sent: whoever is beyond is switched off, on disk.

    A crash between the second and the third is made good by the first. ``say``: gets a line for each that is
    stopped; now: seconds since 1970, for the record of it.
    """

    def __init__(
        self, shop: Shop, ledger: Ledger, revocations: Revocations, say: Callable[[str], None],
        now: Callable[[], float],
    ) -> None:  # fmt: skip
        self._ledger, self._revocations, self._say, self._now = ledger, revocations, say, now
        self._partitions = range(shop.settings.partitions)
        self._declared = {
            name: trigger.guards.forecast
            for name, trigger in shop.triggers.items()
            if trigger.guards.forecast is not None
        }
        self._watched: dict[str, _Watched] = {}
        self._stops: dict[str, list[int]] = {}
        self._is_sure = False  # that what is counted is what the ledger has

    def begin(self) -> None:
        """Make ready for a step, and stop whom a crash has left beyond its forecast."""
        self._revocations.refresh(asked(self._ledger))
        stops = {name: self._stops_of(name) for name in self._declared}
        if stops != self._stops or not self._is_sure:
            self._stops = stops
            turned = {one.what for one in asked(self._ledger)}
            for name, forecast in self._declared.items():
                self._watched[name] = self._counted(name, forecast, f"trigger/{name}" in turned)
            self.settle()
        self._is_sure = False

    def judge(self, decision: Decision, found: Route | str | None) -> Route | str | None:
        """Return how a decision is delivered, or why not; found: the same without forecasts."""
        watched = self._watched.get(decision.trigger)
        if found is None or watched is None:
            return found
        if decision.step < self._stops[decision.trigger][decision.partition]:
            return "decided before its trigger was switched off"
        watched.add(decision.minute)
        if watched.is_over:
            return f"beyond the forecast of its trigger: {_words(watched.forecast)}"
        return found

    def settle(self) -> None:
        """Switch off whoever is beyond its forecast; on disk on return, and known to who sends."""
        for name, watched in self._watched.items():
            what = f"trigger/{name}"
            if not watched.is_over or watched.is_told or what in self._revocations.off():
                continue
            reason = f"fired {watched.most:,} times within {watched.forecast.within}, forecast "
            reason += f"{watched.forecast.most:,}"
            ask(self._ledger, what, "off", reason, self._now())
            watched.is_told = True
            self._revocations.refresh(asked(self._ledger))
            self._say(
                f"{what} {reason}: it is switched off, and what waits is held back; when it is as it should "
                f"be: tintype switch SHOP {what} --on"
            )
        self._is_sure = True

    def _stops_of(self, name: str) -> list[int]:
        return [self._revocations.stopped_at(partition, f"trigger/{name}") for partition in self._partitions]

    def _counted(self, name: str, forecast: Forecast, turned: bool) -> _Watched:
        """Count the acts since the trigger was stopped last; none where a switch of it is on its way into the
        log: all acts that there are lie before it."""
        watched = _Watched(forecast, Acts(parse_length(forecast.within)))
        if turned:
            return watched
        ((newest,),) = self._ledger.rows("SELECT max(decided) FROM delivery WHERE trigger = ?", (name,))
        since = (newest or 0.0) - 60.0 * KEPT
        for minute, number in self._ledger.rows(_ACTS, (name, since, json.dumps(self._stops[name]))):
            watched.add(minute, number)
        return watched


def _words(forecast: Forecast) -> str:
    return f"{forecast.most:,} within {forecast.within}"
