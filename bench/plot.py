"""Curves as an SVG file: panels side by side, values on a logarithmic axis, readable in light and in dark.

Written by hand, because what is drawn is a dozen lines: a plotting library would be the largest package of
the whole installation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH, HEIGHT = 400, 280  # of a panel's inside, without its labels
LEFT, RIGHT, TOP, BOTTOM = 72, 24, 40, 56
HEAD, ROW = 44, 22  # of the title, of a line of the legend
_STYLE = """\
text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-size:17px;font-weight:600}
.name{font-weight:600}.back{fill:#fff}.grid{stroke:#d1d9e0;stroke-width:1}.limit{stroke:#1f2328;stroke-width:1}
path{fill:none;stroke-width:2}
.c0{stroke:#0969da;fill:#0969da}.c1{stroke:#bc4c00;fill:#bc4c00}.c2{stroke:#1a7f37;fill:#1a7f37}
.c3{stroke:#59636e;fill:#59636e}path.c0,path.c1,path.c2,path.c3{fill:none}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.back{fill:#0d1117}.grid{stroke:#3d444d}
.limit{stroke:#e6edf3}.c0{stroke:#58a6ff;fill:#58a6ff}.c1{stroke:#f0883e;fill:#f0883e}
.c2{stroke:#3fb950;fill:#3fb950}.c3{stroke:#9198a1;fill:#9198a1}
path.c0,path.c1,path.c2,path.c3{fill:none}}"""


@dataclass(frozen=True)
class Line:
    """One curve: (x, y) points, y above 0. colour: 0 to 3; dash: as of SVG's stroke-dasharray."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: int
    dash: str = ""
    marked: bool = True


@dataclass(frozen=True)
class Panel:
    """One pair of axes. The marks of x are the lines' own places; limit: a value of y with its name."""

    name: str
    x: str
    y: str
    lines: Sequence[Line]
    log_x: bool = False
    limit: tuple[float, str] | None = None
    bounds: tuple[float, float] = field(init=False)

    def __post_init__(self) -> None:
        values = [y for line in self.lines for _, y in line.points]
        values += [self.limit[0]] if self.limit else []
        object.__setattr__(self, "bounds", _around(values))


def draw(title: str, about: str, panels: Sequence[Panel]) -> str:
    """Return the SVG document: one wide panel, or two in a row. about: for those who cannot see it."""
    columns = min(2, len(panels))
    rows = math.ceil(len(panels) / columns)
    inside = WIDTH if columns > 1 else 2 * WIDTH
    wide, high = LEFT + inside + RIGHT, TOP + HEIGHT + BOTTOM
    legend = _legend(panels, columns * wide)
    head = HEAD + ROW * (1 + max((row for row, _, _ in legend), default=0))
    width, height = columns * wide, head + rows * high
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-labelledby="t d">',
        f'<title id="t">{escape(title)}</title><desc id="d">{escape(about)}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect class="back" width="{width}" height="{height}"/>',
        f'<text class="title" x="{LEFT}" y="28">{escape(title)}</text>',
    ]
    for row, x, line in legend:
        y = HEAD + ROW * row + 8
        parts.append(_stroke(line, [(x, y), (x + 28, y)]))
        parts.append(f'<text x="{x + 34}" y="{y + 4}">{escape(line.name)}</text>')
    for number, panel in enumerate(panels):
        x, y = number % columns * wide + LEFT, head + number // columns * high + TOP
        parts.append(f'<g transform="translate({x} {y})">{"".join(_inside(panel, inside))}</g>')
    return "\n".join([*parts, "</svg>", ""])


def _legend(panels: Sequence[Panel], width: int) -> list[tuple[int, int, Line]]:
    """Return (row, x, line) of each name, the first line of that name."""
    found: dict[str, Line] = {}
    for panel in panels:
        for line in panel.lines:
            found.setdefault(line.name, line)
    placed, row, x = [], 0, LEFT
    for line in found.values():
        size = 58 + 7 * len(line.name)
        if x + size > width and x > LEFT:
            row, x = row + 1, LEFT
        placed.append((row, x, line))
        x += size
    return placed


def _inside(panel: Panel, size: int) -> list[str]:
    places = sorted({x for line in panel.lines for x, _ in line.points})
    first, last = _scaled(places[0], panel.log_x), _scaled(places[-1], panel.log_x)
    low, high = (math.log10(bound) for bound in panel.bounds)

    def at(x: float, y: float) -> tuple[float, float]:
        across = (_scaled(x, panel.log_x) - first) / ((last - first) or 1.0)
        return 12 + across * (size - 24), HEIGHT * (high - math.log10(y)) / (high - low)

    parts = [
        f'<text class="name" x="0" y="-14">{escape(panel.name)}</text>',
        f'<text x="{size / 2:g}" y="{HEIGHT + 42}" text-anchor="middle">{escape(panel.x)}</text>',
        f'<text transform="translate(-56 {HEIGHT / 2:g}) rotate(-90)" text-anchor="middle">'
        f"{escape(panel.y)}</text>",
    ]
    for value in ticks(*panel.bounds):
        y = at(places[0], value)[1]
        parts.append(f'<line class="grid" x1="0" y1="{y:.1f}" x2="{size}" y2="{y:.1f}"/>')
        parts.append(f'<text x="-8" y="{y + 4:.1f}" text-anchor="end">{short(value)}</text>')
    for value in places:
        x = at(value, panel.bounds[0])[0]
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{HEIGHT}" x2="{x:.1f}" y2="{HEIGHT + 5}"/>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT + 20}" text-anchor="middle">{short(value)}</text>')
    if panel.limit:
        y = at(places[0], panel.limit[0])[1]
        parts.append(f'<line class="limit" x1="0" y1="{y:.1f}" x2="{size}" y2="{y:.1f}"/>')
        name = escape(panel.limit[1])
        parts.append(f'<text x="{size - 4}" y="{y - 5:.1f}" text-anchor="end">{name}</text>')
    for line in panel.lines:
        points = [at(x, y) for x, y in line.points]
        parts.append(_stroke(line, points))
        if line.marked:
            parts += [f'<circle class="c{line.colour}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in points]
    return parts


def _stroke(line: Line, points: Sequence[tuple[float, float]]) -> str:
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dash = f' stroke-dasharray="{line.dash}"' if line.dash else ""
    return f'<path class="c{line.colour}" d="M{path}"{dash}/>'


def _scaled(x: float, is_log: bool) -> float:
    return math.log10(x) if is_log else x


def _around(values: Sequence[float]) -> tuple[float, float]:
    """Return the marks of 1, 2, 5 times a power of ten next to all values, at least one apart."""
    low, high = _steps(min(values), math.floor), _steps(max(values), math.ceil)
    return low, (high if high > low else _steps(high * 1.01, math.ceil))


def _steps(value: float, towards: object) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    marks = [power * part for part in (1, 2, 5, 10)]
    if towards is math.floor:
        return max(mark for mark in marks if mark <= value * (1 + 1e-9))
    return min(mark for mark in marks if mark >= value * (1 - 1e-9))


def ticks(low: float, high: float) -> list[float]:
    """Return the marks of 1, 2 and 5 times powers of ten from ``low`` to ``high``.

    >>> ticks(2.0, 50.0)
    [2.0, 5.0, 10.0, 20.0, 50.0]
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    marks = [float(f"{part}e{power}") for power in powers for part in (1, 2, 5)]
    return [mark for mark in marks if low * (1 - 1e-9) <= mark <= high * (1 + 1e-9)]


def short(value: float) -> str:
    """Return a number as short as an axis needs it.

    >>> short(1_000_000), short(30_000), short(128), short(0.5)
    ('1 M', '30 k', '128', '0.5')
    """
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:g} {unit}"
    return f"{value:g}"
