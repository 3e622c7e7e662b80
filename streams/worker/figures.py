"""What a worker's intake has done since it began, for whoever watches the worker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class LaneFigures:
    """Counts of one lane. messages: taken into the log; rejected: of these put aside; claims: times it was
    claimed."""

    messages: int = 0
    rejected: int = 0
    claims: int = 0


@dataclass
class IntakeFigures:
    """Counts of all lanes together.

    batches: Kafka transactions; lost: times another had claimed a lane, or the index had lost something;
    busy_waits: waits for another worker that was about to change what this one needed; failures: batches
    that Kafka or the store did not let through.
    """

    batches: int = 0
    lost: int = 0
    busy_waits: int = 0
    failures: int = 0
