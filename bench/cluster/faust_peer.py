"""A peer: the same rows kept by a Faust application with a Table, as its user would write it.

``python -m bench.cluster.faust_peer BOOTSTRAP STORE SHOP PARTITIONS MARKS FOLDER worker`` runs until it is
ended; FOLDER holds the generated customer. A Table has no windows for rows that change and come late, so the
customer's pieces are its values; its changelog is in Kafka. Every change writes the customer's JSON document
to the store.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import faust
import redis.asyncio

from bench.cluster.peer_job import Job
from bench.cluster.peer_names import TABLES, document_key, taken_key, topic


class Pieces:
    """One customer's values of the Table."""

    def __init__(self, table: Any, member: str) -> None:
        self._table, self._prefix = table, f"{member} "

    def get(self, name: str) -> Any:
        """Return a value, or None."""
        return self._table.get(self._prefix + name)

    def set(self, name: str, value: Any) -> None:
        """Keep a value."""
        self._table[self._prefix + name] = value

    def delete(self, name: str) -> None:
        """Forget a value."""
        self._table.pop(self._prefix + name, None)


def application(
    bootstrap: str, store: str, shop: str, partitions: int, marks: Collection[int], folder: str
) -> faust.App:
    """Return the application. marks: after how many rows it says that they are taken."""
    app = faust.App(
        f"{shop}.faust", broker=f"kafka://{bootstrap}", store="memory://", topic_partitions=partitions,
        web_enabled=False, autodiscover=False, consumer_auto_offset_reset="earliest",
        datadir=str(Path(folder) / "faust"),
    )  # fmt: skip
    topics = [topic(shop, table) for table in TABLES]
    changes = app.topic(*topics, value_serializer="json", key_serializer="raw")
    customers = app.Table("customers", partitions=partitions)
    client = redis.asyncio.Redis.from_url(store)
    job = Job(folder)

    @app.agent(changes)
    async def keep(stream: Any) -> None:
        taken = 0
        async for change in stream:
            member = (change["after"] or change["before"])["member_id"]
            customer = job.take(change, Pieces(customers, member))
            await client.set(document_key(shop, member), json.dumps(customer.document()))
            taken += 1
            if taken in marks:
                await client.set(taken_key(shop), taken)

    return app


def main() -> None:
    """Run a Faust worker."""
    bootstrap, store, shop, partitions, marks, folder = sys.argv[1:7]
    app = application(bootstrap, store, shop, int(partitions), set(map(int, marks.split(","))), folder)
    faust.Worker(app, loglevel="WARNING", redirect_stdouts=False, quiet=True).execute_from_commandline()


if __name__ == "__main__":
    main()
