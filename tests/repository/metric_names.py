"""Which metrics there are, from the code: what a scrape has, and with which labels."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
API = ("console/figures.py", "sinks/history/spool_metrics.py")
# The class of a metric, or the name of a function here that makes one, and what a sample's name ends with.
ENDINGS = {
    "Counter": ("_total",), "CounterMetricFamily": ("_total",), "_counter": ("_total",),
    "GaugeMetricFamily": ("",), "_gauge": ("",),
    "Histogram": ("_bucket", "_sum", "_count"), "HistogramMetricFamily": ("_bucket", "_sum", "_count"),
    "_histogram": ("_bucket", "_sum", "_count"),
}  # fmt: skip


def of_api() -> dict[str, set[str]]:
    """Return the samples of the API and their labels, from the calls that make them."""
    found: dict[str, set[str]] = {}
    for path in API:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        named = {
            node.targets[0].id: node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
                continue
            first = node.args[0]
            if node.func.id in ENDINGS and isinstance(first, ast.Constant):
                for ending in ENDINGS[node.func.id]:
                    found[str(first.value) + ending] = _labels(node, named)
    return found


def _labels(call: ast.Call, named: dict[str, ast.expr]) -> set[str]:
    """Return the labels that a call names: as words of a tuple, or of a tuple with a name."""
    given: list[ast.expr] = [*call.args[2:], *(one.value for one in call.keywords if one.arg == "labels")]
    given = [named.get(one.id, one) if isinstance(one, ast.Name) else one for one in given]
    return {
        str(word.value)
        for one in given
        if isinstance(one, ast.Tuple)
        for word in one.elts
        if isinstance(word, ast.Constant)
    }


def used(expression: str) -> dict[str, set[str]]:
    """Return the metrics that a PromQL expression names, with the labels that it asks for.

    Labels of ``by (...)`` are asked of every metric of the expression.

    >>> sorted(used('sum by (le) (rate(a_b{c="x", d!~"y"}[5m])) > 3')["a_b"])
    ['c', 'd', 'le']
    """
    by = {word for group in re.findall(r"\bby \(([^)]*)\)", expression) for word in re.findall(r"\w+", group)}
    bare = re.sub(r"\bby \([^)]*\)|\[[^\]]*\]", " ", expression)
    found: dict[str, set[str]] = {}
    for name, inside in re.findall(r"\b([a-z]\w*_\w+|up)\b(?!\s*\()(?:\{([^}]*)\})?", bare):
        asked = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", inside))
        found.setdefault(name, set()).update(asked, by)
    return found
