"""A customer's inbox as server-sent events: what has changed behind a number, again and again."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import redis

from console.news import News
from sinks.inbox.inbox import Contents
from sinks.inbox.message import InboxMessage

KEEP_ALIVE_SECONDS = 15.0  # proxies end a connection that is silent for half a minute or more
RETRY_MS = 3000
Show = Callable[[InboxMessage], dict[str, Any]]


async def events(
    news: News, customer: bytes, read: Callable[[], Awaitable[Contents]], show: Show, last: int | None,
    until: float | None, is_allowed: Callable[[], bool], now: Callable[[], float] = time.time,
) -> AsyncIterator[bytes]:  # fmt: skip
    """Yield events until ``until`` (seconds since 1970), or until the reader is not allowed any more, which
    is asked before anything is told: ``inbox`` with the messages changed behind ``last`` (None: none of
    them), each with its number as id, and comments where there is nothing to tell.

    Where the store has lost what was told of before, ``reset`` says so: list the inbox anew.
    """
    yield f"retry: {RETRY_MS}\n\n".encode()
    with news.waiter(customer) as waiter:
        is_first = True
        while until is None or now() < until:
            try:
                found = await read()
            except redis.RedisError:  # the store is away: the next look tells what has changed
                yield b": the store is away\n\n"
                await waiter.wait(KEEP_ALIVE_SECONDS / 3)
                continue
            if not is_allowed():
                return
            if last is not None and found.change < last:
                yield _event("reset", found, [])
            elif is_first or found.change > (last or 0):
                since = found.change if last is None else last
                yield _event("inbox", found, [show(one) for one in found.messages if one.changed > since])
            else:
                yield b": nothing new\n\n"
            last, is_first = found.change, False
            rest = KEEP_ALIVE_SECONDS if until is None else min(KEEP_ALIVE_SECONDS, max(until - now(), 0.0))
            await waiter.wait(rest)


def _event(name: str, found: Contents, messages: list[dict[str, Any]]) -> bytes:
    data = msgspec.json.encode({"messages": messages, "unread": found.unread})
    return f"id: {found.change}\nevent: {name}\ndata: ".encode() + data + b"\n\n"
