"""Guards, case by case: switches, hold-outs, quiet hours, once, caps, priority (semantics D5)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rules.error import RuleError
from tests.engine.story import ABSENCE, ORDER, SOURCE, TEN, Story
from tests.laws.world import customer_id
from triggers.hold_out import salt_of

DAY = 1440


def guarded(guards: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the settings of a shop with guards of its own."""
    return {"settings": {"name": "guards", **more, "guards": guards}}


def orders(story: Story, *minutes: int) -> Story:
    """Let customer 1 order at these minutes."""
    for minute in minutes:
        story.at(minute).row("orders", minute, 1)
    return story


# --- switches


@pytest.mark.parametrize(
    ("what", "stopped"), [("", "everything"), ("channel/sms", "channel"), ("trigger/t", "trigger")]
)
def test_a_switch_stops_from_its_step_until_it_is_turned_back(what: str, stopped: str) -> None:
    story = orders(Story(ORDER), 0)
    story.at(1).switch(what)
    orders(story, 2)
    story.at(3).switch(what, off=False)
    orders(story, 4)
    made = story.decided(5)
    assert [one.guard or one.outcome for one in made] == ["act", "kill_switch", "act"]
    assert made[1].figures == {"stopped": stopped}


@pytest.mark.parametrize("what", ["channel/inbox", "trigger/other", "trigger/"])
def test_a_switch_of_something_else_stops_nothing(what: str) -> None:
    story = Story(ORDER)
    story.at(0).switch(what)
    assert orders(story, 1).told(2) == [(1, "act")]


# --- hold-outs


def words(eight: bytes) -> list[int]:
    """Return the four words of sixteen bits, the lowest first."""
    return [int.from_bytes(eight[at : at + 2], "little") for at in range(0, 8, 2)]


def bucket(customer: int, *salt: str) -> int:
    """Return a customer's bucket, worked out beside the kernel."""
    halves = bytes.fromhex(customer_id(customer))
    h = 1
    for word in (salt_of(*salt), int.from_bytes(halves[:8], "big"), int.from_bytes(halves[8:], "big")):
        for pair in words(word.to_bytes(8, "little")):
            h = (h ^ pair) * 48271 % (2**31 - 1)
    return h % 10_000


def test_a_hold_out_is_its_share_of_customers_the_same_on_every_run() -> None:
    """Of 2,000 customers 10 percent, within four standard deviations; and just those of the formula."""
    story = Story({**ORDER, "guards": {"hold_out": 10}})
    for customer in range(2000):
        story.at(0).row("orders", customer, customer)
    made = story.decided(1)
    held = {one.customer for one in made if one.guard == "hold_out"}
    assert held == {customer_id(c) for c in range(2000) if bucket(c, "hold_out", "", "trigger", "t") < 1000}
    assert abs(len(held) - 200) < 4 * (2000 * 0.1 * 0.9) ** 0.5
    assert next(one for one in made if one.guard).figures == {"percent": 10, "of": "trigger"}


def test_the_shops_hold_out_stands_against_marketing_only_and_is_another_than_a_triggers() -> None:
    share = guarded({"hold_out": 30, "salt": "spring"})
    found = {}
    for purpose in ("marketing", "transactional"):
        story = Story({**ORDER, "purpose": purpose}, **share)
        for customer in range(300):
            story.at(0).row("orders", customer, customer)
        found[purpose] = {one.customer for one in story.decided(1) if one.guard == "hold_out"}
    held = {customer_id(c) for c in range(300) if bucket(c, "hold_out", "spring") < 3000}
    assert found == {"marketing": held, "transactional": set()}
    assert held != {customer_id(c) for c in range(300) if bucket(c, "hold_out", "") < 3000}


# --- quiet hours


def quiet(first: str, until: str, then: str = "hold") -> dict[str, Any]:
    hours = {"from": first, "until": until, "then": then}
    return {**ORDER, "guards": {"quiet_hours": hours, "max_age": "1h"}}


def test_quiet_hours_drop_from_their_first_minute_to_the_last_before_their_end() -> None:
    """[10:05, 10:08): 10:04 acts, 10:05 to 10:07 are refused with the end, 10:08 acts."""
    story = orders(Story(quiet("10:05", "10:08", "drop")), 4, 5, 7, 8)
    made = story.decided(20)
    assert [one.guard or one.outcome for one in made] == ["act", "quiet_hours", "quiet_hours", "act"]
    assert {one.figures["until"] for one in made if one.guard} == {TEN + 8}


def test_a_held_decision_is_made_at_the_end_with_the_same_id() -> None:
    story = orders(Story(quiet("10:05", "10:08")), 6)
    held, made = story.decided(20)
    assert (held.outcome, held.guard, held.figures) == ("held", "quiet_hours", {"until": TEN + 8})
    assert (made.outcome, made.minute - TEN) == ("act", 8)
    assert (made.id, made.cause) == (held.id, held.cause)


