"""How many a broadcast would reach now, in a cluster: owners of partitions count, and they are summed."""

from __future__ import annotations

import msgspec

from app.life.reach import SECONDS, AnsweredReach, AskedReach, Reach, check_counts, summed
from app.replay import canonical
from app.shop import Shop
from console.cluster.owners import Owners
from console.problems import refuse
from engine.plan import settings_hash
from sinks.store.questions import REACH


def reach_there(owners: Owners, shop: Shop, name: str) -> Reach:
    """Return how many a broadcast of the settings that were applied last would reach now; blocking. Raises
    InputError and Problem."""
    check_counts(shop, name)
    asked = msgspec.json.encode(AskedReach(settings_hash(canonical(shop)), name))
    count = shop.settings.partitions
    answers, _ = owners.ask(REACH, dict.fromkeys(range(count), asked), count, _read, SECONDS)
    parts = list[Reach]()
    for number, one in answers.items():
        if one.found is None:
            refuse("not-ready", f"partition {number} does not go by the settings that were applied last",
                   "in a moment it does, if it has a worker")  # fmt: skip
        parts.append(one.found)
    return summed(parts)


def _read(raw: bytes) -> tuple[int, AnsweredReach]:
    answer = msgspec.json.decode(raw, type=AnsweredReach)
    return answer.epoch, answer
