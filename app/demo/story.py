"""The one customer whom the demo follows, and what happens to her, minute by minute.

She takes no part in what is drawn, so that the story is the same in every shop.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.demo.lives import Change, yuan
from app.demo.people import DAY, Person
from app.moments import write_moment

HER = Person(
    number=9001, city="上海", level="金卡", favourite="手机", eagerness=0.0, joined=0,
    born="1991-06-18", consents=True,
)  # fmt: skip
JOINED_BEFORE = 700 * DAY
FIRST_ORDER, SECOND_ORDER = 212 * DAY, 43 * DAY  # before the start
FIRST_FEN, SECOND_FEN = 46_800, 38_500
BIG_ORDER_FEN = 468_000  # with the two before: 5,533.00 yuan, more than the 5,000 of 高价值客户
BROWSES, ORDERS, CANCELS, ORDERS_AGAIN, SHIPPED, ASKS = 4, 9, 16, 245, 280, 320  # minutes after the start
THANKED = 10  # minutes for which a third order must stand: `for` of third_order


@dataclass(frozen=True)
class Beat:
    """One moment of the story. ``words``: the line told, a key of `app.demo.words`."""

    minute: int
    words: str
    changes: list[Change]


def past(start: int, zone: str) -> list[Change]:
    """Return her rows before the live time begins: she joined, agreed to messages, and bought twice."""
    joined = start - JOINED_BEFORE
    member = {"member_id": HER.member, "phone": HER.phone, "city": HER.city, "level": HER.level,
              "birthday": HER.born, "joined_at": write_moment(joined, zone)[:10],
              "language": HER.language}  # fmt: skip
    consent = {"member_id": HER.member, "channel": "sms", "purpose": "marketing", "granted": True,
               "changed_at": _time(joined, zone)}  # fmt: skip
    return [
        Change(joined, "members", "insert", member),
        Change(joined, "consent", "upsert", consent),
        _order("S000001", start - FIRST_ORDER, FIRST_FEN, "done", zone),
        _order("S000002", start - SECOND_ORDER, SECOND_FEN, "done", zone),
    ]


def beats(start: int, zone: str) -> list[Beat]:
    """Return the story in order."""
    order, again = start + ORDERS, start + ORDERS_AGAIN
    big = _order("S000003", order, BIG_ORDER_FEN, "paid", zone, "insert")
    second = _order("S000004", again, BIG_ORDER_FEN, "paid", zone, "insert")
    sent = Change(start + SHIPPED, "orders", "update", second.row | {"status": "shipped"})
    back = Change(start + CANCELS, "orders", "update", big.row | {"status": "cancelled"})
    return [
        Beat(start + 1, "story_before", []),
        Beat(start + BROWSES + 2, "story_browses", list(_views(start + BROWSES, zone))),
        Beat(order, "story_orders", [big]),
        Beat(start + CANCELS, "story_cancels", [back]),
        Beat(again, "story_again", [second]),
        Beat(again + THANKED, "story_thanked", []),
        Beat(start + SHIPPED, "story_shipped", [sent, _parcel("S000001", start + SHIPPED, zone)]),
        Beat(start + ASKS, "story_asks", [_ticket("S000001", start + ASKS, zone)]),
    ]


def _views(minute: int, zone: str) -> Iterator[Change]:
    for at in range(3):
        row = {"view_id": f"S{at:06d}", "member_id": HER.member, "device": HER.device,
               "category": HER.favourite, "viewed_at": _time(minute + at, zone), "product": "手机-07",
               "seconds": 40, "fresh": False}  # fmt: skip
        yield Change(minute + at, "views", "insert", row)


def _order(key: str, minute: int, fen: int, status: str, zone: str, operation: str = "upsert") -> Change:
    row = {"order_id": key, "member_id": HER.member, "phone": HER.phone, "created_at": _time(minute, zone),
           "amount": yuan(fen), "status": status, "category": HER.favourite}  # fmt: skip
    return Change(minute, "orders", operation, row)


def _parcel(key: str, minute: int, zone: str) -> Change:
    row = {"parcel_id": key, "order_id": "S000004", "shipped_at": _time(minute, zone), "carrier": "SF",
           "status": "shipped"}  # fmt: skip
    return Change(minute, "parcels", "insert", row)


def _ticket(key: str, minute: int, zone: str) -> Change:
    row = {"ticket_id": key, "member_id": HER.member, "phone": HER.phone, "opened_at": _time(minute, zone),
           "topic": "delivery", "score": None, "status": "open"}  # fmt: skip
    return Change(minute, "tickets", "insert", row)


def _time(minute: int, zone: str) -> str:
    return f"{write_moment(minute, zone)}:00"
