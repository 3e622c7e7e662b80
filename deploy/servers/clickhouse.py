"""ClickHouse as Debian has it: version 18.16, old, but the real server of the real protocol."""

from __future__ import annotations

from xml.etree import ElementTree

from clickhouse_driver import Client
from clickhouse_driver.errors import Error

from deploy.servers.debian import missing, path_of
from deploy.servers.places import DEPLOY, HOST, Place

USER = "default"


class ClickHouse:
    """One server, empty at each start."""

    name = "clickhouse"
    after: tuple[str, ...] = ()
    guarded = True
    ports: tuple[str, ...] = ("http", "replicas")

    def missing(self) -> str | None:
        return missing("clickhouse-server")

    def prepare(self, place: Place) -> None:
        settings = ElementTree.parse(DEPLOY / "clickhouse" / "config.xml")
        root = settings.getroot()
        here = {
            "tcp_port": place.port, "http_port": place.ports["http"],
            "interserver_http_port": place.ports["replicas"], "users_config": place.folder / "users.xml",
            "path": f"{place.folder / 'data'}/", "tmp_path": f"{place.folder / 'half_done'}/",
        }  # fmt: skip
        for name, value in here.items():
            ElementTree.SubElement(root, name).text = str(value)
        settings.write(place.folder / "config.xml")
        users = ElementTree.parse(DEPLOY / "clickhouse" / "users.xml")
        password = users.find(f"users/{USER}/password")
        if password is None:
            raise LookupError(f"deploy/clickhouse/users.xml has no password of {USER}")
        password.text = place.password
        (place.folder / "users.xml").touch(mode=0o600)
        users.write(place.folder / "users.xml")

    def command(self, place: Place) -> list[str]:
        return [path_of("clickhouse-server"), f"--config-file={place.folder / 'config.xml'}"]

    def environment(self, place: Place) -> dict[str, str]:
        return {}

    def answers(self, place: Place) -> bool:
        try:
            client = Client(HOST, place.port, user=USER, password=place.password, connect_timeout=5)
            answered = client.execute("SELECT 1") == [(1,)]
            client.disconnect()
        except (Error, OSError):
            return False
        return bool(answered)
