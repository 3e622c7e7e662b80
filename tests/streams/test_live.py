"""Changes appended as they happen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xxhash

from streams.contract.future import too_far_ahead
from streams.control import Control, consent, manual
from streams.errors import InputError
from streams.identity.parked import count_parked
from streams.live import append_changes, append_controls, append_ticks
from streams.log.rows import read_control
from streams.log.settings import last_settings
from tests.called import id_of
from tests.streams.small_shop import TAGS, new_log, rows, shop, take

SHOP = shop()
T = 29539320  # 2026-03-01 10:00
HISTORY = "id,member,phone,at,amount,status\nA1,1,,2026-03-01 09:00,1,paid\nA2,2,,2026-03-01 09:00,1,paid"


def order(number: str, member: int = 1, at: str = "2026-03-01 10:00", **more: Any) -> dict[str, Any]:
    return {"id": number, "member": member, "at": at, "amount": 2.5, "status": "paid", **more}


def customer(member: int) -> bytes:
    return bytes.fromhex(id_of(f"member:{member}"))


def test_rows_are_appended_in_their_order_with_one_minute(tmp_path: Path) -> None:
    """T2, W9: live order is order of arrival, not of event time."""
    with new_log(tmp_path) as log:
        late = order("B2", at="2026-03-01 08:00")
        report = append_changes(log, SHOP, "orders", [order("B1"), late], T, operations=["insert", "upsert"])
        frame = rows(log, SHOP, "orders")
    assert report.new == 2
    assert frame["op"].tolist() == [1, 0]
    assert frame["minute"].tolist() == [T, T]
    assert frame["mode"].tolist() == ["live", "live"]
    assert frame["amount"].tolist() == [250, 250]


def test_a_live_minute_below_the_clock_is_the_clock(tmp_path: Path) -> None:
    """T2: the example of 10:00, 10:02, 10:01."""
    with new_log(tmp_path) as log:
        for number, minute in enumerate((T, T + 2, T + 1)):
            append_changes(log, SHOP, "orders", [order(f"B{number}")], minute)
        assert rows(log, SHOP, "orders")["minute"].tolist() == [T, T + 2, T + 2]


def test_updates_deletes_and_unchanged_rows(tmp_path: Path) -> None:
    """W1, W2: a delete needs the key alone and goes to the customer that the row has."""
    with new_log(tmp_path, 4) as log:
        take(log, SHOP, tmp_path, orders=HISTORY)
        changes = [order("A1", status="cancelled"), {"id": "A2"}, {"id": "A7"}, order("B1")]
        report = append_changes(
            log, SHOP, "orders", changes, T, operations=["update", "delete", "delete", "insert"]
        )
        again = append_changes(log, SHOP, "orders", [order("B1")], T)
        back = append_changes(log, SHOP, "orders", [order("A2", 2)], T)
        frame = rows(log, SHOP, "orders").sort_values("offset")
    assert (report.new, report.updated, report.deleted, report.unknown_deletes) == (1, 1, 1, 1)
    assert (again.unchanged, again.records, back.new) == (1, 0, 1)
    assert frame["op"].tolist() == [0, 0, 2, 3, 1, 0]
    assert frame["customer"].iloc[3] == customer(2).hex()
    assert frame["amount"].isna().tolist() == [False, False, False, True, False, False]


def test_several_changes_of_a_key_in_one_call_are_all_kept_in_their_order(tmp_path: Path) -> None:
    """L1: each is a step, as if they had come one by one."""
    changes = [order("B1"), {"id": "B1"}, order("B2"), order("B2", status="x"), {"id": "B2"}, order("B2")]
    operations = ["insert", "delete", "insert", "update", "delete", "insert"]
    with new_log(tmp_path / "whole") as log, new_log(tmp_path / "split") as other:
        report = append_changes(log, SHOP, "orders", changes, T, operations=operations)
        for change, operation in zip(changes, operations, strict=True):
            append_changes(other, SHOP, "orders", [change], T, operations=[operation])
        whole, split = rows(log, SHOP, "orders"), rows(other, SHOP, "orders")
    assert (report.superseded, report.new, report.updated, report.deleted) == (0, 3, 1, 2)
    assert whole["op"].tolist() == [1, 3, 1, 2, 3, 1]
    assert whole.equals(split)


def test_a_row_too_far_ahead_is_rejected_and_a_future_one_taken(tmp_path: Path) -> None:
    """W6: tomorrow 10:00 waits, tomorrow 10:01 is a dead letter."""
    with new_log(tmp_path) as log:
        changes = [order("B1", at="2026-03-02 10:00"), order("B2", at="2026-03-02 10:01")]
        report = append_changes(log, SHOP, "orders", changes, T)
        assert rows(log, SHOP, "orders")["minute"].tolist() == [T]
    assert report.rejected == 1
    assert str(report.first_rejected[0]).startswith("orders:2: the event time lies more than 1d ahead")
    assert too_far_ahead(np.array([(T + 61) * 60_000_000]), T, "1h").tolist() == [True]


def test_parked_rows_are_released_right_behind_their_parent(tmp_path: Path) -> None:
    """W8, live: the parcel comes at 10:00, its order at 10:03."""
    parcel = {"parcel": "P1", "order": "B2", "at": "2026-03-01 10:00"}
    with new_log(tmp_path) as log:
        append_changes(log, SHOP, "parcels", [parcel, {**parcel, "parcel": "P2"}], T)
        append_changes(log, SHOP, "parcels", [{"parcel": "P2"}], T, operations=["delete"])
        assert count_parked(log) == {"parcels": 1}
        append_changes(log, SHOP, "orders", [order("B1"), order("B2"), order("B3")], T + 3)
        orders, parcels = rows(log, SHOP, "orders"), rows(log, SHOP, "parcels")
    assert orders["step"].tolist() == [1, 2, 4]
    assert (parcels["step"].tolist(), parcels["minute"].tolist()) == ([3], [T + 3])


def test_ticks_reach_every_partition_in_steps_of_ten_minutes_at_most(tmp_path: Path) -> None:
    """T2: a longer jump from one live record to the next would stop the partition."""
    with new_log(tmp_path, 4) as log:
        take(log, SHOP, tmp_path, orders=HISTORY)
        append_ticks(log, T)  # out of history: one jump
        assert append_ticks(log, T + 25) == 12
        ticks = read_control(log, kinds=["tick"])
        assert append_ticks(log, T + 25) == 0
    assert ticks.loc[(ticks["partition"] == 2) & (ticks["mode"] == "live"), "minute"].tolist() == [
        T, T + 10, T + 20, T + 25,
    ]  # fmt: skip


def test_partitions_without_a_change_get_a_tick(tmp_path: Path) -> None:
    """R5: in one process the partitions go in step."""
    with new_log(tmp_path, 4) as log:
        append_changes(log, SHOP, "orders", [order("B1")], T)
        assert [log.clock(part) for part in range(4)] == [T] * 4


def test_control_records_go_to_their_customer_or_to_everybody(tmp_path: Path) -> None:
    """P1, P2: settings stand in every partition."""
    with new_log(tmp_path, 4) as log:
        records = [manual(customer(1), "vip", True, T + 60), Control("settings", None, '{"hash":"x"}')]
        assert append_controls(log, records, T) == 5
        control = read_control(log)
        step, body = last_settings(log, 3) or (None, None)
    assert control["kind"].tolist().count("settings") == 4
    row = control[control["kind"] == "manual"].iloc[0]
    assert row["partition"] == xxhash.xxh3_64_intdigest(customer(1)) % 4
    assert json.loads(row["body"]) == {"tag": "vip", "on": True, "until": T + 60}
    assert body == '{"hash":"x"}'
    assert step in (0, 1)


def test_rows_of_tags_and_consent_become_control_records(tmp_path: Path) -> None:
    """G1: imported tags are manual tags; unchanged ones are not set again."""
    tagged = "member,tag,on,at,until\n1,vip,true,2026-03-01 09:00,2026-03-01 10:00\n2,vip,,2026-03-01 09:01,"
    bad = tagged + "\n3,vlp,true,2026-03-01 09:02,"
    agreed = "member,channel,purpose,granted,at\n1,sms,marketing,yes,2026-03-01 09:30"
    with new_log(tmp_path) as log:
        report = take(log, SHOP, tmp_path, tagged=bad, agreed=agreed)
        again = take(log, SHOP, tmp_path, tagged=tagged, agreed=agreed)
        control = read_control(log, kinds=["manual", "consent"])
    assert (report.new, report.rejected, again.records) == (3, 1, 0)
    assert "tag: 'vlp' is not allowed: allowed: blocked, vip" in str(report.first_rejected[0])
    assert [json.loads(body) for body in control["body"]] == [
        {"tag": "vip", "on": True, "until": T}, {"tag": "vip", "on": None, "until": None},
        {"channel": "sms", "purpose": "marketing", "granted": True, "until": None},
    ]  # fmt: skip
    assert control["minute"].tolist() == [T - 60, T - 59, T - 30]
    assert control["customer"].iloc[0] == customer(1).hex()


def test_a_deleted_row_of_tags_or_consent_takes_it_back(tmp_path: Path) -> None:
    """G1: missing consent means no."""
    with new_log(tmp_path) as log:
        tag = {"member": 1, "tag": "vip", "on": True, "at": "2026-03-01 10:00"}
        agreed = {"member": 1, "channel": "sms", "purpose": "x", "granted": True, "at": "2026-03-01 10:00"}
        for operation in ("upsert", "delete"):
            append_changes(log, SHOP, "tagged", [tag], T, operations=[operation])
            append_changes(log, SHOP, "agreed", [agreed], T, operations=[operation])
        control = read_control(log, kinds=["manual", "consent"])
    assert json.loads(control["body"].iloc[2])["on"] is None
    assert json.loads(control["body"].iloc[2])["tag"] == "vip"
    assert json.loads(control["body"].iloc[3])["granted"] is False
    assert json.loads(control["body"].iloc[3])["channel"] == "sms"


def test_a_row_that_names_another_tag_takes_the_former_one_back(tmp_path: Path) -> None:
    """G1, W7: where the key stays and what it says changes, or whose it is."""
    by_id = {**TAGS, "key": ["id"]}
    of = shop(tagged=by_id)
    with new_log(tmp_path) as log:
        row = {"id": 1, "member": 1, "tag": "vip", "on": True, "at": "2026-03-01 10:00"}
        for change in (
            {},
            {"tag": "blocked"},
            {"tag": "blocked", "member": 2},
            {"tag": "blocked", "member": 2},
        ):
            append_changes(log, of, "tagged", [{**row, **change}], T)
        control = read_control(log, kinds=["manual"])
    said = [(json.loads(body)["tag"], json.loads(body)["on"]) for body in control["body"]]
    assert said == [("vip", True), ("vip", None), ("blocked", True), ("blocked", None), ("blocked", True)]
    assert control["customer"].tolist() == [customer(who).hex() for who in (1, 1, 1, 1, 2)]


def test_consent_may_be_appended_by_hand(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        append_controls(log, [consent(customer(1), "sms", "marketing", True)], T)
        assert json.loads(read_control(log)["body"].iloc[0])["granted"] is True


def test_unknown_sources_and_operations_are_refused(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        with pytest.raises(InputError, match="there is no such source"):
            append_changes(log, SHOP, "order", [order("B1")], T)
        with pytest.raises(InputError, match="orders: 'remove' is no operation"):
            append_changes(log, SHOP, "orders", [order("B1")], T, operations=["remove"])
