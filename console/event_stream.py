"""What came out as server-sent events, each with the cursor behind it as id: a reader resumes there."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

import anyio

from console.bell import Bell
from console.problems import Problem
from sinks.events.envelope import Envelope

KEEP_ALIVE_SECONDS = 15.0  # proxies end a connection that is silent for half a minute or more
RETRY_MS = 3000
PAGE = 100  # events that a reader holds at most, however slow it is
_AGAIN_SECONDS = 2.0  # while what is read from is away
_READERS = 4  # pages read at once: the other threads of the pool are for other requests


@dataclass(frozen=True)
class EventPage:
    """Events with the cursor behind each, and the cursor behind all that was looked through."""

    events: Sequence[tuple[str, Envelope]]
    next: str


Read = Callable[[str | None, int], EventPage]


class EventStreams:
    """All streams of this process."""

    def __init__(self, bell: Bell) -> None:
        self.bell = bell
        self._limiter = anyio.CapacityLimiter(_READERS)

    async def stream(
        self, read: Read, first: EventPage, is_allowed: Callable[[], bool]
    ) -> AsyncIterator[bytes]:
        """Yield events, of ``first`` and then of whatever comes behind it, until the server stops, the reader
        is not allowed any more, or what is behind its cursor is gone; comments where there is nothing.

        The next page is read when the connection has taken the one before. read: blocking.
        """
        yield f"retry: {RETRY_MS}\n\n".encode()
        page, cursor, spoke = first, None, time.monotonic()
        with self.bell.waiter() as waiter:
            while True:
                if page.next != cursor:
                    yield frames(page)
                    cursor, spoke = page.next, time.monotonic()
                elif (rest := spoke + KEEP_ALIVE_SECONDS - time.monotonic()) > 0:
                    await waiter.wait(rest)
                else:
                    yield b": nothing new\n\n"
                    spoke = time.monotonic()
                if self.bell.is_closed or not is_allowed():
                    return
                try:
                    page = await anyio.to_thread.run_sync(read, cursor, PAGE, limiter=self._limiter)
                except Problem as problem:
                    if problem.status != 503:  # asked again from there, the reader is told
                        return
                    yield f": {problem.kind}\n\n".encode()
                    spoke = time.monotonic()
                    await waiter.wait(_AGAIN_SECONDS)


def frames(page: EventPage) -> bytes:
    """Return a page's events as they are sent. Where the page ends behind its last event, a line of its own
    says so: it makes no event, but is where the reader resumes."""
    told = [b"id: %b\ndata: %b\n\n" % (at.encode(), event.structured()) for at, event in page.events]
    if not page.events or page.events[-1][0] != page.next:
        told.append(f"id: {page.next}\n\n".encode())
    return b"".join(told)
