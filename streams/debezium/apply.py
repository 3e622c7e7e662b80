"""A file becomes what runs: validated, then created or updated, with the topics it needs."""

from __future__ import annotations

from typing import Literal

from streams.debezium import kafka
from streams.debezium.connectors import Connectors
from streams.debezium.drift import differences
from streams.debezium.files import ConnectorFile
from streams.errors import InputError

Outcome = Literal["created", "updated", "unchanged"]


def validate(connectors: Connectors, file: ConnectorFile) -> list[InputError]:
    """Return what Connect and the connector find wrong with a file; they look into the database too."""
    return [
        InputError(f"{file.where}: {key}", " ".join(said.split()), "correct it, and apply the file again")
        for key, errors in connectors.errors(file.config | {"name": file.name}).items()
        for said in errors
    ]


def apply(connectors: Connectors, file: ConnectorFile, bootstrap: str) -> Outcome:
    """Let Connect run what a file says; a connector that runs so already is left alone.

    Raises the first InputError of `validate`, before anything is changed. The signal topic, which Debezium
    reads and does not make, is made with one partition, so that signals keep their order.
    """
    running = connectors.config(file.name)
    if running is not None and not differences(file.config, running):
        return "unchanged"
    for error in validate(connectors, file):
        raise error
    signals = file.config.get("signal.kafka.topic")
    if signals is not None:
        kafka.make_topic(bootstrap, signals, partitions=1)
    connectors.put(file.name, file.config)
    return "created" if running is None else "updated"