def test_one_hold_waits_for_a_customer_and_a_further_occasion_is_refused() -> None:
    story = orders(Story(quiet("10:05", "10:30")), 6, 7)
    assert story.told(40) == [(6, "quiet_hours"), (7, "quiet_hours"), (30, "act")]
    assert [one.outcome for one in story.decided()] == ["held", "refused", "act"]


def test_the_length_of_a_hold_is_no_age_and_a_late_cause_stays_late() -> None:
    story = Story(quiet("10:05", "20:00"))
    story.at(6).row("orders", 1, 1, event=TEN - 54)  # 60 minutes old: not too old, then or ten hours later
    story.at(7).row("orders", 2, 2, event=TEN - 54)
    assert story.told(11 * 60) == [(6, "quiet_hours"), (7, "late"), (600, "act")]


def test_at_the_end_of_a_hold_if_and_all_guards_are_asked_again() -> None:
    """Without consent by then: consent; a false if: if; a switch before that: kill_switch."""
    trigger = quiet("10:05", "10:08") | {"if": "count(views) == 0"}
    trigger["guards"] = {**trigger["guards"], "consent": "sms/marketing"}
    for spoil, expected in (
        (lambda story: story.at(7).consent(1, False), "consent"),
        (lambda story: story.at(7).row("views", 1, 1), "if"),
        (lambda story: story.at(7).switch(""), "kill_switch"),
        (lambda story: None, "act"),
    ):
        story = Story(trigger)
        story.at(0).consent(1, True)
        orders(story, 6)
        spoil(story)
        assert story.told(20) == [(6, "quiet_hours"), (8, expected)]


def test_a_membership_that_has_turned_back_ends_its_hold_as_if() -> None:
    story = Story({**quiet("10:05", "11:30"), "when": {"enter": "full"}})
    for key in (1, 2):
        story.at(6).row("carts", key, 1)
    assert story.told(120) == [(6, "quiet_hours"), (90, "if")]


def test_an_absence_that_is_contradicted_ends_its_hold() -> None:
    """D3: who has bought meanwhile is not told that they have not."""
    trigger = {**quiet("12:00", "13:00"), **ABSENCE}
    story = Story(trigger)
    story.at(0).row("carts", 1, 1)
    story.at(125).row("orders", 1, 1, event=TEN + 60)
    assert story.told(240) == [(121, "quiet_hours"), (125, "contradicted")]
    assert [one.outcome for one in story.decided()] == ["held", "contradicted"]


def test_a_condition_that_reads_the_row_does_not_go_with_a_hold() -> None:
    with pytest.raises(RuleError, match="asked again when quiet hours end"):
        Story({**quiet("10:05", "10:08"), "if": "row.amount > 5"})
    Story({**quiet("10:05", "10:08", "drop"), "if": "row.amount > 5"})


@pytest.mark.parametrize(
    ("day", "end"),
    [
        ("2026-03-28", "2026-03-29 06:00"),
        ("2026-10-24", "2026-10-25 07:00"),
        ("2026-06-01", "2026-06-02 06:00"),
    ],
)
def test_a_night_in_which_clocks_are_changed_ends_at_its_local_time(day: str, end: str) -> None:
    """Held at 23:30 in Berlin until 08:00, over a night of 23, of 25 and of 24 hours."""
    zone = ZoneInfo("Europe/Berlin")
    start = int(datetime.fromisoformat(f"{day} 23:30").replace(tzinfo=zone).timestamp()) // 60
    due = int(datetime.fromisoformat(f"{end}+00:00").timestamp()) // 60
    story = Story(quiet("22:00", "08:00"), "Europe/Berlin", start)
    made = orders(story, 0).decided(10 * 60)
    assert [(one.outcome, one.minute) for one in made] == [("held", start), ("act", due)]


@pytest.mark.parametrize(
    ("day", "end"), [("2026-03-28", "2026-03-29 06:00"), ("2026-10-24", "2026-10-25 07:00")]
)
def test_the_loud_minutes_of_a_day_are_found_though_clocks_are_changed_by_more(day: str, end: str) -> None:
    """A quarter of an hour, 08:00 to 08:15 in Berlin, over a night of 23 and of 25 hours."""
    zone = ZoneInfo("Europe/Berlin")
    start = int(datetime.fromisoformat(f"{day} 23:30").replace(tzinfo=zone).timestamp()) // 60
    due = int(datetime.fromisoformat(f"{end}+00:00").timestamp()) // 60
    made = orders(Story(quiet("08:15", "08:00"), "Europe/Berlin", start), 0).decided(10 * 60)
    assert [(one.outcome, one.minute) for one in made] == [("held", start), ("act", due)]


