"""Runs a consumer of a topic, ended before each of its lines: FILE BROKERS TOPIC.

As `tests.console.killed_consumer`, but it has caught up when all is read that was committed as it began.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kafka

from tests.console.killed_consumer import CAUGHT_UP, main


class Ending(kafka.KafkaConsumer):  # type: ignore[misc]  # kafka-python has no types
    """Ends the process where it would wait for more."""

    def __iter__(self) -> Iterator[Any]:
        ends = self.end_offsets(self.assignment())
        while any(self.position(at) < end for at, end in ends.items()):
            for records in self.poll(timeout_ms=100).values():
                yield from records
        os._exit(CAUGHT_UP)


if __name__ == "__main__":
    kafka.KafkaConsumer = Ending
    main(Path(sys.argv[1]), *sys.argv[2:4])
