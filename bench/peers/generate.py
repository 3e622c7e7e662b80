"""Writes the peers' Python: one class a customer, made from the same declarations, with nothing general left
in it.

Generated code was the fastest Python that the prototypes found. Rows are lists [event us, key, stage,
position, columns ...]; the *stage* of a row counts the window edges that it has passed, so that it says which
windows hold it; a heap holds what falls due next: a row's next edge, a recency cut, the end of a sticky tag,
an absence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from app.shop import Shop
from profiles.windows import parse_length

HEAD = 4  # of a row, before its columns
_METRIC = re.compile(r'(\w+)\((\w+)(?:\.(\w+))?, "(\w+)(?: offset (\w+))?"(?:, (.*))?\)')


@dataclass(frozen=True)
class Metric:
    """A metric that is kept: ages (minutes) at which a row enters and leaves; column: its place in a row."""

    name: str
    function: str
    source: str
    column: int
    enter: int
    leave: int
    condition: str


class Writer:
    """columns: of each table, in the order in which they stand behind a row's head."""

    def __init__(self, shop: Shop, columns: Mapping[str, list[str]]) -> None:
        self.shop, self.columns = shop, columns
        self.metrics = [self._metric(name, text) for name, text in shop.metrics.items()]
        kept = 'status != "cancelled"'
        for name, text in (
            ("rfm_f", f'count(orders, "365d", {kept})'), ("rfm_paid", f'sum(orders.amount, "365d", {kept})'),
            ("rfm_back", 'sum(refunds.amount, "365d")'), ("rfm_last", f'last(orders.amount, "365d", {kept})'),
        ):  # fmt: skip
            self.metrics.append(self._metric(name, text))
        self.lines: list[str] = []

    def _metric(self, name: str, text: str) -> Metric:
        found = _METRIC.fullmatch(text)
        assert found, text
        function, source, column, length, offset, condition = found.groups()
        enter = parse_length(offset) if offset else 0
        place = HEAD + self.columns[source].index(column) if column else -1
        test = condition or ""
        for at, own in enumerate(self.columns[source]):
            test = re.sub(rf"\b{own}\b", f"row[{HEAD + at}]", test)
        return Metric(name, function, source, place, enter, enter + parse_length(length), test)

    def write(self) -> str:
        """Return the module's text."""
        self._state()
        for source in self.columns:
            self._source(source)
        self._scan()
        self._judge()
        self._answer()
        said = {"METRICS": tuple(self.shop.metrics), "TAGS": tuple(self.shop.tags), "COLUMNS": self.columns}
        names = [*(f"    {name} = {value!r}" for name, value in said.items()), ""]
        head = ["from bench_customer import NONE, Base", "", "class Customer(Base):", *names]
        return "\n".join([*head, *("    " + line for line in self.lines), ""])

    def _state(self) -> None:
        self.lines += ["def __init__(self, name):", "    self.begin(name)"]
        for metric in self.metrics:
            empty = {"max": "-1", "min": "99999", "distinct": "{}", "first": "None", "last": "None"}
            self.lines.append(f"    self.{metric.name} = {empty.get(metric.function, '0')}")
            if metric.function == "avg":
                self.lines.append(f"    self.{metric.name}_n = 0")
        edges = {source: self._edges(source) for source in self.columns}
        self.lines += [f"EDGES = {edges!r}", ""]

    def _edges(self, source: str) -> list[int]:
        own = [metric for metric in self.metrics if metric.source == source]
        return sorted({age for metric in own for age in (metric.enter, metric.leave) if age})

    def _source(self, source: str) -> None:
        """Write what a row does when it comes or goes at a stage, and when it passes the next edge."""
        edges = self._edges(source)
        own = [metric for metric in self.metrics if metric.source == source]
        for what in ("come", "go"):
            for stage in range(len(edges) + 1):
                age = edges[stage - 1] if stage else 0
                inside = [metric for metric in own if metric.enter <= age < metric.leave]
                self._function(
                    f"{what}_{source}_{stage}",
                    inside if what == "come" else [],
                    inside if what == "go" else [],
                )
        for stage, age in enumerate(edges, start=1):
            entering = [metric for metric in own if metric.enter == age]
            leaving = [metric for metric in own if metric.leave == age]
            self._function(f"pass_{source}_{stage}", entering, leaving)
        for what, stages in (
            ("come", range(len(edges) + 1)),
            ("go", range(len(edges) + 1)),
            ("pass", range(1, len(edges) + 1)),
        ):
            names = ", ".join(f"{what}_{source}_{stage}" for stage in stages)
            self.lines.append(f"{what.upper()}_{source} = ({names},)")
        self.lines.append("")

    def _function(self, name: str, entering: list[Metric], leaving: list[Metric]) -> None:
        self.lines.append(f"def {name}(self, row):")
        by_condition: dict[str, list[str]] = {}
        for metric in entering:
            by_condition.setdefault(metric.condition, []).extend(_enter(metric))
        for metric in leaving:
            by_condition.setdefault(metric.condition, []).extend(_leave(metric))
        for condition, body in by_condition.items():
            if condition:
                self.lines.append(f"    if {condition}:")
                self.lines += ["        " + line for line in body]
            else:
                self.lines += ["    " + line for line in body]
        if not by_condition:
            self.lines.append("    pass")

    def _scan(self) -> None:
        """Write the recomputation of an extreme that has lost its row."""
        for metric in self.metrics:
            if metric.function not in ("max", "min", "first", "last"):
                continue
            edges = self._edges(metric.source)
            stages = [
                s for s in range(len(edges) + 1) if metric.enter <= (edges[s - 1] if s else 0) < metric.leave
            ]
            test = f"{min(stages)} <= row[2] <= {max(stages)}" + (
                f" and {metric.condition}" if metric.condition else ""
            )
            rows = f"[row for row in self.rows_{metric.source}.values() if {test}]"
            pick = {
                "max": f"max([row[{metric.column}] for row in rows], default=-1)",
                "min": f"min([row[{metric.column}] for row in rows], default=99999)",
                "first": "min(rows, default=None)", "last": "max(rows, default=None)",
            }  # fmt: skip
            self.lines += [
                f"def scan_{metric.name}(self):",
                f"    rows = {rows}",
                f"    self.{metric.name} = {pick[metric.function]}",
            ]

    def _judge(self) -> None:
        """Write the judging of all tags at a minute."""
        body = ["paid = self.rfm_last", "if paid is None:", "    r = f = m = 0", "else:",
                "    r, f, m = self.scores(now)"]  # fmt: skip
        group = self.shop.settings.groups["value"]
        body += [
            f"t_{name} = {self._rule(rule.rule or '')}"
            for name, rule in self.shop.tags.items()
            if name in group
        ]
        for at, name in enumerate(group[1:], start=1):
            body.append(f"t_{name} = t_{name} and not ({' or '.join(f't_{one}' for one in group[:at])})")
        for name, tag in self.shop.tags.items():
            if name in group:
                continue
            rule = self._rule(tag.rule or "")
            body.append(f"t_{name} = self.held({rule}, now)" if tag.sticky else f"t_{name} = {rule}")
        names = list(self.shop.tags)
        body.append(
            "tags = " + " | ".join(f"({1 << at} if t_{name} else 0)" for at, name in enumerate(names))
        )
        body += ["if tags != self.tags:", "    self.note(tags, now)"]
        self.lines += ["def judge(self, now):", *("    " + line for line in body)]

    def _rule(self, rule: str) -> str:
        """Return a rule as Python: what may be null holds a number that no comparison of the shop is true
        for.
        """
        by_name = {metric.name: metric for metric in self.metrics}
        text = (
            re.sub(r'"(\w+)" in tags', r"t_\1", rule)
            .replace("&&", "and")
            .replace("||", "or")
            .replace("!(", "not (")
        )
        text = re.sub(r"(.+) \? (.+) : (.+)", r"((\2) if (\1) else (\3))", text)
        text = re.sub(r'rfm\.segment == "champions"', "(r >= 4 and f >= 4 and m >= 4)", text)
        text = re.sub(r"rfm\.([rf])", r"\1", text)

        def read(match: re.Match[str]) -> str:
            metric = by_name.get(match[0])
            if metric is None:
                return match[0]
            if metric.function == "distinct":
                return f"len(self.{metric.name})"
            if metric.function in ("first", "last"):
                return f"(self.{metric.name} or NONE)[{metric.column}]"
            return f"self.{metric.name}"

        text = re.sub(r"\b(average_\w+) >= (\d+)", r"\1 >= \2 * self.\1_n and self.\1_n > 0", text)
        text = re.sub(r"(?<![\w.])[a-z]\w+(?![\w(])", read, text)
        return f"bool({text})"

    def _answer(self) -> None:
        parts = []
        for name in self.shop.metrics:
            metric = next(one for one in self.metrics if one.name == name)
            value = f"self.{name}"
            if metric.function == "avg":
                value = f'f"{{{value}}}/{{{value}_n}}" if {value}_n else None'
            elif metric.function == "distinct":
                value = f"len({value})"
            elif metric.function in ("first", "last"):
                value = f"{value}[{metric.column}] if {value} else None"
            elif metric.function in ("max", "min"):
                value = f"{value} if {value} != {-1 if metric.function == 'max' else 99999} else None"
            parts.append(value)
        self.lines += ["def answer(self):", f"    return [{', '.join(parts)}]"]


