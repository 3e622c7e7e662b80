"""The shop that is measured: findings' workload as declarations (20 metrics and 20 tags, or 60 and 100)."""

from __future__ import annotations

from app.shop import Settings, Shop
from rfm.model import RfmModel, Segment
from streams.contract.source import Column, EventTime, Reference, Source
from tags.tag import Tag
from triggers.trigger import Absence, Action, Event, Guards, Schedule, Trigger, When

MEMBER = [Reference(type="member", column="member_id")]
AT = EventTime(column="at")
KEPT = 'status != "cancelled"'

# twenty metrics, with the two that RFM and the one that the absence trigger add to them
METRICS = {
    "orders_30d": f'count(orders, "30d", {KEPT})',
    "orders_365d": f'count(orders, "365d", {KEPT})',
    "paid_30d": f'sum(orders.amount, "30d", {KEPT})',
    "paid_365d": f'sum(orders.amount, "365d", {KEPT})',
    "average_order": f'avg(orders.amount, "365d", {KEPT})',
    "largest_order": f'max(orders.amount, "365d", {KEPT})',
    "first_category": f'first(orders.category, "365d", {KEPT})',
    "last_category": f'last(orders.category, "365d", {KEPT})',
    "categories_90d": f'distinct(orders.category, "90d", {KEPT})',
    "cancelled_30d": 'count(orders, "30d", status == "cancelled")',
    "orders_before": 'count(orders, "30d offset 30d")',
    "refunded_365d": 'sum(refunds.amount, "365d")',
    "views_10m": 'count(views, "10m")',
    "views_90d": 'count(views, "90d")',
    "seconds_1d": 'sum(views.seconds, "1d")',
    "seen_7d": 'distinct(views.category, "7d")',
    "worst_90d": 'min(tickets.score, "90d")',
}
RULES = {
    "a01": "paid_365d >= 200000",
    "a02": "orders_30d >= 2",
    "a03": "orders_365d > 0",
    "a04": "average_order >= 9000 && orders_365d >= 3",
    "a05": "largest_order >= 15000",
    "a06": "categories_90d >= 4",
    "a07": "cancelled_30d >= 2",
    "a08": "orders_30d < orders_before",
    "a09": "refunded_365d * 4 > paid_365d",
    "a10": "views_10m >= 3",
    "a11": "views_90d >= 20 && orders_30d == 0",
    "a12": "seconds_1d >= 600",
    "a13": "seen_7d >= 3",
    "a14": "worst_90d <= 2",
    "a15": 'last_category == "c03" && first_category != "c03"',
    "a16": "rfm.r >= 4 && rfm.f >= 4",
    "a17": 'rfm.segment == "champions"',
    "a18": '"a01" in tags && "a14" in tags',
    "a19": '"a10" in tags && !("a03" in tags)',
    "a20": "paid_30d >= 30000 ? orders_30d >= 1 : views_10m >= 5",
}
GROUP = ["a01", "a02", "a03"]


def small_shop() -> Shop:
    """Return the shop with 20 metrics, 20 tags and 5 triggers."""
    tags = {name: Tag(name=name, rule=rule) for name, rule in RULES.items()}
    return _shop(METRICS, tags)


def large_shop() -> Shop:
    """Return the shop with 60 metrics and 100 tags."""
    metrics = dict(METRICS)
    for days in (14, 45, 60, 120, 180):
        window = f'"{days}d"'
        metrics |= {
            f"orders_{days}": f"count(orders, {window}, {KEPT})",
            f"paid_{days}": f"sum(orders.amount, {window}, {KEPT})",
            f"largest_{days}": f"max(orders.amount, {window}, {KEPT})",
            f"average_{days}": f"avg(orders.amount, {window}, {KEPT})",
            f"refunds_{days}": f"count(refunds, {window})",
            f"refunded_{days}": f"sum(refunds.amount, {window})",
            f"tickets_{days}": f"count(tickets, {window})",
            f"score_{days}": f"min(tickets.score, {window})",
        }
    tags = {name: Tag(name=name, rule=rule) for name, rule in RULES.items()}
    for k in range(80):
        days = (14, 45, 60, 120, 180)[k % 5]
        rule = (
            f"orders_{days} >= {1 + k // 10} && paid_{days} >= {1000 * k}",
            f"largest_{days} >= {5000 + 100 * k}",
            f"refunds_{days} > 0 && refunded_{days} * 3 > paid_{days}",
            f"tickets_{days} >= 1 && score_{days} <= 3",
        )[k // 5 % 4]
        tags[f"b{k:02}"] = Tag(name=f"b{k:02}", rule=rule)
    return _shop(metrics, tags)


def _shop(metrics: dict[str, str], tags: dict[str, Tag]) -> Shop:
    model = RfmModel(
        window="365d",
        frequency=f"count(orders, {KEPT})",
        monetary=f"sum(orders.amount, {KEPT}) - sum(refunds.amount)",
        segments=[
            Segment(name="champions", r=(4, 5), f=(4, 5), m=(4, 5)),
            Segment(name="loyal", r=(3, 5), f=(3, 5), m=(1, 5)),
            Segment(name="new", r=(4, 5), f=(1, 2), m=(1, 5)),
            Segment(name="asleep", r=(1, 2), f=(1, 2), m=(1, 5)),
        ],
    )
    for name in GROUP:
        tags[name] = tags[name].model_copy(update={"group": "value"})
    tags["a10"] = tags["a10"].model_copy(update={"sticky": "2h"})
    settings = Settings(name="bench", zone="Asia/Shanghai", groups={"value": GROUP})
    return Shop(
        settings=settings, sources=_sources(), metrics=metrics, rfm=[model], tags=tags, triggers=_triggers()
    )


def without(shop: Shop, part: str) -> Shop:
    """Return a shop without its ``triggers``, ``tags`` (and triggers) or ``rfm`` (and what reads it)."""
    tags = {} if part == "tags" else shop.tags
    if part == "rfm":
        tags = {name: tag for name, tag in tags.items() if "rfm." not in (tag.rule or "")}
    groups = shop.settings.groups if tags else {}
    settings = shop.settings.model_copy(update={"groups": groups})
    parts = {"tags": tags, "settings": settings, "rfm": [] if part == "rfm" else shop.rfm}
    if part in ("triggers", "tags"):
        parts["triggers"] = {}
    return shop.model_copy(update=parts)


def _sources() -> dict[str, Source]:
    amount, text = Column(type="decimal", scale=2), Column(type="text")
    columns = {
        "orders": {"amount": amount, "status": text, "category": text},
        "refunds": {"amount": amount},
        "tickets": {"score": Column(type="int")},
        "views": {"category": text, "seconds": Column(type="int")},
    }
    return {
        name: Source(name=name, key=["id"], references=MEMBER, event_time=AT, columns=held)
        for name, held in columns.items()
    }


def _triggers() -> dict[str, Trigger]:
    whens = {
        "browsed": When(
            absence=Absence(after=Event(source="refunds"), of=Event(source="orders"), within="2h")
        ),
        "morning": When(schedule=Schedule(at="09:30")),
        "thanks": When(event=Event(source="orders")),
        "vip": When(enter="a01"),
        "lost": When(leave="a02"),
    }
    conditions = {"thanks": "orders_365d == 3", "morning": "views_10m > 0", "vip": "views_90d > 5"}
    act, guards = Action(channel="console"), Guards(cool_down="30d")
    return {
        name: Trigger.model_validate(
            {"name": name, "when": when, "if": conditions.get(name), "guards": guards, "action": act}
        )
        for name, when in whens.items()
    }
