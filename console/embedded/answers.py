"""What only an engine knows, asked of this process's own."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi.concurrency import run_in_threadpool

from app.explained import Explained, explained
from app.forked import Failed, Forked
from app.life.reach import Reach, check_counts, read_reach
from app.life.reach_now import begin_reach
from app.owner import Owner
from app.texts_read import AskedTexts, asked_of
from console.embedded.work import EmbeddedWork
from console.form import Whole
from console.problems import Problem
from engine.overview import overview

_LONGEST = 60.0  # seconds of a count


class EmbeddedAnswers:
    """A service's; a `console.form.Answers`."""

    def __init__(self, work: EmbeddedWork) -> None:
        self._work = work
        self._one_count = asyncio.Lock()  # a child each: no more at once

    async def whole(self) -> Whole:
        """Return the shop as a whole, as the engine stands."""
        return await self._work.ask(_whole)

    async def explained(self, customer: bytes) -> Explained | None:
        """Return a customer's profile with reasons."""
        return await self._work.ask(lambda owner: explained(owner, customer))

    async def reach(self, broadcast: str) -> Reach:
        """Return how many a broadcast would reach now."""
        async with self._one_count:
            counting = await self._work.ask(lambda owner: _begin_reach(owner, broadcast))
            try:
                return read_reach(await run_in_threadpool(counting.result, _LONGEST))
            except Failed as error:
                hint = "ask again; tintype broadcast SHOP count NAME takes its time, beside the shop"
                raise Problem("busy", f"the count did not come to an end: {error}", hint) from None

    async def texts(self, asked: AskedTexts) -> list[dict[str, Any]]:
        """Return how a template reads for real customers."""
        return await self._work.ask(lambda owner: asked_of(owner, asked))


def _whole(owner: Owner) -> Whole:
    return Whole(owner.shop, owner.engine.clock, list(owner.engine.steps), overview(owner.engine))


def _begin_reach(owner: Owner, broadcast: str) -> Forked:
    check_counts(owner.shop, broadcast)
    return begin_reach(owner, broadcast)
