"""How the providers stand, as whoever sends tells through the store."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import msgspec
import redis

_SHOW_SECONDS = 1.0
_KEPT_SECONDS = 15  # behind that nobody sends


class Standing:
    """One shop's. Raises redis.RedisError while the store is away."""

    def __init__(self, client: redis.Redis, shop: str) -> None:
        self._client, self._key = client, f"tintype:{{{shop}/sender}}:providers"

    def put(self, providers: list[dict[str, object]]) -> None:
        """Tell it, as `sinks.deliveries.dispatch.Dispatcher.health` does."""
        self._client.set(self._key, msgspec.json.encode(providers), ex=_KEPT_SECONDS)

    def get(self) -> list[dict[str, Any]] | None:
        """Return it as it was lately; None where nobody has told it."""
        found: Any = self._client.get(self._key)
        return None if found is None else msgspec.json.decode(found, type=list[dict[str, Any]])

    async def keep(self, health: Callable[[], list[dict[str, object]]]) -> None:
        """Tell it each second, in a thread; nobody can look while the store is away."""
        while True:
            with contextlib.suppress(redis.RedisError):
                await asyncio.to_thread(self.put, health())
            await asyncio.sleep(_SHOW_SECONDS)
