"""Triggers, case by case: what sets them off, and what they wait for (D1)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.engine.story import ABSENCE, ORDER, TEN, WAIT, Story
from tests.laws.world import DELETE, IMPORT, INSERT, LIVE, READ, UPDATE, customer_id
from triggers.schedule import last_due
from triggers.trigger import Schedule


def test_an_event_means_an_insert_unless_more_is_named() -> None:
    """D1: op c, or an upsert of an unknown key; not updates, deletes, snapshot rows, duplicates, moves."""
    story = Story(ORDER)
    first = story.at(0).row("orders", 1, 1)
    story.at(1).row("orders", 2, 1, INSERT)
    story.at(2).row("orders", 1, 1)  # an upsert of a known key
    story.at(3).row("orders", 1, 1, UPDATE)
    story.at(4).row("orders", 2, 1, DELETE)
    story.at(5).row("orders", 3, 1, READ)
    story.at(6).again(first)
    story.at(7).row("orders", 1, 2)  # moves to another customer
    assert story.told(9) == [(0, "act"), (1, "act")]


@pytest.mark.parametrize(("operation", "expected"), [("update", [2, 3, 9]), ("delete", [4])])
def test_updates_and_deletes_are_events_when_named(operation: str, expected: list[int]) -> None:
    """D1: an update says so or is an upsert of a known key; a delete is one of a known row, once."""
    story = Story({"when": {"event": {"source": "orders", "operations": [operation]}}})
    story.at(0).row("orders", 1, 1)
    story.at(2).row("orders", 1, 1)
    story.at(3).row("orders", 1, 1, UPDATE)
    story.at(4).row("orders", 1, 1, DELETE)
    story.at(5).row("orders", 1, 1, DELETE)
    story.at(6).row("orders", 7, 1, DELETE)  # never seen
    story.at(9).row("orders", 1, 1)  # a deleted key is still known
    assert [minute for minute, _ in story.told(11)] == expected


@pytest.mark.parametrize(("after", "inserts"), [(19, 1), (20, 2)])
def test_a_key_beyond_its_horizon_is_unknown_again(after: int, inserts: int) -> None:
    """D1, W3: an upsert 20 minutes after the row's death is an insert, one minute earlier an update."""
    story = Story(ORDER)
    story.at(0).row("orders", 1, 1)
    story.at(5).row("orders", 1, 1, DELETE)
    story.at(5 + after).row("orders", 1, 1)
    assert len(story.told(30)) == inserts


def test_a_delete_beyond_the_horizon_deletes_no_known_row() -> None:
    """D1, W3."""
    story = Story({"when": {"event": {"source": "orders", "operations": ["delete"]}}})
    story.at(0).row("orders", 1, 1)
    story.at(5).row("orders", 1, 1, DELETE)
    story.at(40).row("orders", 1, 1, DELETE)
    assert story.told(41) == [(5, "act")]


def test_where_and_if_are_asked_of_the_row_and_the_customer() -> None:
    """D1, D2: a false if is no decision; the row itself counts already."""
    event = {"source": "orders", "where": 'status != "void"'}
    story = Story({"when": {"event": event}, "if": "count(orders) >= 2 && row.amount > 5"})
    for minute, amount, status in ((0, 9, "x"), (1, 9, "void"), (2, 5, "x"), (3, 6, None)):
        story.at(minute).row("orders", minute, 1, amount=amount, status=status)
    assert story.told(5) == [(3, "act")]


def test_entering_and_leaving_a_tag_set_triggers_off() -> None:
    """D1: at the step of the row, or at the minute that opens without a row."""
    for when, expected in (({"enter": "full"}, [(3, "act")]), ({"leave": "full"}, [(60, "act")])):
        story = Story({"when": when})
        story.at(0).row("carts", 1, 1)
        story.at(3).row("carts", 2, 1)
        assert story.told(70) == expected


def test_who_enters_twice_in_a_minute_has_two_decisions_with_ids_of_their_own() -> None:
    """D2: the cause is the row at whose step the tag was entered, or else the minute."""
    story = Story({"when": {"enter": "full"}})
    for operation in (INSERT, DELETE, INSERT):
        for key in (1, 2) if operation == INSERT else (2,):
            story.at(0).row("carts", key, 1, operation)
    made = story.decided(2)
    assert [one.cause["source"] for one in made] == ["carts", "carts"]
    assert len({one.id for one in made}) == 2
    left = Story({"when": {"leave": "full"}})
    for key in (1, 2):
        left.at(0).row("carts", key, 1)
    assert [one.cause for one in left.decided(61)] == [{"minute": TEN + 60}]


