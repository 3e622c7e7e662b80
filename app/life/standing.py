"""How each trigger stands: by its declaration, in the log, and what it did in shadow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.life.known import Known
from app.shop import Shop
from sinks.deliveries.shadow import Shadow, shadow_of
from triggers.past import run_of
from triggers.trigger import Forecast
from triggers.version import rule_of, version_of


@dataclass(frozen=True)
class Standing:
    """One trigger. status, version: of its file; in_force: the status in the log, unbroken since that minute
    (None: the log does not know it); rule_in_force: whether the rule there is the file's. shadow_since: from
    which minute on the file's rule ran in shadow (None: it has not); was_live: it was; shadow: its decisions
    there. forecast: of its file. stopped: why it is switched off (None: it is not).
    """

    name: str
    status: str
    version: str
    in_force: str | None
    since: int | None
    rule_in_force: bool
    shadow_since: int | None
    was_live: bool
    shadow: Shadow
    forecast: Forecast | None
    stopped: str | None


def standings(known: Known, shop: Shop, names: Iterable[str] | None = None) -> list[Standing]:
    """Return how triggers stand by a shop's declarations: those named, or all."""
    return [_standing(known, shop, name) for name in (shop.triggers if names is None else names)]


def _standing(known: Known, shop: Shop, name: str) -> Standing:
    trigger, before = shop.triggers[name], known.past.get(name)
    run = run_of(known.past, name, trigger)
    shadow = Shadow()
    if run is not None and run.shadow is not None:
        shadow = shadow_of(known.ledger, name, run.versions)
    return Standing(
        name, trigger.status, version_of(trigger), before.status if before else None,
        before.since if before else None, before is not None and before.rule == rule_of(trigger),
        run.shadow if run else None, run is not None and run.live, shadow,
        trigger.guards.forecast, known.off.get(f"trigger/{name}"),
    )  # fmt: skip
