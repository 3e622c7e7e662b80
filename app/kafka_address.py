"""Where a shop's Kafka, Kafka Connect and connector files are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from app.shop import Shop
from streams.debezium.connectors import Connectors
from streams.debezium.files import ConnectorFile, read_files
from streams.debezium.rest import ConnectRest

BROKERS, CONNECT = "TINTYPE_KAFKA", "TINTYPE_CONNECT"


@dataclass(frozen=True)
class KafkaAddress:
    """Brokers, Connect and the files, by name. The environment, which differs from place to place, wins."""

    bootstrap: str
    connectors: Connectors
    files: dict[str, ConnectorFile]


def kafka_address(folder: Path, shop: Shop) -> KafkaAddress:
    """Return where they are; connects to nothing. Raises InputError where a file or an address is wrong."""
    settings = shop.settings.kafka
    rest = ConnectRest(os.environ.get(CONNECT, settings.connect))
    files = read_files(folder / settings.connectors)
    return KafkaAddress(os.environ.get(BROKERS, settings.bootstrap), Connectors(rest), files)
