"""How much `tintype bench cluster` measures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    rows: taken in by one worker, at each number of partitions (none: not measured) and of customers;
    peer_rows: by Faust; shared: customers and partitions of the take-over and of the waits; rates: rows a
    second, each for so many seconds.
    """

    rows: int = 60_000
    partitions: tuple[int, ...] = (1, 4, 16)
    customers: tuple[int, ...] = (10_000, 100_000)
    peer_rows: int = 10_000
    peer_partitions: int = 4
    take_over: bool = True
    shared_customers: int = 2_000
    shared_partitions: int = 4
    rates: tuple[int, ...] = (100, 1_000)
    seconds: float = 10.0
