"""The plan's first half: metrics, windows, filters and the columns of rows, as numbers.

Every metric exists once, however many rules write it (M3). Within a source it has a bit; metrics of one
source that share a window or a filter share its work.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.state import ROW_WORD
from profiles import intervals
from profiles.calendar import UNITS
from profiles.metrics import AVG, NAMES, SLOTS, TALLIES
from profiles.windows import Window, parse_length
from rules.check import check_rule
from rules.error import RuleError
from rules.metric import MetricSpec
from rules.parse import parse
from rules.schema import Schema
from rules.scope import row_of
from rules.syntax import Binary, Node
from rules.write import write

Columns = dict[str, NDArray[np.int64]]
YEAR = 366 * 1440
EXTREMES = ("min", "max", "first", "last")
MOST_SOURCES = 127  # their numbers take 8 bits
MOST_COLUMNS = 62  # of a row: its nulls are bits of one number
FUTURE_MINUTES = 2 * 1440  # rows dated ahead (max_future) also have a place in the minute index
WINDOW_KINDS = {
    "all": intervals.ALL,
    "trailing": intervals.TRAILING,
    "calendar": intervals.CALENDAR,
    "own": intervals.OWN,
}


class MetricPlan:
    """Numbers for sources, metrics, windows, filters and projected columns."""

    def __init__(self, schema: Schema, specs: Iterable[MetricSpec], reads: Iterable[tuple[str, str]]) -> None:
        """``specs``: every metric anything rests on; ``reads``: further (source, column) that rules read."""
        self.schema = schema
        self.sources = sorted(name for name, source in schema.sources.items() if source.kind == "rows")
        if len(self.sources) > MOST_SOURCES:
            raise RuleError(
                f"{len(self.sources)} sources", f"{MOST_SOURCES} is the most that the engine takes"
            )
        self.source_number = {name: i for i, name in enumerate(self.sources)}
        self.specs = sorted(
            dict.fromkeys(specs),
            key=lambda spec: (self.source_number[spec.source], spec.key, spec.column or ""),
        )
        self.number = {spec: i for i, spec in enumerate(self.specs)}
        self.where: dict[str, Node | None] = {}
        for name in self.sources:
            rule = schema.sources[name].where
            self.where[name] = parse(rule) if rule else None
        self.projection = self._project(reads)
        self.by_source = {name: [s for s in self.specs if s.source == name] for name in self.sources}
        self.words = max([1, *(-(-len(specs) // ROW_WORD) for specs in self.by_source.values())])
        self.width = max([1, *(len(columns) for columns in self.projection.values())])
        self.windows: list[tuple[str, Window]] = []
        self.filters: list[tuple[str, Node | None]] = []
        for name in self.sources:
            self.windows += [(name, w) for w in dict.fromkeys(s.window for s in self.by_source[name])]
            self.filters += [(name, f) for f in self._distinct_filters(name)]
        self.slots = sum(SLOTS[NAMES.index(spec.function)] for spec in self.specs)
        self.tallies = sum(TALLIES[NAMES.index(spec.function)] for spec in self.specs)

    def _project(self, reads: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
        """Return for each source the columns that its rows keep in the engine, alphabetical."""
        needed: dict[str, set[str]] = {name: set() for name in self.sources}
        for spec in self.specs:
            needed[spec.source] |= set(spec.columns)
        for source, column in reads:
            needed[source].add(column)
        for name, node in self.where.items():
            if node is not None:
                needed[name] |= {column for _, column in check_rule(node, self.schema, row_of(name)).columns}
        for name, columns in needed.items():
            if len(columns) > MOST_COLUMNS:
                problem = f"rules read {len(columns)} columns of source {name}"
                raise RuleError(problem, f"{MOST_COLUMNS} is the most that the engine keeps of a row")
        return {name: sorted(columns) for name, columns in needed.items()}

    def _distinct_filters(self, source: str) -> list[Node | None]:
        found: dict[str, Node | None] = {}
        for spec in self.by_source[source]:
            node = self.filter_of(spec)
            found[write(node) if node is not None else ""] = node
        return list(found.values())

    def filter_of(self, spec: MetricSpec) -> Node | None:
        """Return what a row must pass to count: the source's ``where`` and the metric's own filter."""
        where, own = self.where[spec.source], spec.filter
        if where is None or own is None:
            return own if where is None else where
        return Binary("&&", where, own)

    def bits(self, chosen: Iterable[MetricSpec]) -> list[int]:
        """Return the words with the bits of metrics of one source."""
        words = [0] * self.words
        for spec in chosen:
            place = self.by_source[spec.source].index(spec)
            words[place // ROW_WORD] |= 1 << (place % ROW_WORD)
        return words

    def reach_minutes(self) -> int:
        """Return how many minutes back any finite window looks."""
        return max([1440, *(_span(window) for _, window in self.windows)])

    def columns(self, programs: Mapping[str, int]) -> Columns:
        """Return the plan's columns; ``programs``: the number of each (source, filter) as written."""
        out: dict[str, list[int]] = {}
        self._source_columns(out)
        self._window_columns(out)
        self._filter_columns(out, programs)
        self._metric_columns(out)
        return {name: np.array(values, dtype=np.int64) for name, values in out.items()}

    def _source_columns(self, out: dict[str, list[int]]) -> None:
        out["source_horizon"] = [parse_length(self.schema.sources[n].duplicate_horizon) for n in self.sources]
        out["source_stale"] = [self.schema.sources[n].stale_minutes for n in self.sources]
        out["bit_metric"] = []
        out["value_bits"] = []
        counted = [s for name in self.sources for s in self.by_source[name] if s.function == "distinct"]
        out["distinct_of"] = [self.number[spec] for spec in counted]
        out["source_distinct"] = _firsts([spec.source for spec in counted], self.sources)
        for name in self.sources:
            numbers = [self.number[spec] for spec in self.by_source[name]]
            out["bit_metric"] += numbers + [-1] * (self.words * ROW_WORD - len(numbers))
            columns = self.projection[name]
            for j in range(self.width):
                over = [s for s in self.by_source[name] if j < len(columns) and s.column == columns[j]]
                out["value_bits"] += self.bits(over)

    def _window_columns(self, out: dict[str, list[int]]) -> None:
        names = ("kind", "length", "offset", "unit", "anchor", "bits", "distincts")
        rows = {name: [] for name in names}  # type: dict[str, list[int]]
        own = 0
        for source, window in self.windows:
            rows["kind"].append(WINDOW_KINDS[window.kind])
            rows["length"].append(_span(window) if window.kind == "own" else window.length)
            rows["offset"].append(window.offset)
            unit = UNITS.index(window.unit) if window.kind == "calendar" else 0
            anchor = -1
            if window.kind == "own":
                unit, own = own, own + 1
                anchor = self.number[self.schema.attributes[window.attribute]]
            rows["unit"].append(unit)
            rows["anchor"].append(anchor)
            inside = [s for s in self.by_source[source] if s.window == window]
            rows["bits"] += self.bits(inside)
            rows["distincts"].append(sum(s.function == "distinct" for s in inside))
        out |= {f"window_{name}": values for name, values in rows.items()}
        out["source_window"] = _firsts([source for source, _ in self.windows], self.sources)

    def _filter_columns(self, out: dict[str, list[int]], programs: Mapping[str, int]) -> None:
        out["filter_program"], out["filter_bits"] = [], []
        for source, node in self.filters:
            out["filter_program"].append(-1 if node is None else programs[f"{source}: {write(node)}"])
            text = None if node is None else write(node)
            fitting = [s for s in self.by_source[source] if _text(self.filter_of(s)) == text]
            out["filter_bits"] += self.bits(fitting)
        out["source_filter"] = _firsts([source for source, _ in self.filters], self.sources)

    def _metric_columns(self, out: dict[str, list[int]]) -> None:
        for name in ("source", "function", "value", "slot", "tally", "bit", "window", "anchors"):
            out[f"metric_{name}"] = []
        slot, tally = 0, 0
        anchors = {self.schema.attributes[w.attribute] for _, w in self.windows if w.kind == "own"}
        for spec in self.specs:
            function = NAMES.index(spec.function)
            out["metric_source"].append(self.source_number[spec.source])
            out["metric_function"].append(function)
            place = -1 if spec.column is None else self.projection[spec.source].index(spec.column)
            out["metric_value"].append(place)
            out["metric_slot"].append(slot)
            out["metric_tally"].append(tally)
            slot, tally = slot + SLOTS[function], tally + TALLIES[function]
            out["metric_bit"].append(self.by_source[spec.source].index(spec))
            out["metric_window"].append(self.windows.index((spec.source, spec.window)))
            out["metric_anchors"].append(int(spec in anchors))

    def leaves(self, specs: Iterable[MetricSpec], most: int) -> list[int]:
        """Return metric x 2 + part for the first values that go with an effect; -1 fills up."""
        parts: list[int] = []
        for spec in specs:
            parts.append(2 * self.number[spec])
            if NAMES.index(spec.function) == AVG:
                parts.append(2 * self.number[spec] + 1)
        return (parts + [-1] * most)[:most]

    def dimensions(self) -> dict[str, Any]:
        """Return the widths that follow from the metrics."""
        return {
            "slots": self.slots, "tallies": self.tallies, "row_words": self.words, "row_values": self.width,
            "row_bits": self.words * ROW_WORD, "value_words": self.width * self.words,
            "sources": len(self.sources), "own_windows": sum(w.kind == "own" for _, w in self.windows),
            "extremes": sum(spec.function in EXTREMES for spec in self.specs),
        }  # fmt: skip


def _span(window: Window) -> int:
    """Return the minutes that a window looks back, at most."""
    if window.kind == "trailing":
        return window.length + window.offset
    if window.kind == "own":
        return YEAR * (window.offset + 2)  # a year more than it holds: its date may move
    if window.kind == "calendar":
        unit = {
            "day": 2 * 1440,
            "week": 8 * 1440,
            "month": 32 * 1440,
            "quarter": 93 * 1440,
            "year": YEAR + 1440,
        }
        return unit[window.unit] * (window.offset + 1)
    return 0


def _text(node: Node | None) -> str | None:
    return None if node is None else write(node)


def _firsts(owners: list[str], names: list[str]) -> list[int]:
    """Return where each name's run begins in ``owners``, and the end."""
    return [owners.index(n) if n in owners else _after(owners, names[:i]) for i, n in enumerate(names)] + [
        len(owners)
    ]


def _after(owners: list[str], before: list[str]) -> int:
    return sum(owner in before for owner in owners)
