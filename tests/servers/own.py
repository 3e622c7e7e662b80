"""A server of one test's own, which it may kill, freeze, stop and start again."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_urlsafe

from deploy.servers import process
from deploy.servers.places import Place, free_ports
from deploy.servers.server import Server
from tests.absent import absent

ANSWER_SECONDS = 90.0


class OwnServer:
    """Starts at once; ``place`` keeps its data and ports over all starts."""

    def __init__(self, server: Server, place: Place) -> None:
        self.place, self._server = place, server
        server.prepare(place)
        self.start()

    def begin(self) -> None:
        """Start it, and do not wait."""
        place = self.place
        self.log = place.folder / "log"
        command = self._server.command(place)
        self._running = process.start(command, self.log, place.folder, self._server.environment(place))

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.begin()
        self.wait()

    def wait(self) -> None:
        """Wait until it answers."""
        process.wait_until(
            lambda: self.place.listens() and self._server.answers(self.place), self._running, self.log,
            ANSWER_SECONDS,
        )  # fmt: skip

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
        """End it, however it stands."""
        if self._running.alive:
            self.thaw()
        process.stop(self._running)


def able(server: Server) -> None:
    """Skip the test where a server cannot run; under CI=true fail."""
    lacking = server.missing()
    if lacking:
        absent(f"{server.name} is not here: {lacking}")


def new_place(server: Server, folder: Path, others: dict[str, Place] | None = None) -> Place:
    """Return an empty place in a folder, with free ports and a new password."""
    folder.mkdir()
    return Place(folder, free_ports(["clients", *server.ports]), token_urlsafe(18), others or {})


@contextmanager
def own_server(
    server: Server, folder: Path, others: dict[str, Place] | None = None
) -> Iterator[OwnServer]:
    """Run one in a folder, and end it."""
    able(server)
    made = OwnServer(server, new_place(server, folder, others))
    try:
        yield made
    finally:
        made.stop()
