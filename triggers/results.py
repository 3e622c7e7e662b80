"""What a trigger has brought, against those whom it never reaches (semantics D8)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd
from scipy.stats import binomtest, ttest_ind

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Group:
    """Customers whose windows are over. ``converted``: of how many a row counts; ``rows``: how many do;
    ``value``: their sum, in the unit of the goal's column, 0 where it names none."""

    customers: int
    converted: int
    rows: int
    value: int

    @property
    def rate(self) -> float | None:
        """The share of the customers that converted; None of nobody."""
        return self.converted / self.customers if self.customers else None

    @property
    def value_each(self) -> float | None:
        """What a customer is worth in the mean, in the unit of the goal's column; None of nobody."""
        return self.value / self.customers if self.customers else None


@dataclass(frozen=True)
class Interval:
    """A difference, and between which two it lies with `CONFIDENCE`."""

    difference: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """Whether it is certainly above or below zero, with `CONFIDENCE`."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Results:
    """``as_of``: the epoch minute up to whose end all is counted. ``reached``, ``held_out``: customers by
    whether hold-out refused them. ``open``: customers whose windows are not over. ``acts``: decisions to act,
    and ``converted``: of how many of them a row counts. ``rate``, ``value``: reached less held out; None
    where there is too little to tell."""

    as_of: int
    reached: Group
    held_out: Group
    open: int
    acts: int
    converted: int
    rate: Interval | None
    value: Interval | None


def results(
    exposed: pd.DataFrame, acts: pd.DataFrame, rows: pd.DataFrame, within: int, as_of: int
) -> Results:
    """Count what followed the decisions of one trigger.

    exposed: ``customer`` (once each), ``minute`` (int64, epoch) and ``held_out`` (bool) of each customer's
    first decision that came as far as hold-out; acts: ``customer`` and ``minute`` of each decision to act;
    rows: ``customer``, ``minute`` and ``value`` (int64) of the rows of the goal; within: minutes; as_of: see
    `Results`.
    """
    over = exposed[exposed["minute"] + within <= as_of]
    joined = rows.merge(over, on="customer", suffixes=("", "_exposed"))
    behind = joined["minute"] - joined["minute_exposed"]
    told = joined[(behind > 0) & (behind <= within)].groupby("customer")["value"].agg(["size", "sum"])
    each = told.reindex(over["customer"], fill_value=0)
    each["held_out"] = over["held_out"].to_numpy(bool)
    reached, held_out = each[~each["held_out"]], each[each["held_out"]]
    groups = _group(reached), _group(held_out)
    return Results(
        as_of, *groups, len(exposed) - len(over), len(acts), _converted(acts, rows, within),
        rate_difference(*groups), value_difference(reached["sum"], held_out["sum"]),
    )  # fmt: skip


def rate_difference(one: Group, other: Group) -> Interval | None:
    """Return the difference of two rates by Newcombe's hybrid score (Statistics in Medicine 17, 1998, 873 to
    890, method 10).

    >>> found = rate_difference(Group(70, 56, 0, 0), Group(80, 48, 0, 0))  # his example (a): 0.0524 to 0.3339
    >>> round(found.low, 4), round(found.high, 4)
    (0.0524, 0.3339)
    """
    if not one.customers or not other.customers:
        return None
    (p, low, high), (q, lowest, highest) = _score(one), _score(other)
    return Interval(
        p - q, p - q - math.hypot(p - low, highest - q), p - q + math.hypot(high - p, q - lowest)
    )


def value_difference(one: pd.Series, other: pd.Series) -> Interval | None:
    """Return the difference of two means by Welch's t; None where a side has fewer than two customers, or
    neither varies."""
    if min(len(one), len(other)) < 2 or one.nunique() == other.nunique() == 1:
        return None
    found = ttest_ind(one, other, equal_var=False).confidence_interval(CONFIDENCE)
    return Interval(float(one.mean() - other.mean()), float(found.low), float(found.high))


def _score(group: Group) -> tuple[float, float, float]:
    """Return a rate and Wilson's interval of it."""
    found = binomtest(group.converted, group.customers).proportion_ci(CONFIDENCE, method="wilson")
    return group.converted / group.customers, float(found.low), float(found.high)


def _group(each: pd.DataFrame) -> Group:
    return Group(len(each), int((each["size"] > 0).sum()), int(each["size"].sum()), int(each["sum"].sum()))


def _converted(acts: pd.DataFrame, rows: pd.DataFrame, within: int) -> int:
    """Return of how many acts a row counts: each row counts for the last act before it, if for any."""
    numbered = acts.sort_values("minute", kind="stable").reset_index(drop=True)
    numbered["act"] = numbered.index
    followed = pd.merge_asof(
        rows.sort_values("minute", kind="stable"), numbered, on="minute", by="customer", tolerance=within,
        allow_exact_matches=False,
    )  # fmt: skip
    return int(followed["act"].nunique())
