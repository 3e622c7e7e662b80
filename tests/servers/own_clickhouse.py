"""A ClickHouse server of one test's own, which it may kill, stop, keep busy and start again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

from clickhouse_driver import Client

from deploy.servers.clickhouse import ClickHouse
from deploy.servers.places import HOST, Place
from sinks.history.client import ServerAddress
from tests.servers.own import OwnServer, able, new_place
from tests.servers.waiting import wait_for

QUESTIONS_AT_ONCE = 3


class _FewQuestions(ClickHouse):
    """Answers so few at once that a test can keep it busy."""

    def prepare(self, place: Place) -> None:
        super().prepare(place)
        config = place.folder / "config.xml"
        settings = ElementTree.parse(config)
        ElementTree.SubElement(settings.getroot(), "max_concurrent_queries").text = str(QUESTIONS_AT_ONCE)
        settings.write(config)


class OwnClickHouse(OwnServer):
    """Starts at once."""

    def address(self, answer_seconds: float = 10.0) -> ServerAddress:
        """Where its history is, for a relay that waits so long for an answer."""
        password = self.place.password
        return ServerAddress(
            HOST, self.place.port, "history", password=password, answer_seconds=answer_seconds
        )

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
    server = _FewQuestions()
    able(server)
    made = OwnClickHouse(server, new_place(server, folder))
    try:
        yield made
    finally:
        made.stop()
