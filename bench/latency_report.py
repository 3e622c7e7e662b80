"""What the loads of `bench.latency` come to: rows, the table for the documents, and the drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.figures import figure
from bench.outcome import Outcome, markdown
from bench.plot import Line, Panel, draw
from bench.schedule import Floats, percentile, within

GOAL_MS = 100.0
GOAL_SHARE = 0.5  # of the capacity, at which the goal is to be met
PERCENTILES = {"p50": 0.5, "p99": 0.99, "max": 1.0}
DASHES = {"p50": "2 4", "p99": "", "max": "8 5"}


@dataclass(frozen=True)
class Run:
    """One load.

    share: of the capacity; rate: changes a second; accepted, readable: milliseconds from due to on disk and
    to in the store, of each order looked for; weights: how often it counts; due: its moment; writing: the
    stretches in which a snapshot was being written; behind: records and effects that history lacked at the
    end.
    """

    share: float
    rate: float
    over_http: bool
    accepted: Floats
    readable: Floats
    weights: Floats
    due: Floats
    writing: Sequence[tuple[float, float]]
    behind: int

    @property
    def name(self) -> str:
        return f"{self.share:.0%} of capacity" + (" over HTTP" if self.over_http else "")

    def of(self, part: str, name: str) -> float:
        """Return a percentile of ``accepted`` or ``readable``."""
        return percentile(getattr(self, part), self.weights, PERCENTILES[name])

    def after_accepted(self, name: str) -> float:
        """Return a percentile of the milliseconds from on disk to in the store."""
        return percentile(self.readable - self.accepted, self.weights, PERCENTILES[name])

    @property
    def beside_snapshots(self) -> float | None:
        """The 99th percentile of ``readable`` of what was due while a snapshot was written; None: nothing."""
        chosen = within(self.due, self.writing)
        return percentile(self.readable[chosen], self.weights[chosen], 0.99) if chosen.any() else None


def outcome(capacity: float, customers: int, busy: str, runs: Sequence[Run]) -> Outcome:
    """Return everything that the loads come to. busy: what else the machine had to do."""
    what = f"changes a second at most, embedded, {customers:,} customers"
    rows = [figure(what, capacity, "1/s", busy, None, None)]
    for run in runs:
        rows += _rows(run)
    return Outcome(rows, [_table(runs)], {"latency.svg": _drawing(runs)})


def _rows(run: Run) -> list[dict[str, Any]]:
    what = f"due to readable, {run.name} ({run.rate:,.0f} changes/s)"
    found = []
    for name in PERCENTILES:
        against = f"due to accepted: {run.of('accepted', name):.1f} ms"
        found.append(figure(f"{what}, {name}", run.of("readable", name), "ms", against, None, None))
    for name in ("p50", "p99"):
        value, goal = run.after_accepted(name), None
        if name == "p99" and run.share == GOAL_SHARE and not run.over_http:
            goal = 1.0
        ratio = value / GOAL_MS if name == "p99" else None
        told = f"accepted to readable, {run.name} ({run.rate:,.0f} changes/s), {name}"
        found.append(figure(told, value, "ms", f"limit of p99: {GOAL_MS:.0f} ms", ratio, goal))
    if run.beside_snapshots is not None:
        time = within(run.due, run.writing).mean()
        against = f"{len(run.writing)} snapshots, {time:.0%} of the time"
        what = f"{what}, p99 while a snapshot is written"
        found.append(figure(what, run.beside_snapshots, "ms", against, None, None))
    return found


def _table(runs: Sequence[Run]) -> str:
    headings = ["load", "changes/s"]
    headings += [f"{part}, {name}, ms" for part in ("accepted", "readable") for name in PERCENTILES]
    headings += ["accepted to readable, p50, ms", "accepted to readable, p99, ms"]
    headings += ["readable beside a snapshot, p99, ms", "snapshots", "history behind"]
    rows = []
    for run in runs:
        waits = [run.of(part, name) for part in ("accepted", "readable") for name in PERCENTILES]
        waits += [run.after_accepted("p50"), run.after_accepted("p99")]
        told = [f"{wait:,.0f}" if wait is not None else None for wait in (*waits, run.beside_snapshots)]
        rows.append([run.name, f"{run.rate:,.0f}", *told, len(run.writing), f"{run.behind:,}"])
    return markdown(headings, rows)


def _drawing(runs: Sequence[Run]) -> str:
    lines = []
    shown = (("readable", False, ""), ("accepted", False, ""), ("readable", True, " over HTTP"))
    for colour, (part, over_http, suffix) in enumerate(shown):
        mine = [run for run in runs if run.over_http == over_http]
        for name in PERCENTILES if mine else ():
            if not (over_http and name == "max"):
                points = [(run.share * 100, run.of(part, name)) for run in mine]
                lines.append(Line(f"{part}{suffix}, {name}", points, colour, DASHES[name]))
    goal = (GOAL_MS, f"{GOAL_MS:.0f} ms: at half load the goal for p99 of accepted to readable")
    panel = Panel(
        "", "load, % of the most that the same run took", "milliseconds from due", lines, limit=goal
    )
    about = "; ".join(
        f"{run.name}: readable p50 {run.of('readable', 'p50'):.0f} ms, "
        f"p99 {run.of('readable', 'p99'):.0f} ms" for run in runs
    )  # fmt: skip
    return draw("From a change to its customer's profile readable", about, [panel])
