"""A client for an event loop, of the server that another client is connected to."""

from __future__ import annotations

from typing import Any

import redis
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

_SAME = ("host", "port", "username", "password", "db", "socket_timeout", "socket_connect_timeout")


def asynchronous(client: redis.Redis, **otherwise: Any) -> redis.asyncio.Redis:
    """Return a client of the same server; connects when it is first used, and belongs to that event loop.
    otherwise: what is not to be as in the other client."""
    pool = client.connection_pool
    same: dict[str, Any] = {
        name: pool.connection_kwargs[name] for name in _SAME if name in pool.connection_kwargs
    }
    secure = issubclass(pool.connection_class, redis.SSLConnection)
    once = Retry(NoBackoff(), 1)  # a connection of before a restart; who waits longer does so itself
    return redis.asyncio.Redis(ssl=secure, retry=once, **{**same, **otherwise})
