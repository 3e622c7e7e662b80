"""The page of ``tintype results``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from app.moments import write_moment
from app.output import page
from app.pages.amounts import write_value
from app.shop import Shop
from rules.types import Type
from triggers.trigger import Goal

if TYPE_CHECKING:
    from triggers.results import Group, Interval, Results


def show_results(shop: Shop, trigger: str, goal: Goal, found: Results) -> None:
    """Print what a trigger has brought: both groups, the difference with its interval, and what it means."""
    counted = f"{goal.source} where {goal.where}" if goal.where else goal.source
    told = "nothing was copied yet" if found.as_of < 0 else write_moment(found.as_of, shop.settings.zone)
    page.print(
        f"{trigger}: {counted}, within {goal.within} behind its first decision for a customer; as of {told}",
        markup=False, soft_wrap=True,
    )  # fmt: skip
    kind = _kind(shop, goal)
    names = ["", "customers", "converted", "rate", *(("value", "for each customer") if kind else ())]
    table = Table(*names, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, group in (("not held out", found.reached), ("held out", found.held_out)):
        table.add_row(name, *_cells(group, kind))
    page.print(table)
    if found.rate is not None:
        worth = f"; for each customer {_worth(found.value, kind)}" if kind and found.value else ""
        page.print(f"difference: rate {_points(found.rate)}{worth}", markup=False, soft_wrap=True)
    page.print(
        f"{found.acts:,} decisions to act, {found.converted:,} of them followed by {goal.source}; windows of "
        f"{found.open:,} customers are not over", markup=False, soft_wrap=True,
    )  # fmt: skip
    page.print(_meaning(found), markup=False, soft_wrap=True)


def _cells(group: Group, kind: Type | None) -> list[str]:
    rate = "–" if group.rate is None else f"{group.rate:.1%}"
    cells = [f"{group.customers:,}", f"{group.converted:,}", rate]
    if kind is not None:
        each = None if group.value_each is None else round(group.value_each)
        cells += [write_value(group.value, kind), write_value(each, kind)]
    return cells


def _points(rate: Interval) -> str:
    """Write a difference of rates, in points of percent."""
    low, high = f"{100 * rate.low:+.1f}", f"{100 * rate.high:+.1f}"
    return f"{100 * rate.difference:+.1f} points (95%: {low} to {high})"


def _worth(value: Interval, kind: Type) -> str:
    told = (value.difference, value.low, value.high)
    difference, low, high = (write_value(round(one), kind) for one in told)
    return f"{difference} (95%: {low} to {high})"


def _meaning(found: Results) -> str:
    if not found.reached.customers and not found.held_out.customers:
        return "nobody's window is over yet"
    if not found.held_out.customers:
        hint = "write guards: {hold_out: 10}"
        return f"nobody of them is held out, so nothing says what would have been without it: {hint}"
    if found.rate is None:
        return "all of them are held out, so there is nothing to compare with"
    if not found.rate.clear:
        return "it is not clear whether it brings anything: zero lies within the interval"
    return "it brings more than nothing" if found.rate.low > 0 else "fewer convert with it than without"


def _kind(shop: Shop, goal: Goal) -> Type | None:
    if goal.value is None:
        return None
    column = shop.sources[goal.source].columns[goal.value]
    return Type("number", column.scale, column.currency)
