"""What is migrated: an embedded shop's log, or a cluster's that was gathered (`app.migrating.cluster`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from app.effects import of_number
from app.migrating.deliveries import FormerDeliveries
from app.migrating.former_ledger import embedded_deliveries
from app.migrating.places import Untaken
from app.replay import Replay, first_version
from app.restore import begin
from app.shop import Shop
from streams.dead.letters import DeadLetter, letters
from streams.log.log import Log
from streams.migrate.former import positions
from streams.migrate.nobodys import Nobodys
from streams.migrate.part import Part
from streams.shared.asked import Standing
from streams.shared.lanes import MOST_LETTERS
from streams.shared.vault import Wrap

Keys = Iterable[tuple[bytes, int, bytes]]


@dataclass(frozen=True)
class Former:
    """A log to be migrated. name: tells it from others.

    letters: that wait; keys: gives (customer, number, wrapped key) of all that are not forgotten; positions:
    epoch and last position of each source, wherever its rows came from; deliveries: opens what it has of
    them, with a folder for copies; stood: by lane where it stood, of a cluster; apart: records of nobody, of
    a cluster.
    """

    log: Log
    name: str
    letters: Sequence[DeadLetter]
    keys: Callable[[], Keys]
    positions: Mapping[str, tuple[int, int]]
    deliveries: Callable[[Path], AbstractContextManager[FormerDeliveries]]
    stood: Mapping[str, Standing] = field(default_factory=dict)
    apart: Nobodys | None = None

    def replays(self, untaken: Untaken) -> list[Replay]:
        """Return engines behind the log: one, or one for each partition of a cluster. untaken: gets what they
        decide on the way."""
        if self.apart is None:
            shop = Shop.model_validate_json(first_version(self.log) or "")
            replay, _ = begin(self.log, shop, self.log.folder, untaken.take, untaken.lie_behind)
            replay.follow()
            return [replay]
        found = []
        for number in range(self.log.partitions):
            part = Part(self.log, number)
            shop = Shop.model_validate_json(first_version(part) or "")
            replay = Replay(part, shop, of_number(untaken.take, number), apart=True)
            replay.follow()
            found.append(replay)
        return found


def embedded(log: Log) -> Former:
    """Return an embedded shop's log, as what is migrated."""
    waiting = letters(log, limit=MOST_LETTERS)
    name = log.vault.hash(log.shop.encode(), b"migrate").hex()
    deliveries = partial(embedded_deliveries, log)
    return Former(log, name, waiting, lambda: _wrapped(log), positions(log), deliveries)


def _wrapped(log: Log) -> Keys:
    wrap = Wrap(log.vault.secret)
    for customer, number, key in log.vault.keys():  # noqa: SIM118 - it is no dict
        yield customer, number, wrap.wrap(customer, key)
