"""Where effects go: decisions to the outbox file and their channels, transitions to whoever listens."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from engine.outcome import Decision, Transition, decisions, transitions
from engine.partition import Partition, RawEffects

FILE_NAME = "outbox.sqlite"
Listener = Callable[[list[Transition], list[Decision]], None]


class Outbox:
    """Decisions of a shop, each once, in a file beside its log: a replay finds those that are there already.

    ``record`` is given effects as they come out; `commit` writes those not yet known and returns them, so
    that only they are carried out. Nothing is carried out before it is on disk.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(folder / FILE_NAME, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS decision (sequence INTEGER PRIMARY KEY, id TEXT, partition INTEGER, "
            "step INTEGER, outcome TEXT, body TEXT, UNIQUE (id, outcome))"
        )
        self._waiting: list[Decision] = []

    def record(self, made: list[Decision]) -> None:
        """Take decisions in, to be written by the next `commit`."""
        self._waiting += made

    def commit(self) -> list[Decision]:
        """Write the decisions recorded, and return those that were new."""
        made, self._waiting = self._waiting, []
        fresh: list[Decision] = []
        if not made:
            return fresh
        self._connection.execute("BEGIN IMMEDIATE")
        for one in made:
            done = self._connection.execute(
                "INSERT OR IGNORE INTO decision (id, partition, step, outcome, body) VALUES (?, ?, ?, ?, ?)",
                (one.id, one.partition, one.step, one.outcome, json.dumps(asdict(one), ensure_ascii=False)),
            )
            if done.rowcount:
                fresh.append(one)
        self._connection.execute("COMMIT")
        return fresh

    def all(self) -> list[Decision]:
        """Return every decision, in order."""
        rows = self._connection.execute("SELECT body FROM decision ORDER BY sequence")
        return [Decision(**json.loads(body)) for (body,) in rows]

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


class Collector:
    """Turns raw effects into records; ``listen`` gets transitions and decisions.

    ``quiet`` leaves out transitions of imports, of which there may be millions.
    """

    def __init__(self, listen: Listener, quiet: bool = True) -> None:
        self.listen = listen
        self.quiet = quiet
        self.counted = 0

    def take(self, number: int, partition: Partition, raw: RawEffects) -> None:
        """Take the effects of one partition."""
        self.counted += len(raw.transitions["step"])
        import_only = self.quiet and not raw.transitions["mode"].any()
        moved = [] if import_only else transitions(partition, number, raw)
        made = decisions(partition, number, raw) if len(raw.decisions["step"]) else []
        if moved or made:
            self.listen(moved, made)
