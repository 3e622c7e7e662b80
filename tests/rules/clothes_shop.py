"""A small shop's declarations, for the tests of rules."""

from __future__ import annotations

from rfm.model import RfmModel, Segment
from rules.schema import Schema
from streams.contract.source import Column, EventTime, Source


def source(*, kind: str = "rows", **columns: Column) -> Source:
    """Return a source with the columns given."""
    time = EventTime(column="at")
    return Source.model_validate({"key": ["id"], "event_time": time, "columns": columns, "kind": kind})


ORDERS = source(
    id=Column(type="int"),
    amount=Column(type="decimal", scale=2, currency="CNY"),
    items=Column(type="int"),
    status=Column(type="text", allowed=["new", "paid", "cancelled"]),
    city=Column(type="text", attribute="city"),
    gift=Column(type="bool"),
    paid_at=Column(type="time"),
)
REFUNDS = source(
    amount=Column(type="decimal", scale=2, currency="CNY"),
    dollars=Column(type="decimal", scale=2, currency="USD"),
    weight=Column(type="decimal", scale=3),
)
VIEWS = source(page=Column(type="text"), seconds=Column(type="int"))
MEMBERS = source(
    joined=Column(type="date", attribute="joined"),
    vip=Column(type="bool", attribute="vip"),
    level=Column(type="int", attribute="level"),
)
SEGMENTS = [
    Segment(name="Champions", r=(4, 5), f=(4, 5), m=(4, 5)),
    Segment(name="Loyal", r=(3, 5), f=(3, 5), m=(1, 5)),
    Segment(name="Lost", r=(1, 1), f=(1, 5), m=(1, 5)),
    Segment(name="Lost", r=(2, 2), f=(1, 1), m=(1, 5)),
]
RFM = RfmModel(
    window="365d",
    frequency='count(orders, status != "cancelled")',
    monetary='sum(orders.amount, status != "cancelled") - sum(refunds.amount)',
    recency_unit="day",
    segments=SEGMENTS,
)
VALUE = RfmModel(
    name="value",
    window="month",
    frequency="distinct(orders.id, gift)",
    monetary="sum(orders.amount)",
    method="mean",
)
BACK = RfmModel(
    name="back", window="30d offset 30d", frequency="count(orders)", monetary="sum(orders.amount)"
)
SCHEMA = Schema.build(
    {
        "orders": ORDERS, "refunds": REFUNDS, "views": VIEWS, "members": MEMBERS,
        "hand": source(kind="tags", tag=Column(type="text")),
    },
    metrics={
        "vip_spend": 'sum(orders.amount, "365d") - sum(refunds.amount, "365d")',
        "basket": "avg(orders.amount)",
        "broken": "sum(orders.amout)",
    },
    rfm=[RFM, VALUE, BACK],
    tags=["黑名单", "vip", "sleeping"],
)  # fmt: skip
