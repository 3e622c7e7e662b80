"""Broadcasts: the triggers whose schedule names dates, when these are, and what stops one."""

from __future__ import annotations

from typing import Literal

from app.shop import Shop
from sinks.deliveries.pausing import covering, switches_over
from sinks.deliveries.switches import Stopped
from triggers.schedule import dues_of
from triggers.trigger import Trigger


def broadcasts(shop: Shop) -> dict[str, Trigger]:
    """Return a shop's broadcasts by name."""
    return {
        name: trigger for name, trigger in shop.triggers.items()
        if trigger.when.schedule is not None and trigger.when.schedule.on
    }  # fmt: skip


def dates_of(trigger: Trigger, zone: str) -> list[int]:
    """Return the epoch minutes at which a broadcast falls due, in order."""
    return dues_of(trigger.when.schedule, zone) if trigger.when.schedule is not None else []


def stands(name: str, trigger: Trigger, stopped: Stopped) -> Literal["on", "off", "paused"]:
    """Say whether a trigger's messages go out: by its own switch, its channel's and everything's."""
    if any(what in stopped.off for what in switches_over(trigger.action.channel, name)):
        return "off"
    return "on" if covering(stopped.paused, trigger.action.channel, name) is None else "paused"
