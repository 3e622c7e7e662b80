"""Settings that change while decisions are held, slots taken, switches turned (semantics D5, G4)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.recount import recount
from app.replay import settings_body
from app.shop import Shop
from engine.outcome import Decision
from streams.control import SETTINGS, Control, receipt, switch
from streams.live import append_changes, append_controls, append_ticks
from tests.engine.story import TEN
from tests.laws.test_settings_change import row
from tests.laws.test_settings_edges import Changing, shop_of

EVENT: dict[str, Any] = {"when": {"event": {"source": "orders"}}}
QUIET = {"quiet_hours": {"from": "09:55", "until": "10:30", "then": "hold"}}


def told(story: Changing) -> list[tuple[int, str]]:
    story.replay.follow()
    assert recount(story.log, story.replay.shop, None)["differences"] == []
    return [(one.minute - TEN, one.guard or one.outcome) for one in story.made]


def capped(most: int, trigger: dict[str, Any] | None = None, **more: Any) -> Shop:
    """Return a shop with a cap of so many a day."""
    shop = shop_of({}, {**EVENT, **(trigger or {})}, ("orders",))
    guards = {"caps": {"day": {"most": most, "within": "1d"}} | more}
    return Shop.model_validate(
        shop.model_dump(by_alias=True) | {"settings": {"name": "changing", "guards": guards}}
    )


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"title": "new"}, [(0, "quiet_hours"), (30, "act")]),
        ({"status": "paused"}, [(0, "quiet_hours")]),
        ({"if": "count(orders) > 0"}, [(0, "quiet_hours")]),
        ({"guards": {}}, [(0, "quiet_hours"), (30, "act")]),  # its end stands, as it was told
    ],
)
def test_a_hold_goes_on_under_a_version_of_the_same_condition(
    tmp_path: Path, changed: dict[str, Any], expected: list[tuple[int, str]]
) -> None:
    held = {**EVENT, "guards": QUIET}
    old, new = shop_of({}, held, ("orders",)), shop_of({}, {**held, **changed}, ("orders",))
    assert told(Changing(tmp_path, old, new)) == expected


def test_a_held_decision_keeps_its_cause_when_sources_are_added(tmp_path: Path) -> None:
    """The source has another number under the new plan."""
    held = {**EVENT, "guards": QUIET}
    old, new = (shop_of({}, held, names) for names in (("orders",), ("a_new_one", "orders")))
    story = Changing(tmp_path, old, new)
    assert told(story) == [(0, "quiet_hours"), (30, "act")]
    assert story.made[0].cause == story.made[1].cause


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (capped(1), capped(1), "cap"),
        (capped(1), capped(2), "act"),
        (capped(20), capped(1), "cap"),
        (capped(1), capped(1, {"title": "new"}), "cap"),
        (capped(1), capped(1, {"if": "count(orders) > 0"}), "cap"),  # slots are the customer's
        (capped(1), capped(1, hour={"most": 9, "within": "1h"}), "cap"),
        (capped(1), capped(9, another={"most": 1, "within": "1h"}), "act"),  # a new cap begins empty
    ],
)
def test_slots_stay_taken_under_new_settings(
    tmp_path: Path, before: Shop, after: Shop, expected: str
) -> None:
    story = Changing(tmp_path, before, after)
    append_changes(story.log, after, "orders", [row(2, "a", TEN + 41, 5)], TEN + 41, "live")
    assert told(story) == [(0, "act"), (41, expected)]


def test_of_many_slots_the_newest_stay_when_a_cap_shrinks(tmp_path: Path) -> None:
    """Ten taken, then three a day: there is room once all but two are a day old."""
    wide, narrow = capped(20), capped(3)
    story = Changing(tmp_path, wide, wide)
    for n in range(9):
        append_changes(story.log, wide, "orders", [row(10 + n, "a", TEN + 41 + n, 5)], TEN + 41 + n, "live")
    append_controls(story.log, [Control(SETTINGS, None, settings_body(narrow))], TEN + 50, "live")
    for minute in (TEN + 1440 + 46, TEN + 1440 + 47):
        append_ticks(story.log, minute)
        append_changes(story.log, narrow, "orders", [row(minute, "a", minute, 5)], minute, "live")
    assert [one for one in told(story) if one[0] > 60] == [(1486, "cap"), (1487, "act")]


def salted(salt: str) -> Shop:
    """Return a shop with a cap of one a day and this salt."""
    dump = capped(1).model_dump(by_alias=True)
    dump["settings"]["guards"]["salt"] = salt
    return Shop.model_validate(dump)


@pytest.mark.parametrize(
    ("before", "after"),
    [(capped(1), capped(1, {"title": "new"})), (salted("2026"), salted("2027")), (capped(1), salted("2026"))],
)
def test_a_receipt_frees_a_slot_that_was_taken_before_the_settings_changed(
    tmp_path: Path, before: Shop, after: Shop
) -> None:
    """Another salt holds out other customers; whose slot it is does not change."""
    story = Changing(tmp_path, before, after)
    story.replay.follow()
    first: Decision = story.made[0]
    whom = bytes.fromhex(first.customer)
    failed = receipt(whom, first.id, first.trigger, first.minute, first.cause, "failed")
    append_controls(story.log, [failed], TEN + 41)
    append_changes(story.log, after, "orders", [row(2, "a", TEN + 42, 5)], TEN + 42, "live")
    assert told(story) == [(0, "act"), (42, "act")]


def test_a_switch_holds_whatever_the_settings_and_waits_for_what_it_names(tmp_path: Path) -> None:
    """It names a trigger that only the new settings have."""
    old = shop_of({}, EVENT, ("orders",))
    later = {"t": old.triggers["t"], "u": old.triggers["t"].model_copy(update={"name": "u"})}
    new = old.model_copy(update={"triggers": later})
    story = Changing(tmp_path, old, old)
    append_controls(story.log, [switch("trigger/u", True)], TEN + 41)
    append_controls(story.log, [Control(SETTINGS, None, settings_body(new))], TEN + 42, "live")
    append_changes(story.log, new, "orders", [row(2, "a", TEN + 43, 5)], TEN + 43, "live")
    story.replay.follow()
    assert [(one.trigger, one.guard) for one in story.made if one.minute == TEN + 43] == [
        ("t", ""), ("u", "kill_switch"),
    ]  # fmt: skip


@pytest.mark.parametrize(("status", "expected"), [("live", "act"), ("shadow", "cool_down")])
def test_a_cool_down_of_shadow_ends_with_it(tmp_path: Path, status: str, expected: str) -> None:
    """In shadow nobody was reached."""
    shadow = {**EVENT, "status": "shadow", "guards": {"cool_down": "1d"}}
    old, new = (shop_of({}, {**shadow, "status": one}, ("orders",)) for one in ("shadow", status))
    story = Changing(tmp_path, old, new)
    append_changes(story.log, new, "orders", [row(2, "a", TEN + 41, 5)], TEN + 41, "live")
    assert told(story) == [(0, "act"), (41, expected)]


def cool(**more: Any) -> Shop:
    """Return a shop of one trigger with a cool-down."""
    return shop_of({}, {**EVENT, "guards": {"cool_down": "1d"}, **more}, ("orders",))


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ((cool(), cool(title="new")), "cool_down"),
        ((cool(), cool(**{"if": "count(orders) > 0"})), "act"),
        ((cool(status="shadow"), cool()), "act"),
        ((cool(status="shadow"), cool(), cool(status="shadow")), "act"),
        ((capped(1), capped(1, {"title": "new"}), shop_of({}, EVENT, ("orders",)), capped(1)), "act"),
    ],
)
def test_cool_downs_and_slots_go_on_as_their_second_reading_has_it(
    tmp_path: Path, versions: tuple[Shop, ...], expected: str
) -> None:
    """The last: a cap that was away begins empty."""
    story = Changing(tmp_path, versions[0], versions[1])
    append_ticks(story.log, TEN + 49)
    for n, shop in enumerate(versions[2:]):
        append_controls(story.log, [Control(SETTINGS, None, settings_body(shop))], TEN + 50 + n, "live")
    append_changes(story.log, versions[-1], "orders", [row(2, "a", TEN + 53, 5)], TEN + 53, "live")
    assert told(story) == [(0, "act"), (53, expected)]
