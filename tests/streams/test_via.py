"""Rows that name their customer through another row: parked, released, dragged along."""

from __future__ import annotations

from pathlib import Path

from app.shop import Shop
from streams.contract.source import Source
from streams.identity.parked import count_parked
from streams.live import append_changes
from tests.called import id_of
from tests.streams.small_shop import new_log, rows, shop, take

SHOP = shop()
ORDERS = "id,member,phone,at,amount,status\n"
PARCELS = "parcel,order,at,carrier\n"
SCANS = "scan,parcel,at,place\n"


def customer(member: int) -> str:
    return id_of(f"member:{member}")


def test_a_row_without_its_parent_is_parked_and_creates_nobody(tmp_path: Path) -> None:
    """W8."""
    with new_log(tmp_path) as log:
        report = take(log, SHOP, tmp_path, parcels=PARCELS + "P5,A9,2026-03-01 10:00,SF")
        assert (report.parked, report.records, report.new) == (1, 0, 0)
        assert count_parked(log) == {"parcels": 1}
        assert log.clock() is None
        again = take(log, SHOP, tmp_path, parcels=PARCELS + "P5,A9,2026-03-01 10:00,SF")
        assert (again.unchanged, again.parked) == (1, 0)


def test_a_parked_row_follows_its_parent_with_its_own_event_time(tmp_path: Path) -> None:
    """W8: the example of P5 and A9."""
    with new_log(tmp_path) as log:
        take(log, SHOP, tmp_path, parcels=PARCELS + "P5,A9,2026-03-01 10:00,SF\nP6,A8,2026-03-01 10:00,")
        report = take(log, SHOP, tmp_path, orders=ORDERS + "A9,1042,,2026-03-01 10:03,1,paid")
        orders, parcels = rows(log, SHOP, "orders"), rows(log, SHOP, "parcels")
        assert count_parked(log) == {"parcels": 1}
    assert report.released == 1
    assert parcels["customer"].tolist() == [customer(1042)]
    assert parcels["step"].iloc[0] == orders["step"].iloc[0] + 1
    assert parcels["event_us"].iloc[0] == orders["event_us"].iloc[0] - 180_000_000
    assert parcels["minute"].iloc[0] == orders["minute"].iloc[0]
    assert parcels["carrier"].tolist() == ["SF"]


def test_a_parked_row_keeps_its_values_where_columns_change_places_or_come_and_go(tmp_path: Path) -> None:
    """What is parked has the names of its columns: somebody may declare them in another order meanwhile."""
    texts = {name: {"type": "text"} for name in ("carrier", "colour", "size")}

    def declared(*names: str) -> Shop:
        parcels = SHOP.sources["parcels"].model_dump(mode="json", by_alias=True, exclude_defaults=True)
        parcels |= {"name": "parcels", "columns": {name: texts[name] for name in names}}
        return SHOP.model_copy(update={"sources": {**SHOP.sources, "parcels": Source(**parcels)}})

    with new_log(tmp_path) as log:
        parked = "parcel,order,at,carrier,colour\nP5,A9,2026-03-01 10:00,SF,red"
        take(log, declared("carrier", "colour"), tmp_path, parcels=parked)
        other = declared("size", "colour", "carrier")
        take(log, other, tmp_path, orders=ORDERS + "A9,1042,,2026-03-01 10:03,1,paid")
        found = rows(log, other, "parcels")
    assert found[["carrier", "colour"]].to_numpy().tolist() == [["SF", "red"]]
    assert found["size"].isna().all()


def test_in_one_import_a_child_dated_before_its_parent_stands_right_behind_it(tmp_path: Path) -> None:
    """W8, W9: and a grandchild behind the child."""
    with new_log(tmp_path) as log:
        report = take(
            log, SHOP, tmp_path,
            scans=SCANS + "S1,P1,2026-03-01 08:00,hub\nS2,P1,2026-03-03 08:00,door",
            parcels=PARCELS + "P1,A1,2026-03-01 09:00,SF",
            orders=ORDERS + "A1,1,,2026-03-02 10:00,1,paid\nA2,2,,2026-03-02 11:00,1,paid",
        )  # fmt: skip
        steps = {name: rows(log, SHOP, name)["step"].tolist() for name in ("orders", "parcels", "scans")}
        assert count_parked(log) == {}
    assert report.new == 5
    first, second = steps["orders"]
    assert steps["parcels"] == [first + 1]
    assert steps["scans"][0] == first + 2
    assert first + 2 < second < steps["scans"][1]


def test_parked_generations_are_released_together(tmp_path: Path) -> None:
    """W8: a scan of a parcel of an order, arriving in the wrong order."""
    with new_log(tmp_path) as log:
        take(log, SHOP, tmp_path, scans=SCANS + "S1,P1,2026-03-01 08:00,hub")
        take(log, SHOP, tmp_path, parcels=PARCELS + "P1,A1,2026-03-01 09:00,SF")
        assert count_parked(log) == {"parcels": 1, "scans": 1}
        report = take(log, SHOP, tmp_path, orders=ORDERS + "A1,1,,2026-03-02 10:00,1,paid")
        assert (report.released, count_parked(log)) == (2, {})
        assert rows(log, SHOP, "scans")["customer"].tolist() == [customer(1)]


def test_a_newer_version_of_a_parked_row_takes_its_place(tmp_path: Path) -> None:
    """W2, W8."""
    with new_log(tmp_path) as log:
        take(log, SHOP, tmp_path, parcels=PARCELS + "P1,A1,2026-03-01 10:00,SF")
        report = take(log, SHOP, tmp_path, parcels=PARCELS + "P1,A1,2026-03-01 10:00,YTO")
        assert (report.parked, count_parked(log)) == (1, {"parcels": 1})
        take(log, SHOP, tmp_path, orders=ORDERS + "A1,1,,2026-03-02 10:00,1,paid")
        assert rows(log, SHOP, "parcels")["carrier"].tolist() == ["YTO"]