def test_a_retraction_may_set_off_leaving() -> None:
    """D3."""
    story = Story({"when": {"leave": "full"}})
    story.at(0).row("carts", 1, 1)
    story.at(3).row("carts", 2, 1)
    story.at(5).row("carts", 2, 1, DELETE)
    assert story.told(7) == [(5, "act")]


def test_segments_set_triggers_off_by_name() -> None:
    """D1: segment:NAME of the first model; the first order is scored when the next minute opens (R3)."""
    segments = [{"name": "New", "r": (2, 2), "f": (1, 1), "m": (1, 2)}]
    model = {
        "frequency": "count(orders)",
        "monetary": "sum(orders.amount)",
        "window": "20m",
        "bins": 2,
        "segments": segments,
    }
    for when, expected in (
        ({"enter": "segment:New"}, [(1, "act")]),
        ({"leave": "segment:rfm/New"}, [(20, "act")]),
    ):
        story = Story({"when": when}, rfm=[model])
        story.at(0).row("orders", 1, 1, amount=5)
        assert story.told(25) == expected


@pytest.mark.parametrize(
    ("order", "expected"), [(-1, [(121, "act")]), (0, []), (60, []), (120, []), (121, [(121, "act")])]
)
def test_absence_looks_from_the_cart_to_the_end_of_its_time_both_inclusive(
    order: int, expected: list[Any]
) -> None:
    """D1: an order dated 12:00 still prevents it; it is due at 12:01."""
    story = Story(ABSENCE, start=TEN - 5)
    story.start = TEN
    story.at(0).row("carts", 1, 1)
    (story.at(order) if order > 0 else story.at(0)).row("orders", 1, 1, event=TEN + order)
    assert story.told(125) == expected


def test_taking_the_cart_or_the_order_back_turns_an_absence_round() -> None:
    """D1, D3: a deleted, updated or moved cart withdraws it; a deleted order does not prevent it."""
    for op, customer in ((DELETE, 1), (UPDATE, 1), (0, 2)):
        story = Story(ABSENCE)
        story.at(0).row("carts", 1, 1)
        story.at(60).row("carts", 1, customer, op, event=TEN)
        assert story.told(130) == []
    story = Story(ABSENCE)
    story.at(0).row("carts", 1, 1)
    story.at(30).row("orders", 1, 1)
    story.at(60).row("orders", 1, 1, DELETE)
    assert story.told(130) == [(121, "act")]


def test_a_cart_deleted_and_inserted_again_is_one_instance() -> None:
    """D1: the timer of the withdrawn one decides nothing, even when both fall due at one minute."""
    story = Story(ABSENCE)
    story.at(0).row("carts", 1, 1)
    story.at(30).row("carts", 1, 1, DELETE)
    story.at(40).row("carts", 1, 1, INSERT, event=TEN)
    assert story.told(130) == [(121, "act")]
    story = Story(ABSENCE)
    story.at(0).row("carts", 1, 1)
    story.at(30).row("carts", 1, 1, DELETE)
    story.at(40).row("carts", 1, 1, INSERT, event=TEN + 10)
    assert story.told(140) == [(131, "act")]


def test_an_absence_due_before_its_cart_came_is_due_at_once() -> None:
    """D1, D4: the cart of 10:00 arrives at 15:00, 179 minutes after it was due: refused as late."""
    story = Story(ABSENCE)
    story.at(300).row("carts", 1, 1, event=TEN)
    (one,) = story.decided(310)
    assert (one.minute, one.outcome, one.guard) == (TEN + 300, "refused", "late")
    assert one.figures == {"age": 179, "max_age": 60}
    story = Story(ABSENCE)
    story.at(181).row("carts", 1, 1, event=TEN)
    assert story.told(200) == [(181, "act")]


def test_an_order_dated_inside_a_decided_absence_contradicts_it_once() -> None:
    """D3: with the decision's id; one dated behind the interval contradicts nothing."""
    story = Story(ABSENCE)
    story.at(0).row("carts", 1, 1)
    story.at(125).row("orders", 1, 1, event=TEN + 125)
    story.at(130).row("orders", 2, 1, event=TEN + 110)
    story.at(131).row("orders", 3, 1, event=TEN + 111)
    made = story.decided(135)
    assert [(one.minute - TEN, one.outcome) for one in made] == [(121, "act"), (130, "contradicted")]
    assert made[0].id == made[1].id


