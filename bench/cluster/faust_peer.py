"""The peer: the same rows kept by a Faust application with a Table, as its user would write it.

``python -m bench.cluster.faust_peer BOOTSTRAP STORE SHOP PARTITIONS ROWS worker`` runs until it is ended. Of
each customer and table it keeps count, sum and last; a Table has no windows for rows that change and come
late, no cut points over all customers, no rules and no fence. Its changelog is in Kafka; every change writes
the customer's JSON document to the store.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import faust
import redis.asyncio

from bench.cluster.peer_names import TABLES, document_key, done_key, topic

_NUMBERS = {"orders": "amount", "refunds": "amount", "tickets": "score", "views": "seconds"}


def application(bootstrap: str, store: str, shop: str, partitions: int, rows: int) -> faust.App:
    """Return the application. rows: after how many it says what they have cost."""
    app = faust.App(
        f"{shop}.faust", broker=f"kafka://{bootstrap}", store="memory://", topic_partitions=partitions,
        web_enabled=False, autodiscover=False, consumer_auto_offset_reset="earliest",
    )  # fmt: skip
    topics = [topic(shop, table) for table in TABLES]
    changes = app.topic(*topics, value_serializer="json", key_serializer="raw")
    profiles = app.Table("profiles", default=dict, partitions=partitions)
    client = redis.asyncio.Redis.from_url(store)
    clock = _Clock(rows)

    @app.agent(changes)
    async def keep(stream: Any) -> None:
        async for change in stream:
            clock.begin()
            row = change["after"] or change["before"]
            profile = profiles[row["member_id"]]
            apply(profile, change)
            profiles[row["member_id"]] = profile
            await client.set(document_key(shop, row["member_id"]), json.dumps(profile))
            if clock.passed():
                await client.set(done_key(shop), clock.said())

    return app


def apply(profile: dict[str, Any], change: dict[str, Any]) -> None:
    """Take a row's old contribution back, put the new one in."""
    table = change["source"]["table"]
    held = profile.setdefault(table, {"count": 0, "sum": 0, "last": ""})
    before, after = change["before"], change["after"]
    if before is not None:
        held["count"] -= 1
        held["sum"] -= number(before[_NUMBERS[table]])
    if after is not None:
        held["count"] += 1
        held["sum"] += number(after[_NUMBERS[table]])
        held["last"] = max(held["last"], after["at"])


def number(text: object) -> int:
    """Return an amount in minor units, or a whole number.

    >>> number("12.30"), number(4)
    (1230, 4)
    """
    return int(text.replace(".", "")) if isinstance(text, str) else int(str(text))


class _Clock:
    """Counts rows, and what this process spends from the first to the last."""

    def __init__(self, rows: int) -> None:
        self._rows, self._count = rows, 0
        self._began = (0.0, 0.0)

    def begin(self) -> None:
        if self._count == 0:
            self._began = time.process_time(), time.monotonic()

    def passed(self) -> bool:
        self._count += 1
        return self._count == self._rows

    def said(self) -> str:
        cpu, moment = self._began
        return json.dumps({"cpu": time.process_time() - cpu, "seconds": time.monotonic() - moment})


def main() -> None:
    """Run a Faust worker."""
    bootstrap, store, shop, partitions, rows = sys.argv[1:6]
    app = application(bootstrap, store, shop, int(partitions), int(rows))
    faust.Worker(app, loglevel="WARNING", redirect_stdouts=False, quiet=True).execute_from_commandline()


if __name__ == "__main__":
    main()
