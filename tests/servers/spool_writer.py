"""A relay with a spool that kills itself: FOLDER PORT PASSWORD MOMENT.

It says ``open``, reads a line, copies while the server is away, says ``put aside``, reads a line, and brings
what waits to the server. It dies when it has put three files aside, when the second has arrived, or when that
is removed.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from deploy.servers.places import HOST
from sinks.history.client import ServerAddress
from sinks.history.relay import HistoryRelay
from sinks.history.server import ServerHistory
from sinks.history.spool import Spool
from sinks.history.spooled import SpooledHistory
from streams.log.log import Log
from tests.servers.waiting import wait_for
from tests.sinks.history_shop import Outbox

EFFECTS = 10


class Doomed(Spool):
    """Ends with the process at its moment."""

    moment = ""
    added = removed = 0

    def add(self, *words: Any) -> None:
        super().add(*words)
        self.added += 1
        if self.moment == "put aside" and self.added == 3:
            os.kill(os.getpid(), signal.SIGKILL)

    def remove_oldest(self) -> None:
        self.removed += 1
        if self.moment == "arrived" and self.removed == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        super().remove_oldest()
        if self.moment == "removed" and self.removed == 2:
            os.kill(os.getpid(), signal.SIGKILL)


def say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


def main(folder: str, port: str, password: str, moment: str) -> None:
    address = ServerAddress(HOST, int(port), "history", password=password, answer_seconds=1.0)
    spool = Doomed(Path(folder) / "spool")
    spool.moment = moment
    history = SpooledHistory(ServerHistory(address, "Asia/Shanghai"), spool)
    with Log.open(Path(folder) / "log") as log:
        outbox = Outbox(log.partitions)
        for partition in range(log.partitions):
            outbox.add(partition, EFFECTS)
        relay = HistoryRelay(history, log, outbox, rows=40, seconds=0.0)
        say("open")
        sys.stdin.readline()
        relay.catch_up()
        say("put aside")
        sys.stdin.readline()
        wait_for(lambda: history.drain() < 0, "killed")


if __name__ == "__main__":
    main(*sys.argv[1:])
