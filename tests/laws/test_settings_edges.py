"""Settings that change while something is under way (semantics G4)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.effects import Collector
from app.inspect import held_at
from app.replay import Replay, settings_body
from app.shop import Shop
from engine.outcome import Decision, Transition
from reference.pieces import Pieces
from streams.control import SETTINGS, Control
from streams.live import append_changes, append_controls, append_freshness, append_ticks
from streams.log.log import Log
from streams.log.settings import last_settings
from tests.engine.story import SOURCE, TEN
from tests.laws.test_settings_change import row


def shop_of(tags: dict[str, Any], trigger: dict[str, Any], sources: tuple[str, ...]) -> Shop:
    """Return a shop with one trigger, "t"."""
    return Shop.model_validate({
        "settings": {"name": "changing"}, "sources": {name: {"name": name, **SOURCE} for name in sources},
        "metrics": {"lately": 'count(orders, "8m")'},
        "tags": {n: {"name": n, **tag} for n, tag in tags.items()},
        "triggers": {"t": {"name": "t", "action": {"channel": "sms"}, **trigger}}, "channels": {"sms": {}},
    })  # fmt: skip


class Changing:
    """A log whose settings change ten minutes after its first row, and what came of it.

    back: how many minutes after its first row the old settings are in force again.
    """

    def __init__(self, folder: Path, old: Shop, new: Shop, back: int | None = None) -> None:
        self.log = Log.create(folder, "changing", 1)
        self.moved: list[Transition] = []
        self.made: list[Decision] = []
        append_controls(self.log, [Control(SETTINGS, None, settings_body(old))], TEN, "live")
        append_changes(self.log, old, "orders", [row(1, "a", TEN, 90)], TEN, "live")
        append_ticks(self.log, TEN + 9)
        append_controls(self.log, [Control(SETTINGS, None, settings_body(new))], TEN + 10, "live")
        if back is not None:
            append_ticks(self.log, TEN + back)
            append_controls(self.log, [Control(SETTINGS, None, settings_body(old))], TEN + back, "live")
        append_ticks(self.log, TEN + 40)
        self.replay = Replay(self.log, old, Collector(self._listen).take)

    def _listen(self, moved: list[Transition], made: list[Decision]) -> None:
        self.moved += moved
        self.made += made


TAGS = {"short": {"rule": "count(orders) > 0", "max": "5m"}}
EVENT = {"when": {"event": {"source": "orders"}}, "for": "20m"}


def test_a_tag_that_max_has_ended_sets_no_clock_back(tmp_path: Path) -> None:
    """G4, T2: what lies behind does not fall due again, and windows pass no edge twice."""
    old = shop_of(TAGS, EVENT, ("orders", "views"))
    new = shop_of({**TAGS, "other": {"rule": "count(views) > 0"}}, EVENT, ("orders", "views"))
    story = Changing(tmp_path, old, new)
    story.replay.follow()
    held = held_at(story.replay.engine, Pieces.of(new, new.triggers))
    assert held["metrics"]['count(orders, "8m")'].tolist() == [0]
    assert story.replay.engine.clock == TEN + 40


def test_a_waiting_trigger_keeps_its_cause_when_sources_are_added(tmp_path: Path) -> None:
    """G4, D2: the decision names the row's own source, and its id is the one it would have had."""
    old, new = (shop_of(TAGS, EVENT, names) for names in (("orders",), ("a_new_one", "orders")))
    changed, unchanged = Changing(tmp_path / "a", old, new), Changing(tmp_path / "b", old, old)
    for story in (changed, unchanged):
        story.replay.follow()
    assert [one.cause["source"] for one in changed.made] == ["orders"]
    assert [one.id for one in changed.made] == [one.id for one in unchanged.made]


def test_an_activation_stands_at_the_step_of_its_record(tmp_path: Path) -> None:
    """G4: "enters at step ...": the settings record's own."""
    old, new = (
        shop_of({**TAGS, "rich": {"rule": f"sum(orders.amount) >= {n}"}}, EVENT, ("orders",))
        for n in (100, 80)
    )
    story = Changing(tmp_path, old, new)
    story.replay.follow()
    control = [one for one in story.moved if one.mode == "activation"]
    assert [(one.what, one.minute, one.step) for one in control] == [
        ("rich", TEN + 10, _step_of_settings(story.log))
    ]


def _step_of_settings(log: Log) -> int:
    found = last_settings(log)
    assert found is not None
    return found[0]


