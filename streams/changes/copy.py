"""A worker's copy of one partition of the log, in a file, so that it is read like any other log.

A copy is a cache: it may be deleted at any time, and is then read from the topic again. Steps and minutes are
given here, and follow from the topic alone (semantics T2, T4): every record has the next step; the minute is
the broker's time of appending; where nobody wrote for longer than a clock may jump, a ``resume`` stands
before what comes then. So a copy may also begin at a snapshot, which says where that stands.
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
from streams.log.begins import Begins
from streams.log.block import Block
from streams.log.lock import WrittenElsewhere
from streams.log.log import FILE_NAME, Log

NEXT = "next offset"
_CACHE_KB = 4096  # of each partition


class Copy:
    """Opens the copy in a folder, or begins one. One thread at a time may use it."""

    def __init__(self, folder: Path, shop: str, partition: int, secret: bytes) -> None:
        self.folder = folder
        self.partition = partition
        self._shop, self._secret = shop, secret
        self._use(_open(folder, shop, secret))

    def _use(self, log: Log) -> None:
        self.log = log
        self.log.connection.execute("PRAGMA synchronous = OFF")  # what a power cut takes is read again
        self.log.connection.execute("PRAGMA secure_delete = OFF")  # nothing is deleted
        # Blocks are written once and read once: the cache that an import needs would be a worker's memory.
        self.log.connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        self.log.connection.execute("INSERT OR IGNORE INTO header VALUES (?, '0')", (NEXT,))
        found = self.log.connection.execute("SELECT value FROM header WHERE name = ?", (NEXT,)).fetchone()
        self.next_offset = int(found[0])

    def begin(self, offset: int = 0, begins: Begins | None = None) -> None:
        """Begin anew, with the message at an offset; begins: where its first record then stands.

        Snapshots stay: their steps are those of the topic.
        """
        self.log.close()
        for path in self.folder.glob("*.sqlite*"):
            path.unlink()
        log = Log.create(self.folder, self._shop, 1, self._secret)
        with log.transaction():
            if begins is not None:
                log.begin_at(begins)
            log.connection.execute("INSERT INTO header VALUES (?, ?)", (NEXT, str(offset)))
        self._use(log)

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
        clock = log.clock()
        block = one.block(log.next_step(0), -1 if clock is None else clock)
        if resumes(clock, log.last_mode(0) == "live", block, one):
            resume = Control(RESUME, None, "{}")
            log.append(control_block([resume], log.next_step(0), block.first_minute), [f"!{RESUME}"])
            block = one.block(log.next_step(0), block.first_minute)
        log.append(block, one.holds)

    def close(self) -> None:
        """Close the file."""
        self.log.close()


def resumes(clock: int | None, was_live: bool, block: Block, message: Incoming) -> bool:
    """Say whether a ``resume`` stands before a message's block. clock, was_live: of what came before; None of
    an empty log."""
    jumps = clock is not None and block.first_minute - clock > LONGEST_JUMP
    return jumps and was_live and block.mode == "live" and not message.keeps_minutes


class Steps:
    """Counts the steps of a partition from its first message on, as a copy of it has them.

    ``next``: the step behind the messages so far.
    """

    def __init__(self) -> None:
        self.next = 0
        self._clock: int | None = None
        self._was_live = False

    def take(self, message: Incoming) -> None:
        """Take a message in."""
        block = message.block(0, -1 if self._clock is None else self._clock)
        self.next += block.count + resumes(self._clock, self._was_live, block, message)
        self._clock, self._was_live = block.last_minute, block.mode == "live"


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
