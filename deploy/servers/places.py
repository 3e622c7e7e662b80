"""Where things of the servers lie, and what a server is told about its place."""

from __future__ import annotations

import secrets
import shutil
import socket
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import SystemRandom

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DATA = ROOT / ".data" / "servers"
JARS = ROOT / ".cache" / "servers"
HOST = "127.0.0.1"
LOWEST_PORT = 10_000


@dataclass(frozen=True)
class Place:
    """What one server is given: a folder, ports, a password, and where the servers before it are."""

    folder: Path
    ports: dict[str, int]
    password: str
    others: dict[str, Place]

    @property
    def port(self) -> int:
        """Where its clients connect."""
        return self.ports["clients"]

    @property
    def address(self) -> str:
        """Host and port, as clients write it."""
        return f"{HOST}:{self.port}"

    def listens(self) -> bool:
        """Whether anything listens there: asked before a client library is, which would log its failure."""
        try:
            socket.create_connection((HOST, self.port), timeout=1).close()
        except OSError:
            return False
        return True


def new_place(name: str, ports: Iterable[str], others: dict[str, Place]) -> Place:
    """Return an empty place with free ports and a new password."""
    folder = DATA / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return Place(folder, free_ports(["clients", *ports]), secrets.token_urlsafe(18), others)


def free_ports(names: list[str]) -> dict[str, int]:
    """Return one free port for each name; all are held until the last is found, so that they differ.

    None of those that the system gives to a connection's own end: a server that was killed would find
    its port taken when it starts again.
    """
    with ExitStack() as held:
        found: dict[str, int] = {}
        while len(found) < len(names):
            with suppress(OSError):
                port = SystemRandom().choice(lasting_ports())
                held.enter_context(socket.create_server((HOST, port)))
                found[names[len(found)]] = port
        return found


@cache
def lasting_ports() -> list[int]:
    """Return the ports that the system gives to nobody by itself."""
    first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    return [*range(LOWEST_PORT, first), *range(last + 1, 1 << 16)]