def test_a_cool_down_survives_a_new_text_and_not_a_new_condition(tmp_path: Path) -> None:
    """G4: waiting, absence and cool-down survive only if their condition is unchanged."""
    guards = {"guards": {"cool_down": "1d"}}
    event = {"when": {"event": {"source": "orders"}}, **guards}
    for name, more, expected in (
        ("text", {"title": "new"}, "cool_down"),
        ("if", {"if": "count(orders) > 0"}, ""),
    ):
        old, new = shop_of({}, event, ("orders",)), shop_of({}, {**event, **more}, ("orders",))
        story = Changing(tmp_path / name, old, new)
        append_changes(story.log, new, "orders", [row(2, "a", TEN + 41, 5)], TEN + 41, "live")
        story.replay.follow()
        assert [one.guard for one in story.made] == ["", expected]


ABSENCE = {"after": {"source": "orders"}, "of": {"source": "views"}, "within": "2m"}


def waiting_shop(limit: str, max_age: str, **more: Any) -> Shop:
    """Return a shop in which no view within two minutes of an order is a reason to act."""
    trigger = {"when": {"absence": ABSENCE}, "guards": {"max_age": max_age}} | more
    sources = {name: {"name": name, **SOURCE} for name in ("orders", "views")}
    sources["views"]["stale_after"] = limit
    parts = shop_of({}, trigger, ("orders", "views")).model_dump(by_alias=True)
    return Shop.model_validate(parts | {"sources": sources})


@pytest.mark.parametrize(
    ("new", "told"),
    [
        (waiting_shop("5m", "20m"), [(24, "source_stale")]),  # due at 3, too old from 24 on
        (waiting_shop("5m", "20m", title="new"), [(24, "source_stale")]),
        (waiting_shop("5m", "25m"), [(29, "source_stale")]),
        (waiting_shop("5m", "6m"), [(10, "source_stale")]),  # at the step of the settings record
        (waiting_shop("never", "20m"), [(10, "act")]),
        (waiting_shop("5m", "20m", **{"if": "count(orders) > 0"}), []),
    ],
)
def test_an_absence_goes_on_waiting_for_its_source_under_new_settings(
    tmp_path: Path, new: Shop, told: list[tuple[int, str]]
) -> None:
    """G4, D4: its condition is unchanged, so it survives, and goes by the limits now in force."""
    story = Changing(tmp_path, waiting_shop("5m", "20m"), new)
    story.replay.follow()
    assert [(one.minute - TEN, one.guard or one.outcome) for one in story.made] == told


@pytest.mark.parametrize(
    ("trigger", "due"),
    [
        ({"when": {"absence": ABSENCE | {"within": "15m"}}}, 16),
        (EVENT, 20),
        ({"when": {"absence": ABSENCE}}, 24),  # due at 3, its source stays stale: refused when too old
    ],
)
def test_what_falls_due_while_its_trigger_is_paused_is_over(
    tmp_path: Path, trigger: dict[str, Any], due: int
) -> None:
    """D2: a paused trigger decides nothing; one that is live again when its instance falls due decides it."""
    limit = "5m" if due == 24 else "never"
    live = waiting_shop(limit, "20m", **trigger)
    paused = waiting_shop(limit, "20m", **trigger, status="paused")
    for again, expected in ((None, []), (due - 1, [due]), (due + 1, [])):
        story = Changing(tmp_path / f"{again}", live, paused, again)
        story.replay.follow()
        assert [one.minute - TEN for one in story.made] == expected


def test_how_fresh_a_source_is_survives_new_settings(tmp_path: Path) -> None:
    """G4, D4: freshness is told by records, which hold whatever the settings."""
    old, new = waiting_shop("15m", "20m"), waiting_shop("15m", "20m", title="new")
    story = Changing(tmp_path, old, new)
    with story.log.transaction():
        append_freshness(story.log, {"views": TEN + 40}, TEN + 40)
    append_changes(story.log, new, "orders", [row(2, "b", TEN + 40, 5)], TEN + 40, "live")
    append_ticks(story.log, TEN + 42)
    append_controls(story.log, [Control(SETTINGS, None, settings_body(old))], TEN + 42, "live")
    append_ticks(story.log, TEN + 60)
    story.replay.follow()
    assert [(one.minute - TEN, one.guard or one.outcome) for one in story.made] == [
        (24, "source_stale"), (43, "act"),
    ]  # fmt: skip
