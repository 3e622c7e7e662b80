"""Where things of the servers lie, and what a server is told about its place."""

from __future__ import annotations

import secrets
import shutil
import socket
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sinks.store import ports

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DATA = ROOT / ".data" / "servers"
JARS = ROOT / ".cache" / "servers"
HOST = ports.HOST


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
    """Return one free port for each name; all are held until the last is found, so that they differ."""
    with ExitStack() as held:
        found = [held.enter_context(ports.listening()) for _ in names]
        return {name: one.getsockname()[1] for name, one in zip(names, found, strict=True)}
