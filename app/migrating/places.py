"""Where each decision stands in a new log: its id is the former one's, its partition and step are not."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from engine.outcome import Decision, decisions
from engine.partition import Partition, RawEffects
from sinks.snapshots.folder import Found
from streams.identity.partition import partition_of_customer

NOWHERE = -1  # step and number of a decision that the new log does not come to: it rested on scores
_CREATE = (
    "CREATE TABLE place (id TEXT, outcome TEXT, partition INTEGER, step INTEGER, seq INTEGER, "
    "PRIMARY KEY (id, outcome)) WITHOUT ROWID"
)


class Places:
    """Those of one new log, in a file: there may be millions."""

    def __init__(self, file: Path, partitions: int) -> None:
        self._partitions = partitions
        self._file = sqlite3.connect(file, isolation_level=None)
        self._file.execute("PRAGMA journal_mode = OFF")
        self._file.execute("PRAGMA synchronous = OFF")
        self._file.execute(_CREATE)

    def take(self, number: int, partition: Partition, raw: RawEffects) -> None:
        """Note the decisions of a partition (`app.replay.Effects`)."""
        if not len(raw.decisions["seq"]):
            return
        made = decisions(partition, number, raw)
        rows = [(one.id, one.outcome, one.partition, one.step, one.seq) for one in made]
        self._file.executemany("INSERT OR IGNORE INTO place VALUES (?, ?, ?, ?, ?)", rows)

    def placed(self, one: Decision) -> Decision:
        """Return a decision of the former log as it is in the new one."""
        query = "SELECT partition, step, seq FROM place WHERE id = ? AND outcome = ?"
        found = self._file.execute(query, (one.id, one.outcome)).fetchone()
        if found is None:
            number = partition_of_customer(bytes.fromhex(one.customer), self._partitions)
            return replace(one, partition=number, step=NOWHERE, seq=NOWHERE)
        return replace(one, partition=found[0], step=found[1], seq=found[2])

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Untaken:
    """The decisions of a former log that its ledger has not been given. taken: how many effects of each
    partition it has."""

    def __init__(self, taken: Sequence[int]) -> None:
        self.taken = taken
        self.made: list[Decision] = []

    def lie_behind(self, snapshot: Found) -> bool:
        """Whether all of them come out behind a snapshot."""
        return all(one <= taken for one, taken in zip(snapshot.effects, self.taken, strict=True))

    def take(self, number: int, partition: Partition, raw: RawEffects) -> None:
        """Note those of a partition (`app.replay.Effects`)."""
        seqs = raw.decisions["seq"]
        if len(seqs) and int(seqs.max()) >= self.taken[number]:
            found = decisions(partition, number, raw)
            self.made += [one for one in found if one.seq >= self.taken[number]]
