"""A shop with as many metrics and tags as asked for, so that only their number differs."""

from __future__ import annotations

from itertools import count, product

from app.shop import Shop
from bench.shops import KEPT, small_shop
from tags.tag import Tag

# The first ones keep the rows of every source as long as they are kept in the others.
FIRST = {
    "orders_365d": 'count(orders, "365d")',
    "paid_365d": f'sum(orders.amount, "365d", {KEPT})',
    "refunds_365d": 'count(refunds, "365d")',
    "tickets_90d": 'count(tickets, "90d")',
    "views_90d": 'count(views, "90d")',
}
DAYS = (30, 7, 60, 14, 80, 3, 45, 1, 75, 21, 5)
KINDS = (
    'count(orders, "{days}d", {kept})', 'sum(orders.amount, "{days}d")', 'avg(orders.amount, "{days}d")',
    'max(orders.amount, "{days}d")', 'last(orders.category, "{days}d")', 'sum(refunds.amount, "{days}d")',
    'distinct(orders.category, "{days}d")', 'min(tickets.score, "{days}d")', 'count(views, "{days}d")',
    'sum(views.seconds, "{days}d")', 'first(views.category, "{days}d")', 'max(refunds.amount, "{days}d")',
)  # fmt: skip
RULES = (
    "orders_365d >= {size}",
    "paid_365d >= {size} * 10000",
    "views_90d >= {size} && tickets_90d == 0",
    "refunds_365d * {size} > orders_365d",
)


def grown_shop(metrics: int, tags: int) -> Shop:
    """Return the measured shop's sources, RFM model and an event trigger, with ``metrics`` metrics declared
    (5 or more) and ``tags`` tags. Metrics come in a fixed mix of functions, sources and windows; a tag reads
    one or two of the first five.
    """
    declared = dict(FIRST)
    for days, kind in product(DAYS, KINDS):
        if len(declared) >= metrics:
            break
        declared[f"m{len(declared)}"] = kind.format(days=days, kept=KEPT)
    assert len(declared) == metrics, "more kinds or days are needed"
    rules = (RULES[at % len(RULES)].format(size=1 + at // len(RULES)) for at in count())
    found = {f"t{at:03}": Tag(name=f"t{at:03}", rule=next(rules)) for at in range(tags)}
    shop = small_shop()
    trigger = shop.triggers["thanks"].model_copy(update={"condition": "orders_365d == 3"})
    settings = shop.settings.model_copy(update={"groups": {}})
    parts = {"metrics": declared, "tags": found, "triggers": {"thanks": trigger}, "settings": settings}
    return shop.model_copy(update=parts)