def test_minutes_that_come_twice_are_loud_both_times() -> None:
    """02:10 to 02:15 in Berlin on 2026-10-25: at 00:10 UTC and again at 01:10."""
    start = int(datetime(2026, 10, 25, 0, 20, tzinfo=UTC).timestamp()) // 60
    made = orders(Story(quiet("02:15", "02:10"), "Europe/Berlin", start), 0).decided(2000)
    assert [(one.outcome, one.minute - start) for one in made] == [("held", 0), ("act", 50)]


def test_an_hour_that_comes_twice_is_quiet_both_times() -> None:
    """02:00 to 02:30 in Berlin on 2026-10-25: at 00:15 UTC and again at 01:15; each ends by itself."""
    start = int(datetime(2026, 10, 25, 0, 0, tzinfo=UTC).timestamp()) // 60
    story = orders(Story(quiet("02:00", "02:30"), "Europe/Berlin", start), 15, 45, 75, 95)
    told = [(one.minute - start, one.outcome) for one in story.decided(120)]
    assert told == [(15, "held"), (30, "act"), (45, "act"), (75, "held"), (90, "act"), (95, "act")]


def test_a_customers_own_zone_counts_where_it_is_known() -> None:
    """10:00 UTC is 18:00 in Shanghai, and 05:00 in New York; Mars is nowhere, so the shop's UTC counts."""
    people = {"name": "people", **SOURCE, "columns": {"zone": {"type": "text", "attribute": "zone"}}}
    sources = {name: {"name": name, **SOURCE} for name in ("orders", "carts", "views")} | {"people": people}
    hours = {"from": "17:00", "until": "19:00", "then": "drop"}
    shop = guarded(
        {"quiet_hours": hours, "zone": "customer.zone", "zones": ["Asia/Shanghai", "America/New_York"]}
    )
    story = Story(ORDER, sources=sources, **shop)
    for customer, zone in ((1, "Asia/Shanghai"), (2, "America/New_York"), (3, "Mars"), (4, None)):
        story.at(0).row("people", customer, customer, zone=zone)
        story.writer.row("orders", customer, customer)
    story.at(7 * 60 + 30).row("orders", 9, 3)
    refused = {customer_id(c): c for c in (1, 2, 3, 4)}
    made = story.decided(460)
    assert [(one.minute - TEN, refused[one.customer], one.guard or one.outcome) for one in made] == [
        (0, 1, "quiet_hours"), (0, 2, "act"), (0, 3, "act"), (0, 4, "act"), (450, 3, "quiet_hours"),
    ]  # fmt: skip


def test_a_triggers_own_quiet_hours_stand_in_place_of_the_shops() -> None:
    shop = guarded({"quiet_hours": {"from": "10:00", "until": "11:00", "then": "drop"}})
    own = {"from": "10:30", "until": "10:31", "then": "drop"}
    for more, expected in (
        ({}, "quiet_hours"), ({"purpose": "transactional"}, "act"), ({"guards": {"quiet_hours": own}}, "act"),
    ):  # fmt: skip
        assert orders(Story({**ORDER, **more}, **shop), 5).told(6) == [(5, expected)]


# --- once, caps, priority


def test_once_acts_for_a_customer_a_single_time() -> None:
    story = orders(Story({**ORDER, "guards": {"once": True}}), 0, 5)
    story.at(9).row("orders", 9, 2)
    made = story.decided(10)
    assert [(one.guard or one.outcome) for one in made] == ["act", "once", "act"]
    assert made[1].figures == {"acted_at": TEN}


def capped(most: int, within: str, **more: Any) -> dict[str, Any]:
    return guarded({"caps": {"sms": {"most": most, "within": within, **more}}})


def test_a_cap_counts_decisions_to_act_in_its_trailing_window() -> None:
    """Two in 30 minutes: acted at 0 and 10, refused at 29, room again at 30; refusals count for nothing."""
    story = orders(Story(ORDER, **capped(2, "30m")), 0, 10, 11, 29, 30, 31, 40)
    made = story.decided(41)
    told = [(one.minute - TEN, one.guard or one.outcome) for one in made]
    assert told == [
        (0, "act"), (10, "act"), (11, "cap"), (29, "cap"), (30, "act"), (31, "cap"), (40, "act"),
    ]  # fmt: skip
    assert made[2].figures == {"acted": 2, "cap": "sms", "most": 2, "within": "30m"}


def test_a_cap_of_more_than_one_fact_of_slots_counts_them_all() -> None:
    """Twenty slots lie in three facts."""
    story = orders(Story(ORDER, **capped(20, "1d")), *range(22))
    assert [guard for _, guard in story.told(23)] == ["act"] * 20 + ["cap"] * 2


