"""Starts and stops the servers: those that need another after it, the others side by side."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from deploy.servers import process, state
from deploy.servers.clickhouse import ClickHouse
from deploy.servers.connect import Connect
from deploy.servers.kafka import Kafka
from deploy.servers.mariadb import MariaDb
from deploy.servers.places import Place, new_place
from deploy.servers.postgres import Postgres
from deploy.servers.process import Running, ServerError
from deploy.servers.redis import Redis, Valkey
from deploy.servers.server import Server
from deploy.servers.state import Kept

# Each behind those it needs
SERVERS: dict[str, Server] = {
    one.name: one for one in (Postgres(), MariaDb(), Redis(), Valkey(), ClickHouse(), Kafka(), Connect())
}
ANSWER_S = 90.0


def with_needed(names: Iterable[str]) -> list[str]:
    """Return the servers named and those they need, each behind what it needs."""
    wanted = set(names)
    for server in reversed(SERVERS.values()):
        if server.name in wanted:
            wanted.update(server.after)
    return [name for name in SERVERS if name in wanted]


def missing(names: Iterable[str]) -> dict[str, str]:
    """Return of each server that cannot run here the command that installs what it lacks."""
    found = {name: SERVERS[name].missing() for name in with_needed(names)}
    return {name: lacking for name, lacking in found.items() if lacking}


def start(names: Iterable[str], owner: Running | None = None) -> dict[str, Place]:
    """Start the servers named and those they need, where they do not run yet; return where each is.

    Those that run go on as they are, with what they hold. Raises `ServerError` where one does not come up.
    """
    with state.alone():
        kept = {name: one for name, one in state.read().items() if name in SERVERS}
        wanted = with_needed(names)
        for name in SERVERS:  # one whose server behind it is new must be new too
            renewed = any(before not in kept for before in SERVERS[name].after)
            if name in kept and (renewed or not kept[name].sound):
                _end(name, kept.pop(name))
        state.write(kept)
        _Start(kept, owner).run([name for name in wanted if name not in kept])
        return {name: kept[name].place for name in wanted}


def stop(owner: Running | None = None) -> list[str]:
    """Stop the servers of a test run, or all, remove what they held, and return their names."""
    with state.alone():
        kept = state.read()
        ended = [name for name, one in kept.items() if owner is None or one.owner == owner]
        with ThreadPoolExecutor(len(SERVERS)) as threads:
            list(threads.map(lambda name: _end(name, kept[name]), reversed(ended)))
        state.write({name: one for name, one in kept.items() if name not in ended})
        return ended


def _end(name: str, kept: Kept) -> None:
    process.stop(kept.running)
    shutil.rmtree(kept.place.folder, ignore_errors=True)


class _Start:
    """One start of several servers, a thread for each."""

    def __init__(self, kept: dict[str, Kept], owner: Running | None) -> None:
        self._kept, self._owner = kept, owner
        self._writing = threading.Lock()
        self._begun: dict[str, Future[None]] = {}

    def run(self, names: list[str]) -> None:
        """Return when all answer; raises the first error, when the others have come up."""
        with ThreadPoolExecutor(len(SERVERS)) as threads:
            for name in names:
                self._begun[name] = threads.submit(self._one, SERVERS[name])
        for begun in self._begun.values():
            begun.result()

    def _one(self, server: Server) -> None:
        for name in server.after:
            if name in self._begun:
                self._begun[name].result()
        place = new_place(server.name, server.ports, {name: one.place for name, one in self._kept.items()})
        try:
            server.prepare(place)
        except subprocess.CalledProcessError as error:
            log = place.folder / "log"
            log.write_bytes((error.stdout or b"") + (error.stderr or b""))
            raise ServerError(f"{server.name}: its data cannot be made", log) from None
        log = place.folder / "log"
        running = process.start(server.command(place), log, place.folder, server.environment(place))
        self._keep(server.name, Kept(running, place, self._owner, ready=False))
        process.wait_until(lambda: place.listens() and server.answers(place), running, log, ANSWER_S)
        self._keep(server.name, Kept(running, place, self._owner, ready=True))

    def _keep(self, name: str, one: Kept) -> None:
        with self._writing:
            self._kept[name] = one
            state.write({known: self._kept[known] for known in SERVERS if known in self._kept})
