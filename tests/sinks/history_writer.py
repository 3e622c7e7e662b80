"""A process that copies a log into history, to be killed: LOG HISTORY EFFECTS [WRITES].

It says ``begun`` when it starts to copy and ``done`` when all is copied. After so many WRITES it kills itself
between the engine's answer and everything that follows it.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sinks.history.embedded import ChdbHistory
from sinks.history.history import Page
from sinks.history.relay import HistoryRelay
from streams.log.log import Log
from tests.sinks.history_shop import Outbox


class Doomed(ChdbHistory):
    """Ends with the process after some writes."""

    writes = 0
    last = 0

    def write(self, table: str, pages: Sequence[Page]) -> None:
        super().write(table, pages)
        self.writes += 1
        if self.writes == self.last:
            os.kill(os.getpid(), signal.SIGKILL)


def say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


def main(log_folder: str, history_folder: str, effects: str, writes: str = "0") -> None:
    history = Doomed(Path(history_folder), "Asia/Shanghai")
    history.last = int(writes)
    with Log.open(Path(log_folder)) as log:
        outbox = Outbox(log.partitions)
        for partition in range(log.partitions):
            outbox.add(partition, int(effects))
        relay = HistoryRelay(history, log, outbox, rows=40)
        say("begun")
        relay.catch_up()
        say("done")
        time.sleep(60)  # until it is killed


if __name__ == "__main__":
    main(*sys.argv[1:])
