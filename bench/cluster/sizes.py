"""How much `tintype bench cluster` measures."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bench.cluster.burst import Burst
from bench.cluster.peers import PEERS
from bench.cluster.waits import Load


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    rows: taken in by one worker, at each number of partitions (none: not measured) and of customers; peers:
    which are measured, at the fewest customers; peer_rows: by a slow one; take_over: customers whose
    partitions are taken over (none: not measured); shared: customers of the waits, and partitions of both;
    loads, stored: each offered for so many seconds, in topics and in a database; burst: of the 11.11;
    closing: customers whose minute is closed, in so many partitions.
    """

    rows: int = 60_000
    partitions: tuple[int, ...] = (1, 4, 16)
    customers: tuple[int, ...] = (10_000, 100_000)
    peers: tuple[str, ...] = tuple(PEERS)
    peer_rows: int = 20_000
    peer_partitions: int = 1
    take_over: int = 2_000
    shared_customers: int = 2_000
    shared_partitions: int = 4
    loads: tuple[Load, ...] = (Load(100), Load(1_000), Load(1_000, hot=0.3))
    stored: tuple[Load, ...] = (Load(100), Load(1_000))
    seconds: float = 10.0
    burst: Burst | None = None
    closing: int = 10_000_000
    closing_partitions: int = 16

    def longer(self) -> Sizes:
        """Return those of an hour: a million customers, more rows a second, a take-over of half a million."""
        customers, most = (*self.customers, 1_000_000), Load(5_000)
        loads, stored = (*self.loads, most), (*self.stored, most)
        burst = Burst(usual=1_000, before=30.0, times=10, seconds=300.0)
        longer = replace(self, customers=customers, loads=loads, stored=stored, burst=burst)
        return replace(longer, take_over=500_000)

    def of_costs(self) -> Sizes:
        """Return those of what a row costs alone, only where the peers are measured."""
        customers, partitions = (min(self.customers),), (self.peer_partitions,)
        costs = replace(self, customers=customers, partitions=partitions)
        return replace(costs, take_over=0, loads=(), stored=(), burst=None, closing=0)
