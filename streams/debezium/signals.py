"""Signals: a connector is told to take a snapshot of tables while it goes on, to pause, resume or stop it.

They go by the signal table (the connector reads them from the database's log, in order with the changes) or
by the signal topic. Debezium, user guide, "Sending signals to a Debezium connector".
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from streams.debezium import kafka
from streams.debezium.database import open_database
from streams.debezium.files import ConnectorFile
from streams.errors import InputError

Kind = Literal["execute-snapshot", "pause-snapshot", "resume-snapshot", "stop-snapshot"]
Way = Literal["table", "topic"]
KINDS: tuple[Kind, ...] = ("execute-snapshot", "pause-snapshot", "resume-snapshot", "stop-snapshot")


@dataclass(frozen=True)
class Signal:
    """One signal. ``tables`` as the connector names them; a stop without tables stops the whole snapshot."""

    kind: Kind
    tables: tuple[str, ...] = ()
    where: str | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def data(self) -> dict[str, Any]:
        """Return the parameters, as Debezium reads them."""
        if self.kind in ("pause-snapshot", "resume-snapshot"):
            return {}
        found: dict[str, Any] = {"type": "incremental"}
        if self.tables:
            found["data-collections"] = list(self.tables)
        if self.where is not None:
            found["additional-conditions"] = [{"data-collection": self.tables[0], "filter": self.where}]
        return found


def check(file: ConnectorFile, signal: Signal, way: Way) -> None:
    """Raise InputError where the connector would not heed the signal, and say what is to be set."""
    channel = "source" if way == "table" else "kafka"
    if channel not in (file.list("signal.enabled.channels") or ["source", "kafka"]):
        raise InputError(
            file.where, f"it reads no signals by {way}", f"add {channel} to signal.enabled.channels"
        )
    needed = (
        ["signal.data.collection"] if way == "table" else ["signal.kafka.topic", "signal.data.collection"]
    )
    for key in needed:  # a snapshot by either way is marked in the table
        if not file.config.get(key):
            raise InputError(file.where, f"has no '{key}'", "set it, and apply the file")
    if signal.kind == "execute-snapshot" and not signal.tables:
        raise InputError(signal.kind, "no table is named", "name those to be read, as the connector does")
    if signal.where is not None and len(signal.tables) != 1:
        raise InputError(signal.kind, "a condition needs exactly one table", "send a signal for each table")
    included = file.list("table.include.list")
    for table in signal.tables:
        if included and table not in included:
            raise InputError(table, f"{file.name} does not read it", f"it reads {', '.join(included)}")


def send(
    file: ConnectorFile, signal: Signal, way: Way, bootstrap: str, environment: Mapping[str, str]
) -> None:
    """Send a signal. Raises InputError as `check` does, and where database or broker do not answer."""
    check(file, signal, way)
    body = json.dumps(signal.data())
    if way == "table":
        with open_database(file, environment) as database:
            database.insert_signal(file.config["signal.data.collection"], signal.id, signal.kind, body)
        return
    message = {"id": signal.id, "type": signal.kind, "data": signal.data()}
    with kafka.producer(bootstrap) as producer:
        # The key must be the connector's prefix: others on the same topic are told apart by it.
        sent = producer.send(
            file.config["signal.kafka.topic"], json.dumps(message).encode(), file.prefix.encode()
        )
        sent.get(timeout=30)