@pytest.mark.parametrize(
    ("zone", "at", "begin", "expected"),
    [
        ("UTC", "10:30", "2026-03-01 10:00", ["2026-03-01 10:30"]),
        ("Europe/Berlin", "02:30", "2026-03-29 00:00", ["2026-03-29 01:00"]),  # skipped: 03:00 local
        ("Europe/Berlin", "02:30", "2026-10-25 00:00", ["2026-10-25 00:30"]),  # doubled: the first
        ("Asia/Shanghai", "08:00", "2026-03-01 23:50", ["2026-03-02 00:00"]),
    ],
)
def test_a_schedule_is_of_local_time(zone: str, at: str, begin: str, expected: list[str]) -> None:
    """D1: each customer for whom if is true, at the due minute; cause is the minute (D2)."""
    start = int(datetime.fromisoformat(begin).replace(tzinfo=UTC).timestamp()) // 60
    story = Story({"when": {"schedule": {"at": at}}, "if": "count(orders) > 0"}, zone, start)
    story.at(0).row("orders", 1, 1)
    story.at(0).row("views", 1, 2)
    made = story.decided(130)
    due = [int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) // 60 for text in expected]
    assert [(one.minute, one.customer, one.cause) for one in made] == [
        (m, customer_id(1), {"minute": m}) for m in due
    ]


@pytest.mark.parametrize(
    ("zone", "on", "expected"),
    [
        ("UTC", ["2026-03-02"], ["2026-03-02 10:30"]),
        ("UTC", ["2026-03-01", "2026-03-03"], ["2026-03-01 10:30", "2026-03-03 10:30"]),
        ("UTC", ["2026-02-28", "2027-03-01"], []),  # over, and not yet
        ("Asia/Shanghai", ["2026-03-02"], ["2026-03-02 02:30"]),  # the dates are local
    ],
)
def test_a_schedule_of_dates_fires_on_these_alone(zone: str, on: list[str], expected: list[str]) -> None:
    """D1: one date is once and never again."""
    story = Story({"when": {"schedule": {"at": "10:30", "on": on}}}, zone)
    story.at(0).row("orders", 1, 1)
    due = [int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) // 60 for text in expected]
    assert [one.minute for one in story.decided(4 * 1440)] == due


def test_a_date_that_a_stop_jumped_over_is_made_up_for_once() -> None:
    """D1: however long ago it was; whether it is too late is the business of max_age."""
    begin, due, late = (
        int(datetime(2026, 3, day, 9, tzinfo=UTC).timestamp()) // 60 for day in (1, 2, 31)
    )  # fmt: skip
    schedule = Schedule(at="09:00", on=["2026-03-02"])
    assert last_due(schedule, "UTC", begin, late) == due
    assert last_due(schedule, "UTC", due, late) == 0


def test_a_schedule_missed_in_an_import_is_not_made_up_for_and_days_are_kept() -> None:
    """D1, T5: 1 March 2026 is a Sunday; the minutes jumped over by the first live record are history."""
    trigger = {"when": {"schedule": {"at": "10:30", "days": ["mon"]}}}
    story = Story(trigger)
    story.at(0).row("orders", 1, 1)
    assert story.told(60) == []
    story = Story({"when": {"schedule": {"at": "10:30"}}})
    story.writer.log.clear()
    story.writer.mode = IMPORT
    story.at(0).row("orders", 1, 1)
    story.writer.mode = LIVE
    assert story.told(60) == []


def test_for_begins_anew_at_a_false_if() -> None:
    """D1: a view of 10:05 makes it false until 10:15; due at 10:35. One occasion, one decision."""
    story = Story(WAIT)
    story.at(0).row("carts", 1, 1)
    story.writer.row("carts", 2, 1)
    assert story.told(50) == [(20, "act")]
    story = Story(WAIT)
    story.at(0).row("carts", 1, 1)
    story.writer.row("carts", 2, 1)
    story.at(5).row("views", 1, 1)
    (one,) = story.decided(50)
    assert (one.minute, one.cause) == (TEN + 35, {"minute": TEN})


def test_for_ends_without_a_decision_when_membership_turns_back() -> None:
    """D1: full ends at 10:18, before the twenty minutes are over."""
    story = Story(WAIT)
    story.at(0).row("carts", 1, 1)
    story.writer.row("carts", 2, 1)
    story.at(18).row("carts", 2, 1, DELETE)
    assert story.told(50) == []


def test_one_instance_waits_at_a_time() -> None:
    """D1: a second order meanwhile changes nothing; its cause is the first order."""
    story = Story({"when": {"event": {"source": "orders"}}, "for": "10m"})
    story.at(0).row("orders", 1, 1)
    story.at(4).row("orders", 2, 1)
    story.at(12).row("orders", 3, 1)
    made = story.decided(30)
    assert [(one.minute - TEN, one.cause["position"][1]) for one in made] == [(10, 1), (22, 3)]