@pytest.mark.parametrize(("state", "expected"), [("failed", "act"), ("expired", "act"), ("delivered", "cap")])
def test_a_receipt_of_failure_gives_the_slot_back_once(state: str, expected: str) -> None:
    story = orders(Story(ORDER, **capped(1, "1d")), 0)
    (first,) = story.decided()
    story.at(1).receipt(1, first, state)
    story.at(2).receipt(1, first, state)  # told again: it has nothing more to give
    orders(story, 3)
    story.at(4).receipt(1, first, state)
    orders(story, 5)
    assert [guard for _, guard in story.told(6)] == ["act", expected, "cap"]


def test_receipts_give_back_slots_of_minutes_and_of_held_decisions() -> None:
    """A slot is that of the minute of acting, whether the cause is a minute or a row."""
    schedule = {"when": {"schedule": {"at": "10:05"}}, "if": "count(orders) > 0"}
    for trigger, minute in ((schedule, 5), (quiet("09:59", "10:08"), 8)):
        story = orders(Story(trigger, **capped(1, "1d")), 1)
        acted = next(one for one in story.decided(9) if one.outcome == "act")
        assert acted.minute == TEN + minute
        story.at(10).receipt(1, acted)
        if trigger is schedule:
            story.at(DAY + 6).tick()
        else:
            orders(story, 11)
        assert story.decided()[-1].outcome == "act"


def test_caps_count_what_they_name_and_transactional_stands_outside() -> None:
    for more, expected in (
        (capped(1, "1d", channels=["sms"]), "cap"), (capped(1, "1d", channels=["inbox"]), "act"),
        (capped(1, "1d", triggers=["t"]), "cap"), (capped(1, "1d", triggers=["u"]), "act"),
    ):  # fmt: skip
        assert orders(Story(ORDER, **more), 0, 1).told(2)[1] == (1, expected)
    outside = orders(Story({**ORDER, "purpose": "transactional"}, **capped(1, "1d")), 0, 1)
    assert outside.told(2)[1] == (1, "act")


def test_a_trigger_in_shadow_asks_the_caps_and_takes_nothing() -> None:
    story = orders(Story({**ORDER, "status": "shadow"}, **capped(1, "1d")), 0, 1)
    assert story.told(2) == [(0, "act"), (1, "act")]


@pytest.mark.parametrize(("priority", "winner"), [(0, "a"), (1, "b"), (-1, "a")])
def test_of_one_record_the_greater_priority_takes_the_last_slot(priority: int, winner: str) -> None:
    """Whether by the row itself or by a tag that it lets the customer enter; equal ones go by name."""
    event: dict[str, Any] = {"when": {"event": {"source": "carts", "where": "amount == 2"}}}
    enter: dict[str, Any] = {"when": {"enter": "full"}}
    for first, second in ((event, enter), (enter, event), (event, event)):
        triggers = {
            "a": {"name": "a", "action": {"channel": "sms"}, **first},
            "b": {"name": "b", "action": {"channel": "sms"}, "priority": priority, **second},
        }
        story = Story({}, triggers=triggers, **capped(1, "1d"))
        for key in (1, 2):
            story.at(key).row("carts", key, 1, amount=key)
        made = [(one.trigger, one.guard or one.outcome) for one in story.decided(3)]
        assert made == [(winner, "act"), ({"a", "b"}.difference({winner}).pop(), "cap")]


def test_of_what_an_opening_sets_off_the_greater_priority_takes_the_last_slot() -> None:
    """A tag is left at 11:00 and a schedule falls due at 11:00: neither is first because of its kind."""
    for priority, winner in ((1, "leaves"), (-1, "morning")):
        triggers: dict[str, dict[str, Any]] = {
            "leaves": {"when": {"leave": "full"}, "priority": priority},
            "morning": {"when": {"schedule": {"at": "11:00"}}, "if": "count(carts) > 0"},
        }
        declared = {n: {"name": n, "action": {"channel": "sms"}, **t} for n, t in triggers.items()}
        story = Story({}, triggers=declared, **capped(1, "1d"))
        for key in (1, 2):
            story.at(0).row("carts", key, 1)
        made = [(one.trigger, one.guard or one.outcome) for one in story.decided(70)]
        other = ({"leaves", "morning"} - {winner}).pop()
        assert made == [(winner, "act"), (other, "cap")]


def test_erasing_a_customer_forgets_slots_and_holds() -> None:
    """P7: whoever comes again is new."""
    story = orders(Story(quiet("10:05", "10:30"), **capped(1, "1d")), 0, 6)
    story.at(7).erase(1)
    orders(story, 40)
    assert story.told(50) == [(0, "act"), (6, "quiet_hours"), (40, "act")]
