"""Rows that are dated by their parent: refunds by their order (semantics R1, W8)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streams.errors import InputError
from streams.identity.parked import count_parked
from streams.live import append_changes
from streams.log.log import Log
from streams.report import ImportReport
from streams.taking import Row, take_rows
from tests.streams.small_shop import ORDERS, new_log, rows, shop, take

REFUNDS: dict[str, Any] = {
    "key": ["refund"], "via": {"source": "orders", "column": "order"}, "event_time": {"parent": True},
    "columns": {"amount": {"type": "decimal", "scale": 2}},
}  # fmt: skip
PARTS: dict[str, Any] = {
    "key": ["part"], "via": {"source": "refunds", "column": "refund"}, "event_time": {"parent": True},
}  # fmt: skip
SHOP = shop(orders=ORDERS, refunds=REFUNDS, parts=PARTS)
T = 29539320  # 2026-03-01 10:00
TEN, NINE = "2026-03-01 10:00", "2026-03-01 09:00"
UPSERT, INSERT, UPDATE, DELETE, READ, OUT = range(6)


def order(number: str, at: str = TEN, member: int = 1) -> dict[str, Any]:
    return {"id": number, "member": member, "at": at, "amount": 1}


def refund(number: str, of: str, amount: int = 5) -> dict[str, Any]:
    return {"refund": number, "order": of, "amount": amount}


def append(log: Log, source: str, row: dict[str, Any], operation: str = "upsert") -> None:
    assert not append_changes(log, SHOP, source, [row], T + 60, operations=[operation]).rejected


def told(log: Log, name: str) -> list[tuple[int, int]]:
    """Return (op, minute after 10:00) of each record of a source."""
    frame = rows(log, SHOP, name)
    return list(zip(frame["op"].tolist(), (frame["event_us"] // 60_000_000 - T).tolist(), strict=True))


def test_a_refund_has_the_event_time_of_its_order_whichever_comes_first(tmp_path: Path) -> None:
    """R1: of an order that stands, that comes with it, and that comes later."""
    with new_log(tmp_path, 4) as log:
        append(log, "orders", order("A1", NINE))
        append(log, "refunds", refund("R1", "A1"))
        append(log, "refunds", refund("R2", "A2"))
        assert count_parked(log) == {"refunds": 1}
        append(log, "orders", order("A2", TEN, 2))
        take(log, SHOP, tmp_path, refunds="refund,order,amount\nR3,A3,5\nR4,A1,5",
             orders="id,member,phone,at,amount,status\nA3,3,,2026-03-01 09:30,1,paid")  # fmt: skip
        frame = rows(log, SHOP, "refunds").sort_values("offset")
        assert sorted(told(log, "refunds")) == [(UPSERT, -60), (UPSERT, -60), (UPSERT, -30), (UPSERT, 0)]
    assert frame["key_high"].nunique() == 4


def test_refunds_follow_when_the_time_of_their_order_changes(tmp_path: Path) -> None:
    """R1, W7: written as read again, since moving is no event; an order that keeps its time drags nobody."""
    with new_log(tmp_path) as log:
        append(log, "orders", order("A1"))
        append(log, "orders", order("A2"))
        append(log, "refunds", refund("R1", "A1"), "insert")
        append(log, "refunds", refund("R2", "A2"), "insert")
        append(log, "orders", {**order("A1"), "amount": 2}, "update")
        report = append_changes(log, SHOP, "orders", [order("A1", NINE)], T + 60, operations=["update"])
        assert (report.updated, report.dragged) == (1, 1)
        again = append_changes(log, SHOP, "refunds", [refund("R1", "A1")], T + 60)
        assert (again.unchanged, again.records) == (1, 0)
        assert told(log, "refunds") == [(INSERT, 0), (INSERT, 0), (READ, -60)]
        append(log, "refunds", refund("R1", "A2"))
        assert told(log, "refunds")[3:] == [(UPDATE, 0)]


def test_a_refund_that_changes_together_with_its_orders_time_is_an_update(tmp_path: Path) -> None:
    """D1: its own change is an event, and it is written once."""
    texts = {
        "orders": "id,member,phone,at,amount,status\nA1,1,,2026-03-01 10:00,1,paid",
        "refunds": "refund,order,amount\nR1,A1,5\nR2,A1,5",
    }
    with new_log(tmp_path) as log:
        take(log, SHOP, tmp_path, **texts)
        take(log, SHOP, tmp_path, orders=texts["orders"].replace("10:00", "09:00"),
             refunds=texts["refunds"].replace("R1,A1,5", "R1,A1,6"))  # fmt: skip
        frame = rows(log, SHOP, "refunds")
        assert sorted(told(log, "refunds")[2:]) == [(UPDATE, -60), (READ, -60)]
    assert frame.loc[frame["op"] == UPDATE, "amount"].tolist() == [600]


def test_an_order_takes_its_refunds_along_to_another_customer_and_time(tmp_path: Path) -> None:
    """W7."""
    with new_log(tmp_path, 4) as log:
        append(log, "orders", order("A1"))
        append(log, "refunds", refund("R1", "A1"))
        append(log, "orders", order("A1", NINE, member=2))
        frame = rows(log, SHOP, "refunds").sort_values(["offset", "op"], ascending=[True, False])
        orders = rows(log, SHOP, "orders")
    assert frame["op"].tolist() == [UPSERT, OUT, READ]
    assert (frame["event_us"] // 60_000_000 - T).tolist()[0::2] == [0, -60]
    assert frame["customer"].iloc[2] != frame["customer"].iloc[0]
    assert set(frame["customer"]) == set(orders["customer"])


def test_a_refund_of_a_deleted_order_has_the_last_time_of_that_order(tmp_path: Path) -> None:
    """R1, W8: come before the delete or after it; a new order of that number dates both anew."""
    with new_log(tmp_path, 4) as log:
        append(log, "orders", order("A1"))
        append(log, "refunds", refund("R1", "A1"))
        append(log, "orders", order("A1", NINE))
        append(log, "orders", {"id": "A1"}, "delete")
        append(log, "refunds", refund("R2", "A1"))
        assert told(log, "orders")[-1] == (DELETE, -60)
        assert told(log, "refunds") == [(UPSERT, 0), (READ, -60), (UPSERT, -60)]
        append(log, "orders", order("A1", "2026-03-01 09:50"), "insert")
        assert told(log, "refunds")[3:] == [(READ, -10), (READ, -10)]


def test_a_refund_that_is_dated_anew_stands_behind_its_own_position(tmp_path: Path) -> None:
    """W2: it stands where it stood, but later; an older change of it is still older."""

    def at(source: str, position: int, **values: str) -> Row:
        return Row(source, "update", values, 0, position, 0)

    with new_log(tmp_path) as log:
        for row in (
            at("orders", 100, id="A1", member="1", at=TEN, amount="1"),
            at("refunds", 500, refund="R1", order="A1", amount="5"),
            at("orders", 600, id="A1", member="1", at=NINE, amount="1"),
            at("refunds", 500, refund="R1", order="A1", amount="5"),
            at("refunds", 700, refund="R1", order="A1", amount="6"),
        ):
            with log.transaction():
                assert take_rows(log, SHOP, [row], T + 60, "live", ImportReport()) == {}
        frame = rows(log, SHOP, "refunds")
        assert told(log, "refunds") == [(UPDATE, 0), (READ, -60), (UPDATE, -60)]
    places = list(zip(frame["epoch"], frame["position"], frame["offset"], strict=True))
    assert places == sorted(set(places))
    assert frame["position"].tolist() == [500, 500, 700]


def test_generations_are_dated_together(tmp_path: Path) -> None:
    """R1, W8: parts of a refund, by its order; what waits with its parent keeps the date it had."""
    with new_log(tmp_path) as log:
        append(log, "parts", {"part": "P1", "refund": "R1"})
        append(log, "refunds", refund("R1", "A1"))
        append(log, "orders", order("A1"))
        append(log, "orders", order("A1", NINE))
        assert told(log, "parts") == [(UPSERT, 0), (READ, -60)]
        append(log, "refunds", refund("R1", "A7"))  # leaves, and is parked again
        append(log, "parts", {"part": "P2", "refund": "R1"})
        assert told(log, "parts")[2:] == [(UPSERT, -60)]
        append(log, "refunds", {"refund": "R1"}, "delete")
        append(log, "parts", {"part": "P3", "refund": "R1"})
        assert told(log, "parts")[3:] == [(UPSERT, -60)]
        append(log, "orders", order("A7", "2026-03-01 09:10", 7))
        append(log, "refunds", refund("R1", "A7"))
        assert [at for op, at in told(log, "parts")[4:] if op == READ] == [-50, -50, -50]


@pytest.mark.parametrize(
    ("declared", "problem"),
    [
        ({**REFUNDS, "event_time": {}}, "exactly one of 'column' and 'parent: true'"),
        ({**REFUNDS, "event_time": {"parent": True, "column": "at"}}, "exactly one of"),
        ({**ORDERS, "event_time": {"parent": True}}, "rows without 'via' have no parent"),
        ({**REFUNDS, "event_time": {"parent": True, "zone": "UTC"}}, "'format', 'zone' and 'wire'"),
    ],
)
def test_what_dates_a_row_must_be_clear(tmp_path: Path, declared: dict[str, Any], problem: str) -> None:
    wrong = shop(orders=ORDERS, wrong=declared)
    with new_log(tmp_path) as log, pytest.raises(InputError, match=problem):
        append_changes(log, wrong, "wrong", [], T)
