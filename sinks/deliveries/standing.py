"""How the providers of a cluster stand, as its sender tells through the store."""

from __future__ import annotations

from typing import Any

import msgspec
import redis

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
