"""What a lane has done since this worker claimed it first, for whoever watches the worker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class LaneFigures:
    """Counts of one lane.

    messages: taken into the log; rejected: of these put aside; batches: Kafka transactions; claims: times it
    was claimed; lost: times another had claimed it, or the index had lost something; busy_waits: waits for
    another lane that was about to change what this one needed; failures: batches that Kafka or the store did
    not let through.
    """

    messages: int = 0
    rejected: int = 0
    batches: int = 0
    claims: int = 0
    lost: int = 0
    busy_waits: int = 0
    failures: int = 0
