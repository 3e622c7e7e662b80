"""`tintype bench cluster` as a picture: what a row costs over partitions, how long rows are on their way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.cluster.burst import Worked
from bench.cluster.taking import Taken
from bench.cluster.told import SHARES
from bench.cluster.waits import Waits, share_of
from bench.plot import Line, Panel, draw

READABLE_MS = 1000.0  # goal of p99 at a thousand rows a second
DASHES = {"p50": "2 4", "p99": ""}


def drawings(
    ours: Mapping[tuple[int, int], Taken], waited: Sequence[Waits], worked: Worked | None
) -> dict[str, str]:
    """Return SVG by file name; nothing of what was not measured. ours: by customers and partitions."""
    panels = [*_costs(ours), *_waits([one for one in waited if not one.load.hot])]
    about = [f"{at[0]:,} customers in {at[1]} partitions: {one.microseconds:.0f} us CPU a row"
             for at, one in ours.items()]  # fmt: skip
    about += [
        f"{one.load.rate:,} rows a second {one.where}: readable after {share_of(one.readable, 0.5):,.0f} ms, "
        f"p99 {share_of(one.readable, 0.99):,.0f} ms" for one in waited
    ]  # fmt: skip
    found = {"cluster.svg": draw("A worker of the cluster", "; ".join(about), panels)} if panels else {}
    return found if worked is None else found | {"burst.svg": _burst(worked)}


def _burst(worked: Worked) -> str:
    """Return the curve of a burst: some twelve moments of it, and the worst."""
    moments, said = worked.moments, worked.burst
    chosen = set(moments[:: max(1, len(moments) // 12)]) | {moments[-1]}
    chosen.add(max(moments, key=lambda one: one.waiting))
    shown = sorted(chosen, key=lambda one: one.at)
    waiting = Line("rows that wait", [(round(one.at), max(1.0, one.waiting)) for one in shown], 0)
    memory = Line("memory of the worker", [(round(one.at), one.memory / 1e6) for one in shown], 1)
    x = "seconds since it began"
    title = f"{said.times * said.usual:,} rows a second for {said.seconds:.0f} s, else {said.usual:,}"
    about = f"At most {worked.waiting:,} rows wait, {worked.behind:.0f} s after its end none; "
    about += f"memory grows to {worked.memory:.2f} times that before."
    return draw(title, about, [Panel("Backlog", x, "rows", [waiting]), Panel("Memory", x, "MB", [memory])])


def _costs(ours: Mapping[tuple[int, int], Taken]) -> list[Panel]:
    by_customers: dict[int, list[tuple[float, float]]] = {}
    for (customers, partitions), one in ours.items():
        by_customers.setdefault(customers, []).append((partitions, one.microseconds))
    lines = [
        Line(f"{customers:,} customers", points, colour)
        for colour, (customers, points) in enumerate(sorted(by_customers.items()))
    ]
    return [Panel("From topic to profile", "partitions", "microseconds of CPU a row", lines)] if lines else []


def _waits(waited: Sequence[Waits]) -> list[Panel]:
    lines, colour = [], 0
    for where in dict.fromkeys(one.where for one in waited):
        for what in ("readable", "decided"):
            for name, share in SHARES.items():
                points = [
                    (float(one.load.rate), share_of(getattr(one, what), share))
                    for one in waited if one.where == where
                ]  # fmt: skip
                lines.append(Line(f"due {where}, {what}, {name}", points, colour, DASHES[name]))
            colour += 1
    limit = READABLE_MS, "1 s: the goal of p99 at 1,000 rows a second"
    panel = Panel("On the way", "rows a second", "milliseconds from due", lines, log_x=True, limit=limit)
    return [panel] if lines else []
