"""The life of a trigger is one table, drawn in a document; what waits while it changes is defined (D6)."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest

from app.recount import recount_of
from app.replay import settings_body
from app.shop import Shop
from engine.plan import build
from streams.control import SETTINGS, Control
from streams.live import append_changes, append_controls, append_ticks
from streams.log.rows import read_control
from tests.engine.story import TEN
from tests.laws.test_settings_change import row
from tests.laws.test_settings_edges import ABSENCE, Changing, shop_of, waiting_shop
from triggers.life import LIFE, Event, Impossible, State, after, diagram
from triggers.trigger import Pace, Trigger
from triggers.version import rule_of, version_of

DOCUMENT = Path(__file__).parents[2] / "docs" / "triggers.md"
OUT = (State.DRAFT, State.ARCHIVED)
EVENT: dict[str, Any] = {"when": {"event": {"source": "orders"}}}
HOLD = {**EVENT, "guards": {"quiet_hours": {"from": "09:55", "until": "10:30", "then": "hold"}}}
# What waits at minute 10, when the settings change: the trigger, the limit of its source, when it is due.
WAITING: dict[str, tuple[dict[str, Any], str, int]] = {
    "for": ({**EVENT, "for": "20m"}, "never", 20),
    "absence": ({"when": {"absence": ABSENCE | {"within": "15m"}}}, "never", 16),
    "stale absence": ({"when": {"absence": ABSENCE}}, "5m", 24),
    "hold": (HOLD, "never", 30),
}


def test_the_picture_in_the_document_is_the_table() -> None:
    assert f"```mermaid\n{diagram()}```" in DOCUMENT.read_text(encoding="utf-8")


def test_what_the_table_does_not_have_is_refused_with_what_can_be_done() -> None:
    for state, event in product(State, Event):
        if (state, event) in LIFE:
            assert after(state, event) is LIFE[state, event]
        else:
            with pytest.raises(Impossible, match="it can: "):
                after(state, event)


def test_a_trigger_goes_live_out_of_shadow_or_a_pause_and_out_of_the_archive_only_as_a_draft() -> None:
    before = {state for (state, _), following in LIFE.items() if following is State.LIVE}
    assert before == {State.SHADOW, State.PAUSED}
    assert {to for (state, _), to in LIFE.items() if state is State.ARCHIVED} == {State.DRAFT}


def test_the_status_of_a_file_is_a_state() -> None:
    assert set(get_args(Trigger.model_fields["status"].annotation)) == {state.value for state in State}


def changed(limit: str, trigger: dict[str, Any], status: State) -> Shop:
    """Return the shop of a trigger that waits, in some state."""
    guards = {"max_age": "20m"} | trigger.get("guards", {})
    return waiting_shop(limit, "20m", **trigger | {"guards": guards, "status": status.value})


TRANSITIONS = sorted({(state, to) for (state, _), to in LIFE.items() if state in (State.LIVE, State.SHADOW)})


@pytest.mark.parametrize("waits", sorted(WAITING))
@pytest.mark.parametrize(("before", "behind"), TRANSITIONS)
def test_what_waits_while_its_trigger_changes(
    tmp_path: Path, before: State, behind: State, waits: str
) -> None:
    """Between shadow and live it goes on, and is decided as the trigger stands by then; else it is over."""
    trigger, limit, due = WAITING[waits]
    story = Changing(tmp_path, changed(limit, trigger, before), changed(limit, trigger, behind))
    story.replay.follow()
    told = [(one.minute - TEN, one.status) for one in story.made if one.outcome != "held"]
    assert told == ([(due, behind.value)] if behind in (State.LIVE, State.SHADOW) else [])


@pytest.mark.parametrize("waits", sorted(WAITING))
@pytest.mark.parametrize("between", [State.PAUSED, *OUT])
def test_what_waits_survives_a_pause_and_no_draft(tmp_path: Path, between: State, waits: str) -> None:
    """The trigger is live again a minute before the instance is due."""
    trigger, limit, due = WAITING[waits]
    live, away = (changed(limit, trigger, one) for one in (State.LIVE, between))
    story = Changing(tmp_path, live, away, due - 1)
    story.replay.follow()
    told = [one.minute - TEN for one in story.made if one.outcome != "held"]
    assert told == ([due] if between is State.PAUSED else [])


@pytest.mark.parametrize(
    ("between", "expected"),
    [(State.PAUSED, "cool_down"), (State.LIVE, "cool_down"), (State.SHADOW, "cool_down"),
     (State.DRAFT, "act"), (State.ARCHIVED, "act")],
)  # fmt: skip
def test_a_pause_or_a_shadow_keeps_whom_a_trigger_has_reached(
    tmp_path: Path, between: State, expected: str
) -> None:
    """A cool-down of a live trigger that is away for half an hour, and live again."""
    said = {**EVENT, "guards": {"cool_down": "1d"}}
    live, away = (shop_of({}, {**said, "status": one.value}, ("orders",)) for one in (State.LIVE, between))
    story = Changing(tmp_path, live, away, 30)
    append_changes(story.log, live, "orders", [row(2, "a", TEN + 41, 5)], TEN + 41, "live")
    story.replay.follow()
    assert [one.guard or one.outcome for one in story.made] == ["act", expected]


@pytest.mark.parametrize(
    ("guards", "expected"),
    [({"cool_down": "30m"}, ["act", "act", "act"]), ({"cool_down": "1d"}, ["act", "cool_down", "cool_down"]),
     ({"once": True}, ["act", "once", "once"])],
)  # fmt: skip
def test_what_a_shadow_keeps_ends_with_it_and_what_was_live_goes_on(
    tmp_path: Path, guards: dict[str, Any], expected: list[str]
) -> None:
    """Live until 10, in shadow with an order of 41, its words changed, live again with an order of 55."""
    said = {**EVENT, "guards": guards}
    live, shadow, other = (
        shop_of({}, {**said, **more}, ("orders",))
        for more in ({}, {"status": "shadow"}, {"status": "shadow", "title": "new"})
    )
    story = Changing(tmp_path, live, shadow)
    for number, minute, shop, then in ((2, 41, shadow, other), (3, 55, live, None)):
        append_changes(story.log, shop, "orders", [row(number, "a", TEN + minute, 5)], TEN + minute, "live")
        for settings in (then, live) if then else ():
            append_ticks(story.log, TEN + minute + 5)
            append_controls(
                story.log, [Control(SETTINGS, None, settings_body(settings))], TEN + minute + 5, "live"
            )
    story.replay.follow()
    assert [one.guard or one.outcome for one in story.made] == expected
    assert recount_of(live).violations(story.made, read_control(story.log)) == []


@pytest.mark.parametrize("status", OUT)
def test_a_draft_decides_nothing_and_nothing_is_kept_for_it(tmp_path: Path, status: State) -> None:
    """Not even the metrics that it would need; what names it, a switch, waits for it."""
    said = {**EVENT, "if": 'count(orders, "77m") > 0'}
    live, away = (shop_of({}, {**said, "status": one.value}, ("orders",)) for one in (State.LIVE, status))
    assert build(away).trigger.names == []
    assert "trigger/t" not in build(away).switches
    metrics = [str(spec) for spec in build(away).metric.specs]
    assert metrics != [str(spec) for spec in build(live).metric.specs]
    story = Changing(tmp_path, away, away)
    append_ticks(story.log, TEN + 50)
    append_controls(story.log, [Control(SETTINGS, None, settings_body(live))], TEN + 50, "live")
    append_changes(story.log, live, "orders", [row(2, "a", TEN + 51, 5)], TEN + 51, "live")
    story.replay.follow()
    assert [(one.minute - TEN, one.outcome) for one in story.made] == [(51, "act")]


def test_a_rule_is_the_same_whatever_its_status_and_its_words_for_people() -> None:
    one = shop_of({}, EVENT, ("orders",)).triggers["t"]
    for same in ({"status": "shadow"}, {"title": "t"}, {"description": "d"}, {"owner": "o"}):
        other = one.model_copy(update=same)
        assert rule_of(other) == rule_of(one)
        assert version_of(other) != version_of(one)
    paced = one.action.model_copy(update={"pace": Pace(most=9, within="1m")})
    assert rule_of(one.model_copy(update={"action": paced})) == rule_of(one)
    for changes in ({"condition": "count(orders) > 1"}, {"priority": 1}, {"for_": "5m"}):
        assert rule_of(one.model_copy(update=changes)) != rule_of(one)
