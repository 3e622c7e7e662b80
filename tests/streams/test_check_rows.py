"""The contract of a source: typed rows, keys, and rows that are refused."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from streams.contract.check import Checked, check_rows
from streams.contract.columns import check_source, file_columns
from streams.decode.chunk import TEXT
from streams.errors import InputError
from tests.streams.small_shop import ORDERS, PARCELS, TAGS, source

UTC = ZoneInfo("UTC")
AT = "2026-03-01 10:00"


def check(declared: dict[str, Any], rows: list[dict[str, str | None]], **others: dict[str, Any]) -> Checked:
    what = source("orders", declared)
    sources = {"orders": what, **{name: source(name, other) for name, other in others.items()}}
    names = list(dict.fromkeys([*file_columns(what), *(name for row in rows for name in row)]))
    columns = [pa.array([row.get(name) for row in rows], TEXT) for name in names]
    return check_rows(what, sources, pa.Table.from_arrays(columns, names=names), UTC)


def hexes(checked: Checked) -> list[str]:
    keys = np.column_stack([checked.changes.key_high, checked.changes.key_low]).astype(">i8")
    return [row.tobytes().hex() for row in keys]


def order(**more: str | None) -> dict[str, str | None]:
    return {"id": "A1", "member": "1042", "phone": None, "at": AT, "amount": "1.50", "status": "paid", **more}


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (order(at="soon"), "at: 'soon' is no time"),
        (order(at=None), "at: the event time is missing"),
        (order(at="1969-12-31 23:59:59"), "lies outside 1970 to 2199"),
        (order(at="2200-01-01"), "lies outside 1970 to 2199"),
        (order(amount="1,50"), "amount: '1,50' is no number"),
        (order(amount="100000000000.01"), "beyond the limit of 10\\^13"),
        (order(id=None), "id: the key is missing"),
        (order(member=None), "the row names no customer"),
    ],
)
def test_a_bad_row_is_left_out_with_its_reason_and_the_others_stay(
    row: dict[str, str | None], problem: str
) -> None:
    """M1, W6: bad rows are faults, not errors."""
    checked = check(ORDERS, [order(id="A0"), row, order(id="A2")])
    ((at, fault),) = checked.faults
    assert at == 1
    assert fault.hint
    with pytest.raises(Exception, match=problem):
        raise fault
    assert checked.rows.tolist() == [0, 2]


def test_required_limits_and_allowed_are_part_of_the_contract() -> None:
    columns = {"amount": {"type": "decimal", "scale": 2, "required": True, "minimum": 0},
               "status": {"type": "text", "allowed": ["paid", "cancelled"]}}  # fmt: skip
    rows = [order(amount=None), order(amount="-1"), order(status="lost"), order(status=None), order()]
    checked = check({**ORDERS, "columns": columns}, rows)
    assert [row for row, _ in checked.faults] == [0, 1, 2]
    assert checked.changes.columns.to_pylist() == [
        {"amount": 150, "status": None}, {"amount": 150, "status": "paid"},
    ]  # fmt: skip


def test_a_product_is_exact_and_null_if_a_factor_is() -> None:
    """M1: quantity x price, in decimals first."""
    columns = {"total": {"type": "decimal", "scale": 3, "product": ["quantity", "price"]}}
    rows = [order(quantity="6", price="2.555"), order(quantity="-3", price="0.1"),
            order(quantity="2", price=None), order(quantity="6", price="2.555"),
            order(quantity="1", price="0.0001"), order(quantity="x", price="1")]  # fmt: skip
    checked = check({**ORDERS, "columns": columns}, rows)
    assert checked.changes.columns["total"].to_pylist() == [15330, -300, None, 15330]
    assert [(row, fault.problem) for row, fault in checked.faults] == [
        (4, "total: 0.0001 has more than 3 decimals"), (5, "quantity: 'x' is no number"),
    ]  # fmt: skip


def test_the_nth_equal_line_is_its_own_row() -> None:
    """W4: the keys of the example, n = 1 and n = 2."""
    declared = {**ORDERS, "key": ["invoice", "stock"], "occurrence": True}
    rows = [order(invoice="536365", stock="85123A"), order(invoice="x", stock="y"),
            order(invoice="536365", stock="85123A")]  # fmt: skip
    keys = hexes(check(declared, rows))
    assert keys[0] == "40e28b0c362041ec730bd98a7a0956ce"
    assert keys[2] == "0e8e470df9cf10f70e78649ddfd4abbc"


def test_a_whole_number_key_is_its_value_and_any_other_is_hashed() -> None:
    """W1: high = -2^63, low = the value, so that keys order by value."""
    numbered = {**ORDERS, "columns": {**ORDERS["columns"], "number": {"type": "int", "from": "id"}}}
    checked = check(
        numbered, [order(id="7"), order(id="-7.0"), order(id="9223372036854775807"), order(id="x")]
    )
    assert checked.changes.key_high.tolist() == [-(2**63)] * 2
    assert checked.changes.key_low.tolist() == [7, -7]
    assert [row for row, _ in checked.faults] == [2, 3]  # beyond the limit of values; no number
    by_text = check(ORDERS, [order(id="7"), order(id="07")])
    assert len(set(hexes(by_text))) == 2


def test_rows_without_a_customer_may_be_left_out_on_purpose() -> None:
    checked = check({**ORDERS, "skip_without_customer": True}, [order(member=None), order()])
    assert (len(checked.changes), checked.without_customer, checked.faults) == (1, 1, [])


def test_a_parents_key_is_read_as_its_own_source_reads_it() -> None:
    """W8: '7.0' names the order 7 where orders have whole-number keys."""
    numbered = {**ORDERS, "columns": {"number": {"type": "int", "from": "id"}}}
    row: dict[str, str | None] = {"parcel": "P1", "order": "7.0", "at": AT, "carrier": None}
    declared = {**PARCELS, "via": {"source": "sales", "column": "order"}}
    changes = check(declared, [row, {**row, "order": "x"}], sales=numbered).changes
    assert (changes.parent_high.tolist(), changes.parent_low.tolist()) == ([-(2**63)], [7])
    assert changes.parent.to_pylist() == ["sales:7.0"]


def test_a_reference_is_kept_as_the_file_has_it() -> None:
    """I1: '17850.0' is not made 17850."""
    assert check(ORDERS, [order(member="17850.0")]).changes.references[0].to_pylist() == ["member:17850.0"]


@pytest.mark.parametrize(
    "declared",
    [
        {**ORDERS, "via": {"source": "x", "column": "y"}},
        {**PARCELS, "via": {"source": "nobody", "column": "y"}},
        {**TAGS, "references": [], "via": {"source": "orders", "column": "y"}},
    ],
)
def test_a_source_must_say_in_one_way_who_the_customer_is(declared: dict[str, Any]) -> None:
    what = source("parcels", declared)
    with pytest.raises(InputError, match=r"sources/parcels\.yaml"):
        check_source(what, {"parcels": what, "orders": source("orders", ORDERS)})
