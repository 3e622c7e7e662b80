"""Pages of ``tintype coupons``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.markup import escape
from rich.table import Table

from app.moments import write_moment
from app.output import page
from app.pages.tables import folding_table
from sinks.coupons.codes import Code
from sinks.coupons.counts import OddRedemption, Standing
from sinks.coupons.pool import Pool


def pool_table(rows: Sequence[Standing], pools: Mapping[str, Pool]) -> Table:
    """Return a table of pools."""
    table = folding_table("pool", "title", "left", "loaded", "claimed", "sent", "redeemed", "expired", "odd")
    for one in rows:
        pool = pools[one.pool]
        style = "red" if not one.left else "yellow" if one.left < pool.warn_below else ""
        left = f"[{style}]{one.left:,}[/]" if style else f"{one.left:,}"
        counts = (one.loaded, one.claimed, one.sent, one.redeemed, one.expired, sum(one.odd.values()))
        table.add_row(one.pool, escape(pool.title), left, *(f"{count:,}" for count in counts))
    return table


def show_pool(
    one: Standing, pool: Pool, triggers: Sequence[str], odd: Sequence[OddRedemption], zone: str
) -> None:
    """Print a pool: its counts and terms, what says its codes, and what is odd about redemptions."""
    page.print(pool_table([one], {one.pool: pool}))
    terms = [pool.value, f"expires {pool.expires}" if pool.expires else "never expires"]
    if pool.per_customer is not None:
        terms.append(f"{pool.per_customer} for a customer at most")
    said = f"said by {', '.join(triggers)}" if triggers else "no trigger says a code of it"
    page.print("; ".join([*filter(None, terms), said]), markup=False)
    if odd:
        table = folding_table("redeemed", "code", "what is odd", "customer")
        for each in odd:
            table.add_row(_time(each.at, zone), each.code, each.odd, each.customer or "")
        page.print(table)


def code_table(found: Sequence[Code], zone: str) -> Table:
    """Return a table of what became of a code in each pool that has it."""
    table = folding_table(
        "pool", "loaded", "claimed", "decision", "delivery", "customer", "good until", "redeemed", "odd"
    )
    for one in found:
        table.add_row(
            one.pool, _time(one.loaded, zone), _time(one.claimed, zone), one.decision or "", one.state or "",
            one.customer or "", "" if one.expires is None else write_moment(one.expires, zone),
            _time(one.redeemed, zone), ", ".join(one.odd),
        )  # fmt: skip
    return table


def _time(seconds: float | None, zone: str) -> str:
    return "" if seconds is None else write_moment(int(seconds // 60), zone)
