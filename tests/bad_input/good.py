"""Good messages of every source, to stand between the bad ones."""

from __future__ import annotations

import json
from typing import Any

from streams.message import Message

MEMBERS = 7


def _order(at: int) -> dict[str, Any]:
    return {"order_id": f"G{at}", "member_id": f"M{at % MEMBERS}", "created_at": f"2026-03-01 {at:02}:00",
            "amount": f"{at * 700}.50", "pieces": at % 5, "status": "paid", "gift": at % 2 == 0}  # fmt: skip


def _sale(at: int) -> dict[str, Any]:
    row = {"id": at, "member": f"M{at % MEMBERS}", "sold_at": "2026-03-01 10:00:00", "amount": f"{at}.25",
           "price": "AeJA", "note": "x"}  # fmt: skip
    block = {"connector": "postgresql", "schema": "public", "table": "sales", "lsn": 1000 + at}
    return {"op": "c", "before": None, "after": row, "source": block}


def _visit(at: int) -> dict[str, Any]:
    row = {"id": str(at), "member": f"M{at % MEMBERS}", "at": "2026-03-01 10:00:00", "cost": "5.00"}
    return {"data": [row], "database": "d", "table": "visits", "type": "INSERT", "isDdl": False, "es": 1}


def _call(at: int) -> dict[str, Any]:
    row = {"id": at, "member": f"M{at % MEMBERS}", "at": "2026-03-01 10:00:00", "seconds": 90 * at}
    return {"database": "d", "table": "calls", "type": "insert", "ts": 1772359200, "data": row}


def _line(at: int) -> dict[str, Any]:
    return {"line_id": at, "member_id": f"M{at % MEMBERS}", "created_at": 1772359200000 + at, "price": "1.10",
            "quantity": at}  # fmt: skip


def _refund(at: int) -> dict[str, Any]:
    return {"refund_id": at, "order_id": f"G{at}", "created_at": "2026-03-01 11:00", "amount": "0.50"}


def _agreed(at: int) -> dict[str, Any]:
    return {"member_id": f"M{at % MEMBERS}", "channel": "sms", "purpose": f"p{at}", "granted": True,
            "until": "2099-12-31 00:00", "at": "2026-03-01 10:00"}  # fmt: skip


def _tagged(at: int) -> dict[str, Any]:
    return {"member_id": f"M{at % MEMBERS}", "tag": "vip" if at % 2 else "talker", "on": at % 3 == 0,
            "at": "2026-03-01 10:00"}  # fmt: skip


_MADE = {
    "orders": _order, "sales": _sale, "visits": _visit, "calls": _call, "lines": _line, "refunds": _refund,
    "agreed": _agreed, "tagged": _tagged,
}  # fmt: skip

GOOD: list[Message] = [
    Message(source, f"good/{source}/{at}", json.dumps(made(at), ensure_ascii=False).encode())
    for at in range(1, 13)
    for source, made in _MADE.items()
]
