"""What the API answers from, and what every answer says of itself: as_of, position, lag.

Two forms of a shop serve the same paths, embedded and in a cluster; what differs between them stands behind
the protocols of `console.form`.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
import redis
from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel, Field

from app.pages.amounts import metric_types
from app.shop import Shop
from console.figures import ApiFigures, StoreCollector
from console.form import (
    Answers,
    Coupons,
    Deliveries,
    Effects,
    Rights,
    Sending,
    Triggers,
    View,
    Work,
)  # fmt: skip
from console.keys import Keyring
from sinks.history.history import History
from sinks.recommendations.serving import Counter
from sinks.recommendations.shelves import Shelves
from sinks.store.gathered import Gathered
from sinks.store.store import Head, Store
from streams.identity.partition import id_pairs, partitions_of
from streams.segment import Calls

MINUTE_MS = 60_000


class Answer(BaseModel):
    """Every answer says how old it is."""

    as_of: dt.datetime | None = Field(
        description="the minute (UTC) up to whose end everything is true; null before the first row",
        examples=["2026-03-01T09:00:00Z"],
    )
    position: list[int] = Field(
        description="records applied so far, one number a partition", examples=[[40213]]
    )
    lag_ms: int = Field(
        description="age of what the answer shows: 0 when everything accepted is in it", examples=[0]
    )


@dataclass(frozen=True)
class Found:
    """Heads of all partitions, and customers' documents with the partition of each, all of one moment."""

    heads: list[Head]
    partitions: list[int]
    documents: list[bytes | None]


@dataclass
class Serving:
    """One shop at work. shop: the settings in force; now: seconds since 1970, as the clock has it; slots:
    what fills slots of recommendations, None where there are none; history: opens it for questions, None
    where there is none; gathered: what reads the store for paths that are asked often."""

    shop: Shop
    store: Store
    view: View
    work: Work
    answers: Answers
    effects: Effects
    rights: Rights
    deliveries: Deliveries
    sending: Sending
    coupons: Coupons
    keyring: Keyring
    figures: ApiFigures = field(default_factory=ApiFigures)
    now: Callable[[], float] = time.time
    slots: Counter | None = None
    history: Callable[[], AbstractContextManager[History]] | None = None
    triggers: Triggers = field(kw_only=True)

    gathered: Gathered = field(init=False)

    def __post_init__(self) -> None:
        self.gathered = Gathered(self.store, self.shop.settings.partitions)
        self.figures.registry.register(StoreCollector(self))
        self.use(self.shop)

    def use(self, shop: Shop) -> None:
        """Answer by other settings from now on."""
        self._calls = Calls(shop.sources)
        self.units = {
            name: {"scale": kind.scale or 0, "currency": kind.currency}
            for name, kind in metric_types(shop).items() if kind.scale or kind.currency
        }  # fmt: skip
        self.shop = shop

    def note_call(self, call: str, name: str | None) -> None:
        """Count a call in the shape of Segment's API if no source takes it."""
        if not self._calls.takers(call, name):
            self.figures.untaken(call, name or "")

    def heads(self) -> list[Head]:
        """Return where each partition of the store stands."""
        return self.read([]).heads

    def read(self, customers: Sequence[bytes]) -> Found:
        """Return the head of every partition and the customers' documents."""
        count = self.shop.settings.partitions
        partitions = partitions_of(*id_pairs(customers), count).tolist()
        found = self.store.read(count, list(zip(partitions, customers, strict=True)))
        return Found(found[0], partitions, found[1])

    def standing(
        self, heads: Sequence[Head] | None = None, shown: Collection[int] = ()
    ) -> dict[str, Any]:
        """Return as_of, position and lag_ms of what the store holds (`Answer`).

        shown: the partitions that the answer shows something of, where it is not all.
        """
        found = self.heads() if heads is None else heads
        clocks = [found[number].clock for number in shown or range(len(found))]
        return self.standing_at(min(clocks), [head.step for head in found])

    async def standing_soon(self) -> dict[str, Any]:
        """Return `standing`, also while the store is away: what was taken is durable all the same."""
        try:
            return await run_in_threadpool(self.standing)
        except (redis.ConnectionError, redis.TimeoutError):
            return self.standing_at(-1, [])

    def standing_at(self, clock: int, steps: Sequence[int]) -> dict[str, Any]:
        """Return as_of, position and lag_ms of a clock (epoch minute; settings alone stand at minute 0)."""
        behind = self.work.behind_since()
        waiting = (self.now() - behind) * 1000 if behind is not None else 0.0
        return {
            "as_of": moment(clock) if clock > 0 else None,
            "position": list(steps),
            "lag_ms": max(self.late_ms(clock), int(waiting)),
        }

    def late_ms(self, clock: int) -> int:
        """Return how far a clock is behind the present minute, in ms; 0 before the first row."""
        late = self.now() * 1000 - (clock + 1) * MINUTE_MS if clock > 0 else 0.0
        return max(0, int(late))


def counter_of(shop: Shop, store: Store) -> Counter | None:
    """Return what fills the slots of a shop; None where recommendations.yaml is not there."""
    if shop.recommendations is None:
        return None
    shelves = Shelves(store.client, shop.settings.name, shop.settings.partitions)
    return Counter(shop.recommendations, shelves, store)


def written(body: Mapping[str, Any]) -> Response:
    """Return an answer as it is, for paths that are asked often: to make models of it, and to check them,
    would take longer than all else."""
    return Response(msgspec.json.encode(body), media_type="application/json")


def moment(minute: int) -> dt.datetime:
    """Return an epoch minute as a time in UTC.

    >>> moment(29538540).isoformat()
    '2026-02-28T21:00:00+00:00'
    """
    return dt.datetime.fromtimestamp(minute * 60, dt.UTC)


def serving_of(request: Request) -> Serving:
    """Return what the app answers from."""
    found: Serving = request.app.state.serving
    return found


async def _here(request: Request) -> Serving:
    return serving_of(request)  # what is no coroutine would be called in a thread, which takes longer than it


Here = Annotated[Serving, Depends(_here)]
