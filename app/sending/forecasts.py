"""Stops a trigger that acts more often than its forecast, before anything beyond it is sent (D7)."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from app.shop import Shop
from engine.outcome import Decision
from profiles.windows import parse_length
from sinks.deliveries.delivery import Route, Way, Withheld
from sinks.deliveries.forecast import KEPT, Acts
from sinks.deliveries.ledger import Ledger
from triggers.trigger import Forecast

# Placeholders: the trigger, seconds, and as JSON the step at which it was stopped last in each partition.
_ACTS = (
    "SELECT CAST(decided / 60 AS INTEGER), count(*) FROM delivery JOIN decision USING (number) "
    "WHERE trigger = ? AND decided > ? AND json_extract(CAST(body AS TEXT), '$.step') "
    "> json_extract(?, '$[' || partition || ']') GROUP BY 1 ORDER BY 1"
)


class Switches(Protocol):
    """The switches of whoever sends. what: a name of the log."""

    def refresh(self) -> None:
        """Read what the log says of them."""

    def on_their_way(self) -> Collection[str]:
        """Return what was turned off, and the log has it not yet as far as it is read here."""

    def off(self) -> list[str]:
        """Return what is off, on its way or in the log."""

    def stopped_at(self, partition: int, what: str) -> int:
        """Return the step at which a partition's log last turned something off; -1 where it never did."""

    def stop(self, what: str, reason: str) -> None:
        """Turn something off; durable on return, and in force for whoever sends."""


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
    stopped; how: what the command that turns it on needs besides.
    """

    def __init__(
        self, shop: Shop, ledger: Ledger, switches: Switches, say: Callable[[str], None], how: str = ""
    ) -> None:
        self._ledger, self._switches, self._say, self._how = ledger, switches, say, how
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
        self._switches.refresh()
        stops = {name: self._stops_of(name) for name in self._declared}
        if stops != self._stops or not self._is_sure:
            self._stops = stops
            turned = self._switches.on_their_way()
            for name, forecast in self._declared.items():
                self._watched[name] = self._counted(name, forecast, f"trigger/{name}" in turned)
            self.settle()
        self._is_sure = False

    def awaits_log(self) -> bool:
        """Whether the log is not read yet up to where a trigger was stopped, so that what is decided now may
        be from before or behind it."""
        return any(f"trigger/{name}" in self._switches.on_their_way() for name in self._declared)

    def judge(self, decision: Decision, found: Way) -> Way:
        """Return how a decision is delivered, or why not; found: the same without forecasts."""
        watched = self._watched.get(decision.trigger)
        if found is None or watched is None:
            return found
        if decision.step < self._stops[decision.trigger][decision.partition]:
            return _withheld(found, "decided before its trigger was switched off")
        watched.add(decision.minute)
        if watched.is_over:
            return _withheld(found, f"beyond the forecast of its trigger: {_words(watched.forecast)}")
        return found

    def settle(self) -> None:
        """Switch off whoever is beyond its forecast; on disk on return, and known to who sends."""
        for name, watched in self._watched.items():
            what = f"trigger/{name}"
            if not watched.is_over or watched.is_told or what in self._switches.off():
                continue
            reason = f"fired {watched.most:,} times within {watched.forecast.within}, forecast "
            reason += f"{watched.forecast.most:,}"
            self._switches.stop(what, reason)
            watched.is_told = True
            self._say(
                f"{what} {reason}: it is switched off, and what waits is held back; when it is as it should "
                f"be: tintype switch SHOP {what} --on{self._how}"
            )
        self._is_sure = True

    def _stops_of(self, name: str) -> list[int]:
        return [self._switches.stopped_at(partition, f"trigger/{name}") for partition in self._partitions]

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


def _withheld(found: Way, reason: str) -> Way:
    """Hold a decision back for a reason; one that has no way at all keeps that for its reason."""
    return Withheld(found, reason) if isinstance(found, Route) else found


def _words(forecast: Forecast) -> str:
    return f"{forecast.most:,} within {forecast.within}"
