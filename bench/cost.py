"""`tintype bench cost`: what a change and a customer cost against how many customers, rows, metrics and tags.

Times are process CPU from columns, batches of 1,000, as in `bench.engine`; bytes are those in use, as in
`bench.memory`. One number grows at a time. A curve that grows faster than its cause (an exponent above 1)
misses its goal.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from app.shop import Shop
from bench.curve import Curve
from bench.figures import cpu
from bench.grown import grown_shop
from bench.load import ROWS_KEPT, Loaded
from bench.outcome import Outcome, markdown
from bench.plot import Line, Panel, draw
from bench.shops import small_shop

CUSTOMERS = (10_000, 30_000, 100_000, 300_000, 1_000_000)
ROWS = (7, 14, 28, 56, 112)  # kept a customer
METRICS = (5, 10, 20, 40, 62, 128)  # declared
TAGS = (5, 10, 20, 50, 100, 200)
FEW = 30_000  # customers where something else grows
BATCH, CHANGES, PASSES = 1_000, 10_000, 5


CPU, MEMORY, OPENING = "CPU a change", "memory a customer", "opening a minute with new cut points"
UNITS = {CPU: "us", MEMORY: "bytes", OPENING: "ms"}
PLACES = {CPU: 2, MEMORY: 0, OPENING: 2}  # decimal places that are more than noise


@dataclass(frozen=True)
class Point:
    """What one size costs: by title, in its unit."""

    values: dict[str, float]


def measure(
    customers: Sequence[int] = CUSTOMERS, rows: Sequence[int] = ROWS, metrics: Sequence[int] = METRICS,
    tags: Sequence[int] = TAGS, few: int = FEW, changes: int = CHANGES,
) -> Outcome:  # fmt: skip
    """Return rows, tables and drawings. Takes four minutes.

    Raises CalledProcessError if the kernel does not compile.
    """
    subprocess.run([sys.executable, "-m", "engine.warm"], check=True, stdout=subprocess.DEVNULL)
    small = small_shop()
    causes = [
        _Cause("customers", customers, lambda size: (small, size, ROWS_KEPT), tuple(UNITS)),
        _Cause("rows kept a customer", rows, lambda size: (small, few, size)),
        _Cause("metrics", metrics, lambda size: (grown_shop(size, 20), few, ROWS_KEPT)),
        _Cause("tags", tags, lambda size: (grown_shop(20, size), few, ROWS_KEPT)),
    ]
    found = [(cause, [_point(*cause.of(size), changes) for size in cause.sizes]) for cause in causes]
    drawings = {
        f"cost-{name}.svg": _drawing(
            f"{title[0].upper()}{title[1:]} as a shop grows",
            [_curve(cause, points, title) for cause, points in found],
        )
        for name, title in (("cpu", CPU), ("memory", MEMORY))
    }
    rows_found = [_curve(cause, points, title).row() for cause, points in found for title in cause.titles]
    return Outcome(rows_found, [_table(cause, points) for cause, points in found], drawings)


@dataclass(frozen=True)
class _Cause:
    """What grows; of: the shop, customers and rows a customer at one size of it; titles: what is shown."""

    named: str
    sizes: Sequence[int]
    of: Callable[[int], tuple[Shop, int, int]]
    titles: Sequence[str] = (CPU, MEMORY)


def _point(shop: Shop, customers: int, rows_kept: int, changes: int) -> Point:
    loaded = Loaded(shop, customers, rows_kept)
    report = loaded.engine.partitions[0].memory.report()
    loaded.pass_over(BATCH, changes)
    taken = [loaded.pass_over(BATCH, changes) for _ in range(PASSES)]
    openings = []
    for _ in range(PASSES):
        loaded.engine.feed(0, loaded.workload.changes(min(BATCH, changes)), loaded.engine.steps[0])
        loaded.engine.run()
        openings.append(cpu(loaded.advance) * 1e3)
    return Point({
        CPU: median(taken), MEMORY: sum(report.values()) / customers, OPENING: median(openings),
    })  # fmt: skip


def _curve(cause: _Cause, points: Sequence[Point], title: str) -> Curve:
    values = [point.values[title] for point in points]
    return Curve(title, UNITS[title], cause.named, cause.sizes, values)


def _table(cause: _Cause, points: Sequence[Point]) -> str:
    curves = [_curve(cause, points, title) for title in cause.titles]
    headings = [cause.named, *(f"{curve.cost}, {curve.unit}" for curve in curves)]
    rows = [
        [f"{size:,}", *(f"{curve.values[at]:,.{PLACES[curve.cost]}f}" for curve in curves)]
        for at, size in enumerate(cause.sizes)
    ]
    rows.append(["exponent (1: linear)", *(f"{curve.exponent:.2f}" for curve in curves)])
    rows.append(["at the steepest step", *(f"{curve.steepest:.2f}" for curve in curves)])
    return markdown(headings, rows)


def _drawing(title: str, curves: Sequence[Curve]) -> str:
    panels = [
        Panel(
            f"against {curve.named}: exponent {curve.exponent:.2f}",
            f"{curve.named} (logarithmic)",
            f"{curve.cost}, {curve.unit}",
            [
                Line("measured", list(zip(curve.sizes, curve.values, strict=True)), 0),
                Line("linear from the smallest", curve.linear, 3, "6 5", marked=False),
            ],
            log_x=True,
        )
        for curve in curves
    ]
    about = "; ".join(
        f"{curve.named} {curve.sizes[0]:,} to {curve.sizes[-1]:,}: "
        f"{curve.values[0]:.4g} to {curve.values[-1]:.4g} {curve.unit}" for curve in curves
    )  # fmt: skip
    return draw(title, about, panels)
