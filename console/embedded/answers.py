"""What only an engine knows, asked of this process's own."""

from __future__ import annotations

from typing import Any

from app.explained import Explained, explained
from app.owner import Owner
from app.texts_read import AskedTexts, asked_of
from console.embedded.work import EmbeddedWork
from console.form import Whole
from engine.overview import overview


class EmbeddedAnswers:
    """A service's; a `console.form.Answers`."""

    def __init__(self, work: EmbeddedWork) -> None:
        self._work = work

    async def whole(self) -> Whole:
        """Return the shop as a whole, as the engine stands."""
        return await self._work.ask(_whole)

    async def explained(self, customer: bytes) -> Explained | None:
        """Return a customer's profile with reasons."""
        return await self._work.ask(lambda owner: explained(owner, customer))

    async def texts(self, asked: AskedTexts) -> list[dict[str, Any]]:
        """Return how a template reads for real customers."""
        return await self._work.ask(lambda owner: asked_of(owner, asked))


def _whole(owner: Owner) -> Whole:
    return Whole(owner.shop, owner.engine.clock, list(owner.engine.steps), overview(owner.engine))
