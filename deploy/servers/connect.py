"""A worker of Kafka Connect with Debezium's connectors."""

from __future__ import annotations

import urllib.error
import urllib.request

from deploy.servers.debian import missing
from deploy.servers.jars import ensure, unpack
from deploy.servers.java import java, properties
from deploy.servers.places import DEPLOY, HOST, JARS, Place


class Connect:
    """One distributed worker. The servers' addresses and passwords stand in its environment."""

    name = "connect"
    after: tuple[str, ...] = ("kafka", "postgres", "mariadb")
    guarded = False
    ports: tuple[str, ...] = ()

    def missing(self) -> str | None:
        return missing("java", "mvn")

    def prepare(self, place: Place) -> None:
        plugins = unpack(ensure("connect"), place.folder / "plugins")
        settings = properties(DEPLOY / "connect" / "connect.properties", {
            "bootstrap.servers": place.others["kafka"].address,
            "listeners": f"http://{place.address}",
            "rest.advertised.host.name": HOST,
            "plugin.path": plugins,
        })  # fmt: skip
        (place.folder / "connect.properties").write_text(settings, encoding="utf-8")

    def command(self, place: Place) -> list[str]:
        settings = str(place.folder / "connect.properties")
        return java(
            JARS / "connect", "org.apache.kafka.connect.cli.ConnectDistributed", settings, memory="768m"
        )

    def environment(self, place: Place) -> dict[str, str]:
        return variables(place.others)

    def answers(self, place: Place) -> bool:
        try:
            with urllib.request.urlopen(f"http://{place.address}/connectors", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def variables(others: dict[str, Place]) -> dict[str, str]:
    """Return the variables that files in deploy/connectors name: where servers are, and their passwords."""
    found = {"TINTYPE_KAFKA": others["kafka"].address}
    for name in ("postgres", "mariadb"):
        place, prefix = others[name], f"TINTYPE_{name.upper()}"
        found |= {
            f"{prefix}_HOST": HOST,
            f"{prefix}_PORT": str(place.port),
            f"{prefix}_PASSWORD": place.password,
        }
    return found
