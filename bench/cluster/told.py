"""What was measured of take-overs, waits and the close of a minute, as rows of `tintype bench cluster`."""

from __future__ import annotations

from typing import Any

from bench.cluster.burst import Worked
from bench.cluster.closing import Closed
from bench.cluster.takeover import TakenOver
from bench.cluster.waits import Load, Waits, share_of
from bench.figures import figure

SHARES = {"p50": 0.5, "p99": 0.99}
TAKE_OVER_SECONDS, CLOSING_SECONDS, HOT_RATIO, BURST_MEMORY = 15.0, 2.0, 2.0, 1.5
WAIT_RATE, WAIT_MS = 1_000, 1_000.0  # rows a second, and the goal of p99 there
Rows = list[dict[str, Any]]


def over(found: TakenOver, customers: int, partitions: int) -> Rows:
    """Return how long partitions stood still."""
    what = (
        f"kill -9 of a worker that owns {found.partitions} of {partitions} partitions of {customers:,} "
        "customers"
    )
    seconds = {
        "until another is assigned the first": found.assigned,
        "from there until all have committed": found.committed - found.assigned,
    }
    parts = [figure(f"{what}: {name}", value, "s", "", None, None) for name, value in seconds.items()]
    return [*parts, _within(f"{what}: both", found.committed, TAKE_OVER_SECONDS)]


def waits(found: Waits, partitions: int) -> Rows:
    """Return how long rows were on their way."""
    hot = f", {found.load.hot:.0%} of them one customer's" if found.load.hot else ""
    under = f"{found.load.rate:,} rows/s{hot}, partitions: {partitions}"
    late = f"sent up to {found.late:.0f} ms after it was due"
    ways = {"the profile readable": found.readable, "its decision in the topic": found.decided}
    rows = []
    for what, every in ways.items():
        for name, share in SHARES.items():
            value = share_of(every, share)
            said, against = f"a row due {found.where} to {what}, {under}, {name}", late
            ratio = goal = None
            if name == "p99" and found.load == Load(WAIT_RATE):
                ratio, goal, against = value / WAIT_MS, 1.0, f"limit {WAIT_MS:,.0f} ms; {late}"
            rows.append(figure(said, value, "ms", against, ratio, goal))
    return rows


def beside_a_hot_one(found: list[Waits]) -> Rows:
    """Return what a customer with many of the rows costs the others, against the same rate without."""
    rows = []
    for one in (each for each in found if each.load.hot):
        alone = next((each for each in found if each.load == Load(one.load.rate)), None)
        if alone is not None:
            mine, theirs = share_of(one.readable, 0.99), share_of(alone.readable, 0.99)
            what = f"p99 of the others, {one.load.rate:,} rows/s, {one.load.hot:.0%} of them one customer's"
            rows.append(figure(what, mine, "ms", f"nobody's: {theirs:.0f} ms", mine / theirs, HOT_RATIO))
    return rows


def burst(found: Worked) -> Rows:
    """Return what a burst cost."""
    said, limit = found.burst, BURST_MEMORY
    what = f"a burst of {said.times * said.usual:,} rows/s for {said.seconds:.0f} s"
    usual = f"before it {said.usual:,} rows/s; sent up to {found.late:.1f} s late"
    memory = figure(f"{what}: most memory of the worker", found.memory, "times that before",
                    f"limit {limit:g}", found.memory / limit, 1.0)  # fmt: skip
    return [
        figure(f"{what}: rows that waited at most", found.waiting, "", usual, None, None),
        figure(f"{what}: from its end until none wait", found.behind, "s", usual, None, None),
        memory,
    ]


def closed(found: Closed, customers: int, partitions: int) -> Rows:
    """Return how long a minute's close took."""
    what = (
        f"reports of a minute, {customers:,} customers in {partitions} partitions "
        f"({found.bytes / 1e6:.1f} MB), to cut points in every log"
    )
    return [_within(what, found.seconds, CLOSING_SECONDS)]


def _within(what: str, seconds: float, limit: float) -> dict[str, Any]:
    return figure(what, seconds, "s", f"limit {limit:g} s", seconds / limit, 1.0)