def _enter(metric: Metric) -> list[str]:
    name, value = f"self.{metric.name}", f"row[{metric.column}]"
    if metric.function == "count":
        return [f"{name} += 1"]
    if metric.function == "sum":
        return [f"{name} += {value}"]
    if metric.function == "avg":
        return [f"{name} += {value}", f"{name}_n += 1"]
    if metric.function == "distinct":
        return [f"{name}[{value}] = {name}.get({value}, 0) + 1"]
    if metric.function in ("max", "min"):
        return [f"if {value} {'>' if metric.function == 'max' else '<'} {name}: {name} = {value}"]
    return [f"if {name} is None or row {'<' if metric.function == 'first' else '>'} {name}: {name} = row"]


def _leave(metric: Metric) -> list[str]:
    name, value = f"self.{metric.name}", f"row[{metric.column}]"
    if metric.function == "count":
        return [f"{name} -= 1"]
    if metric.function == "sum":
        return [f"{name} -= {value}"]
    if metric.function == "avg":
        return [f"{name} -= {value}", f"{name}_n -= 1"]
    if metric.function == "distinct":
        return [f"n = {name}[{value}]", f"if n == 1: del {name}[{value}]", f"else: {name}[{value}] = n - 1"]
    if metric.function in ("max", "min"):
        return [f"if {value} == {name}: self.scan_{metric.name}()"]
    return [f"if row[1] == {name}[1]: self.scan_{metric.name}()"]  # not `is`: some keep copies
