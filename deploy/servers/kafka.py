"""An Apache Kafka broker."""

from __future__ import annotations

import base64
import subprocess
import uuid

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from deploy.servers.debian import missing
from deploy.servers.jars import ensure
from deploy.servers.java import java, properties
from deploy.servers.places import DEPLOY, HOST, JARS, Place


class Kafka:
    """One broker that is its own controller, empty at each start."""

    name = "kafka"
    after: tuple[str, ...] = ()
    guarded = False
    ports: tuple[str, ...] = ("controller",)

    def missing(self) -> str | None:
        return missing("java", "mvn")

    def prepare(self, place: Place) -> None:
        jars = ensure("kafka")
        clients, controller = f"{HOST}:{place.port}", f"{HOST}:{place.ports['controller']}"
        settings = properties(DEPLOY / "kafka" / "server.properties", {
            "listeners": f"CLIENTS://{clients},CONTROLLER://{controller}",
            "advertised.listeners": f"CLIENTS://{clients},CONTROLLER://{controller}",
            "controller.quorum.bootstrap.servers": controller,
            "log.dirs": place.folder / "data",
        })  # fmt: skip
        file = place.folder / "server.properties"
        file.write_text(settings, encoding="utf-8")
        format_log = ["format", "--standalone", "-t", cluster_id(), "-c", str(file)]
        command = java(jars, "kafka.tools.StorageTool", *format_log)
        subprocess.run(command, cwd=place.folder, capture_output=True, check=True)

    def command(self, place: Place) -> list[str]:
        return java(JARS / "kafka", "kafka.Kafka", str(place.folder / "server.properties"))

    def environment(self, place: Place) -> dict[str, str]:
        return {}

    def answers(self, place: Place) -> bool:
        """Ask for the groups: the port opens before the coordinators are loaded."""
        try:
            admin = KafkaAdminClient(
                bootstrap_servers=place.address, request_timeout_ms=5000, bootstrap_timeout_ms=2000
            )
        except KafkaError:
            return False
        try:
            admin.list_groups()
        except KafkaError:
            return False
        finally:
            admin.close()
        return True


def cluster_id() -> str:
    """Return a new cluster's id, 22 signs. One that began with a hyphen would be taken for an option."""
    first, *rest = uuid.uuid4().bytes
    return base64.urlsafe_b64encode(bytes([first & 0x7F, *rest])).decode().rstrip("=")
