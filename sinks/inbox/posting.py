"""Messages of a channel into inboxes, and what became of each."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import redis
import redis.asyncio

from sinks.channels.message import Message
from sinks.channels.outcome import Accepted, Outcome, Refused, Unknown
from sinks.inbox.message import Shown
from sinks.inbox.putting import DIGEST, SCRIPT, Putting
from sinks.store.store import is_away

_SCHEMES = ("https://", "http://", "/")  # a page that opens a link runs no script of its text


class Posting:
    """One event loop's. link: the value of a message that holds the address it leads to."""

    def __init__(self, store: redis.asyncio.Redis, putting: Putting, link: str) -> None:
        self._store, self._putting, self._link = store, putting, link

    async def put(self, messages: Sequence[Message]) -> list[Outcome]:
        """Put messages in; return what became of each, in the order given."""
        if not messages:
            return []
        refused = await self._prepare()
        if refused is not None:
            return [refused for _ in messages]
        now = time.time()
        whole = [one for one in messages if one.customer]
        try:
            async with self._store.pipeline(transaction=False) as pipeline:
                for one in whole:
                    pipeline.evalsha(DIGEST, 1, *self._arguments(one, now))
                answers = await pipeline.execute(raise_on_error=False)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            return [Unknown(f"the profile store: {error}") for _ in messages]
        found = dict(zip((one.id for one in whole), answers, strict=True))
        return [_outcome(one, found.get(one.id)) for one in messages]

    async def rest(self) -> None:
        """Let go of connections that nobody uses."""
        await self._store.connection_pool.disconnect(inuse_connections=False)

    async def _prepare(self) -> Refused | None:
        """Let the server have the script; return why it cannot, while certainly nothing is written."""
        try:
            exists: Any = await self._store.script_exists(DIGEST)
            if not exists[0]:
                await self._store.script_load(SCRIPT)
        except redis.RedisError as error:
            return _refused(error)
        return None

    def _arguments(self, message: Message, now: float) -> tuple[str, ...]:
        link = message.values.get(self._link, "")
        shown = Shown(message.title, message.text, link if _is_link(link) else "", message.trigger)
        customer = bytes.fromhex(message.customer)
        return self._putting.arguments(customer, message.id, shown, message.priority, now)


def _outcome(message: Message, answer: object) -> Outcome:
    if not message.customer:
        return Refused("give_up", "", "the message names no customer")
    return _refused(answer) if isinstance(answer, redis.RedisError) else Accepted(message.id)


def _refused(error: redis.RedisError) -> Refused:
    """What is away or full comes back; who may not write will not until somebody mends it."""
    lost = isinstance(error, redis.AuthenticationError) or not is_away(error)
    code = type(error).__name__
    return Refused("stop" if lost else "retry", code, f"the profile store: {error}")


def _is_link(link: str) -> bool:
    return link.startswith(_SCHEMES) and not link.startswith(("//", "/\\"))
