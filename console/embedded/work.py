"""Rows into the service's log, and questions to its engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from app.owner import Owner
from app.service import Service
from console.problems import Problem
from streams.arrive import Arrived
from streams.message import Message

Result = TypeVar("Result")
WAIT_SECONDS = 30.0  # for the service's thread; what takes longer is answered 503 and asked again


class EmbeddedWork:
    """A service's; a `console.form.Work`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def check_current(self) -> None:
        """Raise Problem while the service takes nothing, or what it takes does not reach the store."""
        self.check_ready()
        if self._service.figures.store_away:
            raise _store_away()

    def check_ready(self) -> None:
        """Raise Problem while the service does not take anything."""
        service = self._service
        if service.failed is not None:
            raise Problem("stopping", "the service has failed", "see the server's own output; it restarts")
        if service.ready or service.taking:
            return
        if service.figures.store_away:
            raise _store_away()
        raise Problem("not-ready", "the log is still being replayed", "see /readyz; try again in a moment")

    def behind_since(self) -> float | None:
        """Return since when something that was accepted is not in the store; seconds since 1970."""
        return self._service.figures.behind_since

    async def take(self, messages: Sequence[Message], request: str | None) -> Arrived:
        """Take messages into the log, in one transaction."""
        return await result_of(self._service.accept(messages, request)) if messages else Arrived()

    async def ask(self, question: Callable[[Owner], Result]) -> Result:
        """Put a question to the engine, between two batches."""
        self.check_current()
        return await result_of(self._service.ask(question))


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
