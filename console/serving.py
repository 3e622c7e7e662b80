"""What the API answers from, and what every answer says of itself: as_of, position, lag."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

import numpy as np
import redis
from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from app.owner import Owner
from app.pages.amounts import metric_types
from app.relays import Relays
from app.service import Service
from app.shop import Shop
from console.figures import ApiFigures, ShopCollector
from console.keys import Keyring
from console.problems import Problem
from sinks.deliveries.ledger import Ledger
from sinks.store.store import Head, Store
from streams.identity.partition import partitions_of
from streams.log.view import LogView
from streams.personal.erase import Erased
from streams.segment import Calls

MINUTE_MS = 60_000
WAIT_SECONDS = 30.0  # for the service's thread; what takes longer is answered 503 and asked again
Result = TypeVar("Result")


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


@dataclass
class Serving:
    """One shop at work. shop: the settings in force; erase: a customer by id (16 bytes), blocking; now:
    seconds since 1970, as the service has it."""

    shop: Shop
    service: Service
    store: Store
    ledger: Ledger
    view: LogView
    keyring: Keyring
    relays: Relays
    erase: Callable[[bytes], Erased]
    figures: ApiFigures = field(default_factory=ApiFigures)
    now: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        self.figures.registry.register(ShopCollector(self))
        self._calls = Calls(self.shop.sources)
        self.units = {
            name: {"scale": kind.scale or 0, "currency": kind.currency}
            for name, kind in metric_types(self.shop).items() if kind.scale or kind.currency
        }  # fmt: skip

    def note_call(self, call: str, name: str | None) -> None:
        """Count a call in the shape of Segment's API if no source takes it."""
        if not self._calls.takers(call, name):
            self.figures.untaken(call, name or "")

    def read(self, customers: Sequence[bytes]) -> tuple[list[Head], list[bytes | None]]:
        """Return the head of every partition and the customers' documents, all of one moment."""
        numbers = np.frombuffer(b"".join(customers), dtype=">i8").astype(np.int64).reshape(-1, 2)
        partitions = partitions_of(numbers[:, 0], numbers[:, 1], self.view.partitions).tolist()
        return self.store.read(self.view.partitions, list(zip(partitions, customers, strict=True)))

    def standing(self, heads: Sequence[Head] | None = None) -> dict[str, Any]:
        """Return as_of, position and lag_ms of what the store holds (`Answer`)."""
        found = self.read([])[0] if heads is None else heads
        return self.standing_at(min(head.clock for head in found), [head.step for head in found])

    async def standing_soon(self) -> dict[str, Any]:
        """Return `standing`, also while the store is away: what was taken is on disk all the same."""
        try:
            return await run_in_threadpool(self.standing)
        except (redis.ConnectionError, redis.TimeoutError):
            return self.standing_at(-1, [])

    def standing_at(self, clock: int, steps: Sequence[int]) -> dict[str, Any]:
        """Return as_of, position and lag_ms of a clock (epoch minute; settings alone stand at minute 0)."""
        now = self.now()
        behind = self.service.figures.behind_since
        late = now * 1000 - (clock + 1) * MINUTE_MS if clock > 0 else 0.0
        waiting = (now - behind) * 1000 if behind is not None else 0.0
        return {
            "as_of": moment(clock) if clock > 0 else None,
            "position": list(steps),
            "lag_ms": max(0, int(late), int(waiting)),
        }

    async def ask(self, question: Callable[[Owner], Result]) -> Result:
        """Put a question to the engine, between two batches."""
        self.check_current()
        return await result_of(self.service.ask(question))

    def check_current(self) -> None:
        """Raise Problem while the service takes nothing, or what it takes does not reach the store."""
        self.check_ready()
        if self.service.figures.store_away:
            raise _store_away()

    def check_ready(self) -> None:
        """Raise Problem while the service does not take anything."""
        if self.service.failed is not None:
            raise Problem("stopping", "the service has failed", "see the server's own output; it restarts")
        if self.service.ready or self.service.taking:
            return
        if self.service.figures.store_away:
            raise _store_away()
        raise Problem("not-ready", "the log is still being replayed", "see /readyz; try again in a moment")


def _store_away() -> Problem:
    hint = "what was accepted is in the log; try again in a moment"
    return Problem("store-away", "the profile store does not answer", hint)


async def result_of(future: Future[Result]) -> Result:
    """Wait for the service's thread; whoever stops waiting leaves the work as it is."""
    waiting = asyncio.shield(asyncio.wrap_future(future))  # a cancelled future would fail the service
    try:
        return await asyncio.wait_for(waiting, WAIT_SECONDS)
    except TimeoutError:
        hint = "ask again; what was sent may have been taken, and the same again counts once"
        raise Problem("busy", f"no answer within {WAIT_SECONDS:.0f} seconds", hint) from None


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


Here = Annotated[Serving, Depends(serving_of)]
