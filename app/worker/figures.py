"""What an owned partition has done since this worker has it, for whoever watches the worker."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.figures import SECONDS, Buckets


@dataclass
class PartitionFigures:
    """Counts and times of one partition (wall clock, seconds).

    records, effects, clock: what the store has (clock: epoch minute, -1 before the first); set_back: how
    often the store had lost what it was given; store_away: since when it does not answer, 0 while it does;
    behind_since: when the oldest message was appended that is not in the store yet, None while all are;
    blocks_behind: offsets of the log that were not fetched yet when it was last looked; drained: effects that
    every relay has taken over; history_lag: seconds that history is behind; replayed: records that were
    applied before it was ready; shared_at: when a snapshot was last uploaded (seconds since 1970, 0: never);
    not_shared: how often that failed.
    """

    records: int = 0
    effects: int = 0
    clock: int = -1
    commits: int = 0
    set_back: int = 0
    store_away: float = 0.0
    behind_since: float | None = None
    blocks_behind: int = 0
    drained: int = 0
    history_lag: float = 0.0
    replayed: int = 0
    shared_at: float = 0.0
    not_shared: int = 0
    commit_seconds: Buckets = field(default_factory=lambda: Buckets(SECONDS))

    def note_commit(self, records: int, effects: int, clock: int, seconds: float) -> None:
        """Count a commit; seconds: applying and committing."""
        self.records, self.effects, self.clock = records, effects, clock
        self.commits += 1
        self.commit_seconds.add(seconds)
        self.store_away = 0.0
