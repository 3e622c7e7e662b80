"""Logs as a release has written them, kept to be read by later ones; and what they came to then.

``python -m tests.upgrade.kept`` writes those of the present release. Do it when a format changes on purpose,
into a new folder: those of former releases stay as they are.
"""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from app.replay import Replay, first_version, settings_body
from app.shop import Shop
from engine.documents import documents
from sinks.store.server import EmbeddedServer
from streams.changes.controls import control_message
from streams.changes.copy import Copy
from streams.changes.wire import Incoming, incoming
from streams.control import SETTINGS, Control
from streams.log.log import FILE_NAME, Log
from streams.personal import vault
from tests.called import SECRET, key_of
from tests.shared.simulation import Simulation, taken_in
from tests.shared.small_shop import START_MS, Feed, small_shop

HERE = Path(__file__).parent
PRESENT = "1"
LOG = (FILE_NAME, vault.FILE_NAME)
MESSAGES, DOCUMENTS = "changes.json", "documents.json"


def profiles(log: Log, apart: bool) -> dict[str, Any]:
    """Return every document that an engine behind a log comes to, by customer."""
    replay = Replay(log, Shop.model_validate_json(first_version(log) or ""), lambda *_: None, apart=apart)
    replay.follow()
    found = {}
    for partition in replay.engine.partitions:
        everybody = np.arange(partition.customers, dtype=np.int32)
        for customer, document in documents(partition, everybody):
            found[customer.hex()] = msgspec.json.decode(msgspec.json.encode(document))
    return found


def copied(messages: list[Incoming], number: int, folder: Path) -> dict[str, Any]:
    """Return the documents behind a partition of the topic `changes`, read as a worker reads it."""
    copy = Copy(folder, "small", number, SECRET)
    copy.add(messages)
    found = profiles(copy.log, True)
    copy.close()
    return found


def read(file: Path) -> list[list[Incoming]]:
    """Read messages by partition. Raises InputError for those of another format."""
    found = []
    for number, messages in enumerate(json.loads(file.read_text())):
        raw = [(at, minute, base64.b64decode(value), headers) for at, minute, value, headers in messages]
        found.append([
            incoming("changes", number, at, minute * 60_000, value,
                     [(name, base64.b64decode(one)) for name, one in headers.items()])
            for at, minute, value, headers in raw
        ])  # fmt: skip
    return found


def _partitions(server: EmbeddedServer) -> list[list[Incoming]]:
    """Let lanes take a feed in; return their log, behind a record of the settings."""
    shop, feed = small_shop(partitions=2), Feed(7).write(60)
    simulation = Simulation(shop, feed, server.client, 7, partitions=2).run()
    found = []
    for number, messages in enumerate(simulation.topic.log):
        said = control_message([Control(SETTINGS, None, settings_body(shop))], number)
        first = Incoming(number, 0, START_MS // 60_000, said.value, dict(said.headers))
        rest = [Incoming(number, one.offset + 1, one.minute, one.value, one.headers) for one in messages]
        found.append([first, *rest])
    return found


def _written(messages: list[Incoming]) -> list[Any]:
    def text(raw: bytes) -> str:
        return base64.b64encode(raw).decode()

    return [
        [one.offset, one.minute, text(one.value), {name: text(raw) for name, raw in one.headers.items()}]
        for one in messages
    ]


def main() -> None:
    """Write a folder of the present release."""
    vault.fresh_secret, vault.fresh_key = lambda: SECRET, key_of
    target = HERE / PRESENT
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with taken_in(small_shop(), Feed(7).write(60), folder / "log", settings=True) as log:
            told = {"log": profiles(log, False)}
        for file in LOG:
            shutil.copy(folder / "log" / file, target / file)
        server = EmbeddedServer(folder / "store")
        try:
            partitions = _partitions(server)
        finally:
            server.stop()
        (target / MESSAGES).write_text(json.dumps([_written(one) for one in partitions]))
        told["changes"] = {}
        for number, messages in enumerate(partitions):
            told["changes"] |= copied(messages, number, folder / str(number))
    (target / DOCUMENTS).write_text(json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False), "utf-8")


if __name__ == "__main__":
    main()
