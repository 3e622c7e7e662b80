"""References lead to customers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import xxhash

from streams.identity.rebuild import rebuild_references
from streams.intake import import_files
from streams.log.rows import read_control
from tests.called import hidden, id_of
from tests.streams.small_shop import ORDERS, new_log, rows, shop, story, take

HEAD = "id,member,phone,at,amount,status\n"
WEAK: dict[str, Any] = {
    **ORDERS,
    "references": [
        {"type": "device", "column": "phone", "strong": False},
        {"type": "member", "column": "member"},
    ],
}


def lines(*given: str) -> str:
    """Return orders of the form "id,member,phone", one a minute."""
    return HEAD + "\n".join(f"{row},2026-03-01 10:{at:02d},1,paid" for at, row in enumerate(given))


def customer(reference: str) -> str:
    return id_of(reference)


def test_a_new_customers_id_is_the_hash_of_the_first_strong_reference(tmp_path: Path) -> None:
    """I1, W1: and a known reference alone finds the same customer later."""
    with new_log(tmp_path) as log:
        take(log, shop(), tmp_path, orders=lines("A1,1042,13800000000", "A2,,13800000000", "A3,,555"))
        frame, control = rows(log, shop(), "orders"), read_control(log)
    assert frame["customer"].tolist() == [*[customer("member:1042")] * 2, customer("phone:555")]
    told = [hidden(reference) for reference in ("member:1042", "phone:13800000000", "phone:555")]
    assert frame["reference"].tolist() == told
    assert [json.loads(body)["reference"] for body in control["body"]] == told


def test_references_are_known_in_later_imports_too(tmp_path: Path) -> None:
    """I1: the index is kept with the log."""
    with new_log(tmp_path) as log:
        take(log, shop(), tmp_path, orders=lines("A1,1042,138"))
        take(log, shop(), tmp_path, orders=lines("A2,,138", "A3,,139"))
        assert rows(log, shop(), "orders")["customer"].tolist() == [
            customer("member:1042"), customer("member:1042"), customer("phone:139"),
        ]  # fmt: skip


def test_the_index_can_be_rebuilt_from_the_records(tmp_path: Path) -> None:
    """I1: a later row with the phone alone finds the same customer, also after the index is deleted."""
    with new_log(tmp_path, 4) as log:
        take(log, shop(), tmp_path, orders=lines("A1,1042,138", "A2,2000,139", "A3,1042,140"))
        query = "SELECT * FROM reference ORDER BY reference"
        before = log.connection.execute(query).fetchall()
        log.connection.execute("DELETE FROM reference")
        assert rebuild_references(log) == 5
        assert log.connection.execute(query).fetchall() == before


def test_who_is_known_depends_on_event_time_not_on_the_order_of_lines(tmp_path: Path) -> None:
    """I1, W9: rows are resolved in the order of the log."""
    text = HEAD + "A2,1042,138,2026-03-02 10:00,1,paid\nA1,,138,2026-03-01 10:00,1,paid"
    with new_log(tmp_path) as log:
        take(log, shop(), tmp_path, orders=text)
        assert rows(log, shop(), "orders")["customer"].tolist() == [customer("phone:138")] * 2


@pytest.mark.parametrize(
    ("priority", "winner"), [((), "member:1042"), (("member",), "member:1042"), (("phone",), "member:2000")]
)
def test_two_known_customers_in_one_row_stay_two_and_the_conflict_is_recorded(
    tmp_path: Path, priority: tuple[str, ...], winner: str
) -> None:
    """I2: the row goes to the type first in identity_priority, else the first declared."""
    of = shop(priority=priority)
    with new_log(tmp_path) as log:
        text = lines("A1,1042,138", "A2,2000,139", "A3,1042,139", "A4,1042,139", "A5,,138", "A6,,139")
        report = take(log, of, tmp_path, orders=text)
        frame, control = rows(log, of, "orders"), read_control(log, kinds=["conflict"])
    first, second = customer("member:1042"), customer("member:2000")
    assert frame["customer"].tolist() == [first, second, customer(winner), customer(winner), first, second]
    assert report.conflicts == 1  # once for the combination
    loser = {first: ("phone:139", second), second: ("member:1042", first)}[customer(winner)]
    assert json.loads(control["body"].iloc[0])["others"] == {hidden(loser[0]): loser[1]}
    assert control["customer"].tolist() == [customer(winner)]
    assert control["step"].iloc[0] == frame["step"].iloc[2] - 1


def test_a_shared_device_never_makes_two_members_one(tmp_path: Path) -> None:
    """I2: the device stays with the first, the second member is somebody else."""
    of = shop(orders=WEAK)
    with new_log(tmp_path) as log:
        text = lines("A1,,d7", "A2,1042,d7", "A3,2000,d7", "A4,2000,d7", "A5,,d7")
        take(log, of, tmp_path, orders=text)
        who = rows(log, of, "orders")["customer"].tolist()
    device, other = customer("device:d7"), customer("member:2000")
    assert who == [device, device, other, other, device]


def test_a_customer_named_by_device_and_member_at_once_is_the_members_hash(tmp_path: Path) -> None:
    """W1: the first strong reference names, though a weak one is declared before it."""
    of = shop(orders=WEAK)
    with new_log(tmp_path) as log:
        take(log, of, tmp_path, orders=lines("A1,1042,d7"))
        assert rows(log, of, "orders")["customer"].tolist() == [customer("member:1042")]


def test_a_row_that_changes_its_customer_leaves_the_old_and_comes_to_the_new(tmp_path: Path) -> None:
    """W7: two records written together; D1: neither is an event."""
    with new_log(tmp_path) as log:
        take(log, shop(), tmp_path, orders=lines("A1,1,", "A2,2,"))
        report = take(log, shop(), tmp_path, orders=lines("A1,2,"))
        frame = rows(log, shop(), "orders")
        again = take(log, shop(), tmp_path, orders=lines("A1,2,"))
    one, two = customer("member:1"), customer("member:2")
    assert (report.moved, report.updated, report.records) == (1, 0, 2)
    assert frame["op"].tolist() == [0, 0, 5, 4]
    assert frame["customer"].tolist() == [one, two, one, two]
    assert frame["offset"].tolist() == [1, 2, 3, 4]  # positions grow, or the second would be ignored
    assert frame["amount"].isna().tolist() == [False, False, True, False]
    assert again.records == 0


@pytest.mark.parametrize("partitions", [4, 16])
def test_a_move_writes_into_both_partitions(tmp_path: Path, partitions: int) -> None:
    """W7, P1: each record stands in its customer's partition."""
    with new_log(tmp_path, partitions) as log:
        for member in range(1, 9):
            take(log, shop(), tmp_path, orders=lines(f"A1,{member},"))
        frame = rows(log, shop(), "orders").sort_values("offset")
    expected = [xxhash.xxh3_64_intdigest(bytes.fromhex(who)) % partitions for who in frame["customer"]]
    assert frame["partition"].tolist() == expected
    assert frame["op"].tolist() == [0, *[5, 4] * 7]


def test_sources_share_the_references(tmp_path: Path) -> None:
    """I1: a phone known from orders names the same customer among members."""
    phone = {"type": "phone", "column": "phone"}
    members = {"key": ["phone"], "references": [phone], "event_time": {"column": "at"}}
    of = shop(orders=ORDERS, members=members)
    with new_log(tmp_path) as log:
        (tmp_path / "o.csv").write_text(lines("A1,1042,138"))
        (tmp_path / "m.csv").write_text("phone,at\n138,2026-03-05 10:00\n")
        import_files(log, of, [("members", tmp_path / "m.csv"), ("orders", tmp_path / "o.csv")])
        assert set(rows(log, of, "members")["customer"]) == {customer("member:1042")}
        assert [what[0] for what in story(log, of)] == ["reference", "reference", "orders", "members"]
