"""A peer: the same rows kept by a Quix Streams application, exactly once, as its user would write it.

``python -m bench.cluster.quix_peer BOOTSTRAP STORE SHOP FOLDER`` runs until it is ended, in an environment
that has quixstreams and redis; FOLDER holds the generated customer, and its state in RocksDB, with a
changelog in Kafka; a checkpoint a second is one Kafka transaction.

In its favour: messages are keyed by customer, so that no repartition topic is needed (of another key it would
write and read every row once more); its sink writes the newest document of each customer in one MSET, where
its own `RedisSink` sets one for each change, and a batch a topic, so that an older document may come last.
"""

# Runs in an environment of its own, which mypy does not see:
# mypy: disable-error-code="import-not-found,misc"

from __future__ import annotations

import functools
import json
import sys
from typing import Any

import redis
from quixstreams import Application
from quixstreams.sinks import BaseSink

from bench.cluster.peer_job import Job
from bench.cluster.peer_names import TABLES, document_key, taken_key, topic

CHECKPOINT_SECONDS = 1.0


class Documents(BaseSink):
    """Writes customers' documents before a checkpoint, and with them how many rows have been taken."""

    def __init__(self, store: str, shop: str) -> None:
        super().__init__()
        self._client, self._shop = redis.Redis.from_url(store), shop
        self._waiting: dict[str, Any] = {}
        self._taken = 0

    def add(self, value: Any, key: str, *_: object, **__: object) -> None:
        """Take a customer as a change left it."""
        self._waiting[key] = value
        self._taken += 1

    def flush(self) -> None:
        """Write those that were taken since the last checkpoint."""
        if self._waiting:
            documents = {
                document_key(self._shop, key): json.dumps(one.document())
                for key, one in self._waiting.items()
            }
            self._client.mset(documents | {taken_key(self._shop): str(self._taken)})
            self._waiting.clear()


def main() -> None:
    """Run the application."""
    bootstrap, store, shop, folder = sys.argv[1:5]
    app = Application(
        broker_address=bootstrap, consumer_group=f"{shop}.quix", auto_offset_reset="earliest",
        processing_guarantee="exactly-once", commit_interval=CHECKPOINT_SECONDS, state_dir=f"{folder}/state",
        loglevel="WARNING",
    )  # fmt: skip
    topics = [app.topic(topic(shop, table), key_deserializer="str") for table in TABLES]
    frames = [app.dataframe(one) for one in topics]
    changes = functools.reduce(lambda one, other: one.concat(other), frames)
    changes.apply(Job(folder).take, stateful=True).sink(Documents(store, shop))
    app.run()


if __name__ == "__main__":
    main()
