"""Triggers, case by case: what stands against them, and how decisions are named (D2 to D5)."""

from __future__ import annotations

import hashlib
import json

from engine.outcome import decision_id
from tests.engine.story import ABSENCE, ORDER, TEN, WAIT, Story
from tests.laws.world import IMPORT, LIVE, customer_id


def test_consent_that_is_missing_withdrawn_or_over_refuses() -> None:
    """D5: granted until a minute acts in the minute before it."""
    story = Story({**ORDER, "guards": {"consent": "sms/marketing"}})
    story.at(0).row("orders", 0, 1)
    story.at(1).consent(1, True, TEN + 5)
    for minute in (2, 4, 5):
        story.at(minute).row("orders", minute, 1)
    story.at(6).consent(1, True)
    story.at(7).row("orders", 7, 1)
    story.at(8).consent(1, False)
    story.at(9).row("orders", 9, 1)
    assert story.told(10) == [
        (0, "consent"), (2, "act"), (4, "act"), (5, "consent"), (7, "act"), (9, "consent"),
    ]  # fmt: skip


def test_cool_down_refuses_before_its_end_and_refusals_do_not_prolong_it() -> None:
    """D5: acted at d, refused in the minutes before d + c, with its figures."""
    story = Story({**ORDER, "guards": {"cool_down": "30m"}})
    for minute in (0, 1, 29, 30, 59, 60):
        story.at(minute).row("orders", minute, 1)
    made = story.decided(61)
    told = [(one.minute - TEN, one.guard or one.outcome) for one in made]
    assert told == [
        (0, "act"),
        (1, "cool_down"),
        (29, "cool_down"),
        (30, "act"),
        (59, "cool_down"),
        (60, "act"),
    ]
    assert made[1].figures == {"acted_at": TEN, "cool_down": 30}


def test_late_is_older_than_max_age_and_the_first_guard_to_refuse_is_named() -> None:
    """D4, D5: 60 minutes is not older than 1h; an order without consent that is late is refused as late."""
    story = Story({**ORDER, "guards": {"max_age": "1h"}})
    story.at(0).row("orders", 1, 1, event=TEN - 60)
    story.at(0).row("orders", 2, 1, event=TEN - 61)
    made = story.decided(2)
    assert [one.guard or one.outcome for one in made] == ["act", "late"]
    assert made[1].figures == {"age": 61, "max_age": 60}
    story = Story({**ORDER, "guards": {"consent": "sms/marketing"}})
    story.at(0).row("orders", 1, 1, event=TEN - 120)
    assert story.told(2) == [(0, "late")]


def test_a_shadow_trigger_decides_and_is_marked_a_paused_one_decides_nothing() -> None:
    """D2."""
    story = Story({**ORDER, "status": "shadow", "guards": {"cool_down": "1h"}})
    story.at(0).row("orders", 1, 1)
    story.at(1).row("orders", 2, 1)
    assert [(one.status, one.outcome, one.guard) for one in story.decided(2)] == [
        ("shadow", "act", ""), ("shadow", "refused", "cool_down"),
    ]  # fmt: skip
    for trigger in (ORDER, ABSENCE, WAIT, {"when": {"schedule": {"at": "10:05"}}}):
        story = Story({**trigger, "status": "paused"})
        story.at(0).row("orders", 1, 1)
        story.at(1).row("carts", 1, 1)
        story.writer.row("carts", 2, 1)
        assert story.told(130) == []


def test_an_import_decides_nothing_and_leaves_no_instance_behind() -> None:
    """T5: also what falls due in the live minutes after it."""
    for trigger in (ORDER, ABSENCE, WAIT, {"when": {"enter": "full"}}):
        story = Story(trigger)
        story.writer.log.clear()
        story.writer.mode = IMPORT
        for minute in (0, 1):
            story.at(minute).row("orders", minute, 1)
            story.writer.row("carts", minute, 1, event=TEN + minute + 2)
        story.writer.mode = LIVE
        assert story.told(140) == []


def test_keys_that_came_later_are_no_part_of_a_version_until_they_are_used() -> None:
    """D2: decisions of a log that is older than these keys keep their ids."""
    weekly = Story({"when": {"schedule": {"at": "09:30", "days": ["mon"]}}}).shop.plan.trigger
    said = weekly.declared["t"].model_dump(mode="json", by_alias=True)
    del said["purpose"], said["priority"], said["action"]["coupon"], said["when"]["schedule"]["on"]
    del said["action"]["pace"]  # it is never a part: a broadcast under way may be given another
    del said["goal"]  # nor is this
    for key in ("once", "hold_out", "quiet_hours", "forecast"):
        del said["guards"][key]
    text = json.dumps(said, sort_keys=True, ensure_ascii=False)
    assert weekly.version("t") == hashlib.sha256(text.encode()).hexdigest()[:12]
    dated = Story({"when": {"schedule": {"at": "09:30", "on": ["2026-03-02"]}}}).shop.plan.trigger
    assert dated.version("t") != weekly.version("t")


def test_a_decision_is_named_by_trigger_version_customer_and_cause() -> None:
    """D2: the same on every replay; its cause is the row and its position."""
    story = Story(ORDER)
    story.at(0).row("orders", 42, 1, position=(0, 3, 7))
    (one,) = story.decided(1)
    cause = {"source": "orders", "key": f"{2**63:016x}{42:016x}", "position": [0, 3, 7]}
    assert one.cause == cause
    assert one.id == decision_id("t", story.shop.plan.trigger.version("t"), customer_id(1), cause)
    assert one.id == story.decided()[0].id


def test_the_decision_of_the_specification_has_its_id() -> None:
    """D2: the worked example."""
    cause = {"source": "orders", "key": f"{2**63:016x}{42:016x}", "position": [0, 0, 7]}
    found = decision_id("thanks", "0123456789ab", "ccf09baf3073fa7835007f02f8006297", cause)
    assert found == "5412ab8d57c001546015c43debe6a3f1"
