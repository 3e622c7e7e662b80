"""A worker's copy of one partition of the log, in a file, so that it is read like any other log.

A copy is a cache: it may be deleted at any time, and is then read from the topic again. Steps and minutes are
given here, and follow from the topic alone (semantics T2, T4): every record has the next step; the minute is
the broker's time of appending; where nobody wrote for longer than a clock may jump, a ``resume`` stands
before what comes then.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from streams.changes.controls import control_block
from streams.changes.wire import Incoming
from streams.control import RESUME, Control
from streams.errors import InputError
from streams.live import LONGEST_JUMP
from streams.log.lock import WrittenElsewhere
from streams.log.log import FILE_NAME, Log

NEXT = "next offset"


class Copy:
    """Opens the copy in a folder, or begins one. One thread at a time may use it."""

    def __init__(self, folder: Path, shop: str, partition: int, secret: bytes) -> None:
        self.folder = folder
        self.partition = partition
        self.log = _open(folder, shop, secret)
        self.log.connection.execute("PRAGMA synchronous = OFF")  # what a power cut takes is read again
        self.log.connection.execute("PRAGMA secure_delete = OFF")  # nothing is deleted
        self.log.connection.execute("INSERT OR IGNORE INTO header VALUES (?, '0')", (NEXT,))
        found = self.log.connection.execute("SELECT value FROM header WHERE name = ?", (NEXT,)).fetchone()
        self.next_offset = int(found[0])

    def add(self, messages: Sequence[Incoming]) -> None:
        """Take messages in, in the order of their offsets; those that are here already are passed over."""
        fresh = [one for one in messages if one.offset >= self.next_offset]
        if not fresh:
            return
        with self.log.transaction():
            for one in fresh:
                self._add(one)
            after = fresh[-1].offset + 1
            self.log.connection.execute("UPDATE header SET value = ? WHERE name = ?", (str(after), NEXT))
        self.next_offset = after

    def _add(self, one: Incoming) -> None:
        log = self.log
        clock, was_live = log.clock(), log.last_mode(0) == "live"
        block = one.block(log.next_step(0), -1 if clock is None else clock)
        jumps = clock is not None and block.first_minute - clock > LONGEST_JUMP
        if jumps and was_live and block.mode == "live":
            resume = Control(RESUME, None, "{}")
            log.append(control_block([resume], log.next_step(0), block.first_minute), [f"!{RESUME}"])
            block = one.block(log.next_step(0), block.first_minute)
        log.append(block, one.holds)

    def close(self) -> None:
        """Close the file."""
        self.log.close()


def _open(folder: Path, shop: str, secret: bytes) -> Log:
    """Open the copy; what cannot be read, or is another secret's, is begun anew.

    Raises WrittenElsewhere, and touches nothing, where another worker has this folder.
    """
    if (folder / FILE_NAME).exists():
        try:
            log = Log.open(folder, write=True)
        except WrittenElsewhere:
            raise
        except (InputError, sqlite3.DatabaseError):
            pass
        else:
            if log.vault.secret == secret and log.shop == shop:
                return log
            log.close()
        for path in folder.glob("*.sqlite*"):
            path.unlink()
        shutil.rmtree(folder / "snapshots", ignore_errors=True)
    return Log.create(folder, shop, 1, secret)
