"""What the engine says beside what the recompute says: every difference, by customer (the law)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from reference.customers import id_order
from reference.recompute import Recomputed


@dataclass(frozen=True)
class Difference:
    """One value on which the two disagree; None is null.

    ``what``: ``metric TEXT``, ``rfm MODEL.FIELD``, ``truth TAG`` or ``tag TAG``.
    """

    customer: str
    what: str
    engine: object
    recomputed: object

    def __str__(self) -> str:
        return f"{self.customer}: {self.what}: engine {self.engine!r}, recomputed {self.recomputed!r}"


def compare(recomputed: Recomputed, actual: Mapping[str, pd.DataFrame]) -> list[Difference]:
    """Return where ``actual``, read from the engine, differs from the recompute; by customer, then by name.

    ``actual``: any of ``metrics``, ``declared``, ``truth``, ``member`` and ``rfm MODEL``, each shaped as the
    frame of that name of `Recomputed` (index: customer ids; ``avg`` as (sum, count)). A frame, or a column,
    that only one side has is a difference of customer "". A customer whom one side lacks has there what a
    customer without rows has. Values that the recompute leaves open (tags not replayed) are not compared.
    """
    expected = {
        "metrics": recomputed.metrics,
        "truth": recomputed.truth,
        "member": recomputed.member,
        **{f"rfm {name}": frame for name, frame in recomputed.rfm.items()},
    }
    if "declared" in actual:
        expected["declared"] = recomputed.declared
    found = list(_missing("frame", list(expected), list(actual)))
    for name in expected:
        if name in actual:
            found += _compare_frames(name, expected[name], actual[name], recomputed.nothing)
    return sorted(found, key=lambda d: (id_order(d.customer) if d.customer else (-(2**64), 0), d.what))


def _compare_frames(
    name: str, expected: pd.DataFrame, actual: pd.DataFrame, nothing: Mapping[str, Any]
) -> Iterator[Difference]:
    if actual.index.has_duplicates:
        raise ValueError(f"actual '{name}': a customer stands twice: give each customer one row")
    yield from _missing(name, list(expected.columns), list(actual.columns))
    everybody = expected.index.union(actual.index, sort=False)
    for column in expected.columns.intersection(actual.columns):
        # a tag holds for nobody who is not there, and nobody is in the population
        default = False if name in ("truth", "member") or column == "member" else nothing.get(column)
        default = default if name != "declared" else _NOT_THERE
        left = _values(expected[column], everybody, default)
        right = _values(actual[column], everybody, default)
        open_ = name in ("truth", "member")
        for customer, mine, theirs in zip(everybody, left, right, strict=True):
            if (mine is None and open_) or mine is _NOT_THERE or theirs is _NOT_THERE:
                continue
            if mine != theirs:
                yield Difference(str(customer), _what(name, str(column)), theirs, mine)


_NOT_THERE = object()


def _values(column: pd.Series[Any], everybody: pd.Index[Any], default: object) -> list[Any]:
    known = dict(zip(column.index, column.tolist(), strict=True))
    values = (known.get(customer, default) for customer in everybody)
    # pairs (avg) are no nulls; pandas writes null as NA, None or NaN, by the column's type
    return [None if not isinstance(value, tuple) and pd.isna(value) else value for value in values]


def _missing(where: str, expected: list[str], actual: list[str]) -> Iterator[Difference]:
    for name in expected:
        if name not in actual:
            yield Difference("", f"{where} {name}", None, "present")
    for name in actual:
        if name not in expected:
            yield Difference("", f"{where} {name}", "present", None)


def _what(frame: str, column: str) -> str:
    if frame.startswith("rfm "):
        return f"{frame}.{column}"
    kind = {"metrics": "metric", "declared": "metric", "truth": "truth", "member": "tag"}[frame]
    return f"{kind} {column}"