def test_children_move_with_their_parent(tmp_path: Path) -> None:
    """W7: retract at the old customer, apply at the new, with the content the log had."""
    texts = {
        "orders": ORDERS + "A1,1,,2026-03-01 10:00,1,paid\nA2,2,,2026-03-01 10:00,1,paid",
        "parcels": PARCELS + "P1,A1,2026-03-01 11:00,SF\nP2,A2,2026-03-01 11:00,",
        "scans": SCANS + "S1,P1,2026-03-01 12:00,上海",
    }
    with new_log(tmp_path, 4) as log:
        take(log, SHOP, tmp_path, **texts)
        moved = {**texts, "orders": texts["orders"].replace("A1,1", "A1,3")}
        report = take(log, SHOP, tmp_path, **moved)
        parcels = rows(log, SHOP, "parcels").sort_values("offset")
        scans = rows(log, SHOP, "scans").sort_values("offset")
        again = take(log, SHOP, tmp_path, **moved)
    assert (report.moved, report.dragged, report.unchanged) == (1, 2, 4)
    assert parcels["op"].tolist()[2:] == [5, 4]
    assert parcels["customer"].tolist()[2:] == [customer(1), customer(3)]
    assert parcels["carrier"].tolist()[3] == "SF"
    assert scans["customer"].tolist() == [customer(1), customer(1), customer(3)]
    assert scans["place"].tolist()[2] == "上海"
    assert again.records == 0


def test_a_child_that_changes_its_parent_moves_alone(tmp_path: Path) -> None:
    """W7, W8: and to an unknown parent it leaves its customer and is parked."""
    orders = ORDERS + "A1,1,,2026-03-01 10:00,1,paid\nA2,2,,2026-03-01 10:00,1,paid"
    with new_log(tmp_path) as log:
        take(log, SHOP, tmp_path, orders=orders, parcels=PARCELS + "P1,A1,2026-03-01 11:00,SF")
        take(log, SHOP, tmp_path, parcels=PARCELS + "P1,A2,2026-03-01 11:00,SF")
        report = take(log, SHOP, tmp_path, parcels=PARCELS + "P1,A7,2026-03-01 11:00,SF")
        assert (report.parked, count_parked(log)) == (1, {"parcels": 1})
        take(log, SHOP, tmp_path, orders=ORDERS + "A7,7,,2026-03-01 10:00,1,paid")
        frame = rows(log, SHOP, "parcels")
    assert frame["op"].tolist() == [0, 5, 4, 5, 0]
    assert frame["customer"].tolist() == [customer(who) for who in (1, 1, 2, 2, 7)]


def test_children_follow_an_order_that_was_deleted_and_comes_back_as_somebody_elses(tmp_path: Path) -> None:
    """W7, W8: the directory still knows the deleted order's customer."""
    with new_log(tmp_path) as log:
        order = {"id": "A1", "at": "2026-03-01 10:00", "amount": 1}
        for member, operation in ((1, "insert"), (1, "delete"), (2, "insert")):
            append_changes(
                log, SHOP, "orders", [{**order, "member": member}], 29539320, operations=[operation]
            )
            if operation == "insert" and member == 1:
                parcel = {"parcel": "P1", "order": "A1", "at": "2026-03-01 10:00"}
                append_changes(log, SHOP, "parcels", [parcel], 29539320)
        frame = rows(log, SHOP, "parcels")
    assert frame["op"].tolist() == [0, 5, 4]
    assert frame["customer"].tolist() == [customer(1), customer(1), customer(2)]


def test_children_wait_with_a_parcel_that_is_parked_again_and_follow_it(tmp_path: Path) -> None:
    """W7, W8: a scan stays where it is until its parcel's new order is known."""
    orders = ORDERS + "A1,1,,2026-03-01 10:00,1,paid\n"
    with new_log(tmp_path) as log:
        take(log, SHOP, tmp_path, orders=orders, parcels=PARCELS + "P1,A1,2026-03-01 11:00,SF",
             scans=SCANS + "S1,P1,2026-03-01 12:00,hub")  # fmt: skip
        take(log, SHOP, tmp_path, parcels=PARCELS + "P1,A7,2026-03-01 11:00,SF")
        assert rows(log, SHOP, "scans")["customer"].tolist() == [customer(1)]
        take(log, SHOP, tmp_path, orders=ORDERS + "A7,7,,2026-03-01 10:00,1,paid")
        assert rows(log, SHOP, "scans")["customer"].tolist() == [customer(1), customer(1), customer(7)]


def test_a_moved_childs_later_move_does_not_lose_its_content(tmp_path: Path) -> None:
    """W2, W7: after dragging, the child is still recognised as unchanged."""
    parcels = PARCELS + "P1,A1,2026-03-01 11:00,SF"
    with new_log(tmp_path) as log:
        take(log, SHOP, tmp_path, orders=ORDERS + "A1,1,,2026-03-01 10:00,1,paid", parcels=parcels)
        for member in (2, 3):
            take(log, SHOP, tmp_path, orders=ORDERS + f"A1,{member},,2026-03-01 10:00,1,paid")
        report = take(log, SHOP, tmp_path, parcels=parcels)
        frame = rows(log, SHOP, "parcels")
    assert report.unchanged == 1
    assert frame["customer"].iloc[-1] == customer(3)
    assert frame["op"].tolist() == [0, 5, 4, 5, 4]
