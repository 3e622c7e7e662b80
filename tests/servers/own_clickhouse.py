"""A ClickHouse server of one test's own, which it may kill, stop and start again."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

from clickhouse_driver import Client

from deploy.servers import process
from deploy.servers.clickhouse import ClickHouse
from deploy.servers.places import HOST, Place, free_ports
from sinks.history.client import ServerAddress
from tests.servers.waiting import wait_for

QUESTIONS_AT_ONCE = 3


class OwnClickHouse:
    """Starts at once; ``place`` keeps its data and ports over all starts."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._server = ClickHouse()
        self._server.prepare(place)
        config = place.folder / "config.xml"
        settings = ElementTree.parse(config)
        ElementTree.SubElement(settings.getroot(), "max_concurrent_queries").text = str(QUESTIONS_AT_ONCE)
        settings.write(config)
        self.start()

    def address(self, answer_seconds: float = 10.0) -> ServerAddress:
        """Where its history is, for a relay that waits so long for an answer."""
        password = self.place.password
        return ServerAddress(
            HOST, self.place.port, "history", password=password, answer_seconds=answer_seconds
        )

    def start(self) -> None:
        """Start it, and wait until it answers."""
        log = self.place.folder / "log"
        self._running = process.start(self._server.command(self.place), log, self.place.folder, {})
        process.wait_until(
            lambda: self.place.listens() and self._server.answers(self.place), self._running, log, 60
        )

    def kill(self) -> None:
        """End it as a power cut of the process would."""
        os.kill(self._running.pid, signal.SIGKILL)
        process.stop(self._running)

    def freeze(self) -> None:
        """Let it hear and not answer."""
        os.kill(self._running.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on where it was."""
        os.kill(self._running.pid, signal.SIGCONT)

    def stop(self) -> None:
        """End it."""
        self.thaw()
        process.stop(self._running)

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Let it refuse everybody else: as many questions as it answers at once have no end."""
        password = self.place.password
        clients = [Client(HOST, self.place.port, password=password) for _ in range(QUESTIONS_AT_ONCE)]
        try:
            for client in clients:
                next(client.execute_iter("SELECT number FROM system.numbers"))  # and no more is read
            wait_for(self._refuses, "refused")
            yield
        finally:
            for client in clients:
                client.disconnect()
            wait_for(lambda: self._server.answers(self.place), "taking questions again")

    def _refuses(self) -> bool:
        return self.place.listens() and not self._server.answers(self.place)


@contextmanager
def own_clickhouse(folder: Path) -> Iterator[OwnClickHouse]:
    """Run one in a folder, and end it."""
    names = [*ClickHouse.ports, "clients"]
    folder.mkdir()
    server = OwnClickHouse(Place(folder, free_ports(names), secrets.token_urlsafe(18), {}))
    try:
        yield server
    finally:
        server.stop()
