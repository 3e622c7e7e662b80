"""What a trigger would decide at a minute: the engine itself decides, and nothing of it is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.effects import Collector
from app.moments import write_moment
from app.restore import begin
from app.shop import Shop
from engine.engine import LARGEST_JUMP
from engine.outcome import Decision
from streams.errors import InputError
from streams.log.log import Log


def forecast(
    log: Log, shop: Shop, data: Path, name: str, minute: int, say: Callable[[str], None] = lambda _: None
) -> list[Decision]:
    """Return what a schedule trigger would decide at an epoch minute behind the log's clock, live, if nothing
    came until then: of each customer for whom its rule is true, to act or which guard stands against it.

    The log is followed in memory, then the shop's settings are in force in which the trigger is live, and it
    falls due at that minute and at none before. data: the folder with snapshots. Raises InputError for a
    minute that is over.
    """
    made: list[Decision] = []
    collector = Collector(lambda _, found: made.extend(found))
    replay, _ = begin(log, shop, data, collector.take, say=say)
    replay.follow()
    if minute <= replay.engine.clock:
        hint = f"the log stands at {write_moment(replay.engine.clock, shop.settings.zone)}: name a later time"
        raise InputError("--at", "is over", hint)
    replay.suppose(_live(shop, name))
    replay.engine.let_fall_due(replay.engine.plan.trigger.names.index(name), minute)
    for tick in range(replay.engine.clock + LARGEST_JUMP, minute - 1, LARGEST_JUMP):
        replay.engine.advance(tick)
    replay.engine.advance(minute - 1)
    made.clear()
    replay.engine.advance(minute)
    return [one for one in made if one.trigger == name and one.minute == minute]


def _live(shop: Shop, name: str) -> Shop:
    live = shop.triggers[name].model_copy(update={"status": "live"})
    return shop.model_copy(update={"triggers": {**shop.triggers, name: live}})
