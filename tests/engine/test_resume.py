"""A process that was stopped goes on: the record `resume` (semantics T2, D1)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.replay import Replay
from app.runtime import keep_settings
from app.shop import Shop
from engine.outcome import Decision, Transition, decisions, transitions
from engine.partition import EngineError
from streams.control import RESUME, Control
from streams.live import append_changes, append_controls, append_resume, append_ticks
from streams.log.log import Log
from streams.log.rows import read_control

TEN = 29539320  # 2026-03-01 10:00, a Sunday
HOUR, DAY = 60, 1440
SOURCE = {
    "key": ["id"], "references": [{"type": "member", "column": "m"}], "event_time": {"column": "at"},
}  # fmt: skip
WHEN: dict[str, Any] = {
    "nine": {"schedule": {"at": "09:00"}},
    "monday": {"schedule": {"at": "12:00", "days": ["mon"]}},
    "left": {"leave": "new"},
    "silent": {"absence": {"after": {"source": "orders"}, "of": {"source": "views"}, "within": "2h"}},
}


def shop_of(partitions: int) -> Shop:
    """Return a shop with a trigger of each kind that time sets off."""
    named = {name: {"name": name, "when": when, "action": {"channel": "sms"}} for name, when in WHEN.items()}
    named["waited"] = {**named["left"], "name": "waited", "for": "30h"}
    return Shop.model_validate({
        "settings": {"name": "stopping", "partitions": partitions},
        "sources": {name: {"name": name, **SOURCE} for name in ("orders", "views")},
        "tags": {"new": {"name": "new", "rule": 'count(orders, "12h") > 0'}},
        "triggers": named, "channels": {"sms": {}},
    })  # fmt: skip


class Story:
    """A log whose engine follows it record by record, or all at once."""

    def __init__(self, folder: Path, partitions: int = 1, at_once: bool = False) -> None:
        self.shop = shop_of(partitions)
        self.log = Log.create(folder, "stopping", partitions)
        self.at_once = at_once
        self.made: list[Decision] = []
        self.moved: list[Transition] = []
        keep_settings(self.log, self.shop)
        self.replay = Replay(self.log, self.shop, self._take)

    def _take(self, number: int, partition: Any, raw: Any) -> None:
        self.made += decisions(partition, number, raw)
        self.moved += transitions(partition, number, raw)

    def follow(self) -> None:
        if not self.at_once:
            self.replay.follow()

    def order(self, minute: int, member: int = 1) -> None:
        at = f"2026-03-01 {10 + minute // 60}:{minute % 60:02}"
        row = {"id": f"{minute}-{member}", "m": member, "at": at}
        append_changes(self.log, self.shop, "orders", [row], TEN + minute)
        self.follow()

    def ticks(self, minute: int) -> None:
        append_ticks(self.log, TEN + minute)
        self.follow()

    def resume(self, minute: int) -> int:
        written = append_resume(self.log, TEN + minute)
        self.follow()
        return written

    def told(self, trigger: str) -> list[tuple[int, str]]:
        """Return (minute after the start, outcome or guard) of each decision of a trigger."""
        self.replay.follow()
        made = sorted(self.made, key=lambda one: (one.minute, one.customer))
        return [(one.minute - TEN, one.guard or one.outcome) for one in made if one.trigger == trigger]


NINE = 23 * HOUR  # Monday 09:00
STOPS = [
    ("within a day, nothing missed", 12 * HOUR, [NINE, NINE + DAY]),
    ("over one due time", 30 * HOUR, [NINE, NINE + DAY]),
    ("over two due times, the last fires", 50 * HOUR, [NINE + DAY]),
    ("over three days, the last fires", 74 * HOUR, [NINE + 2 * DAY, NINE + 3 * DAY]),
    ("until the due minute itself", 71 * HOUR, [NINE + 2 * DAY, NINE + 3 * DAY]),
    ("until the minute before", 71 * HOUR - 1, [NINE + DAY, NINE + 2 * DAY, NINE + 3 * DAY]),
]


@pytest.mark.parametrize("at_once", [False, True], ids=["record by record", "at once"])
@pytest.mark.parametrize("partitions", [1, 4])
@pytest.mark.parametrize(("what", "stopped", "fires"), STOPS, ids=[stop[0] for stop in STOPS])
def test_a_schedule_missed_by_a_stop_fires_at_most_once(
    tmp_path: Path, what: str, stopped: int, fires: list[int], partitions: int, at_once: bool
) -> None:
    """T2, D1: the last of the missed due times; afterwards each one again."""
    story = Story(tmp_path, partitions, at_once)
    story.order(0)
    assert story.resume(stopped) == partitions
    end = 50 * HOUR if stopped <= 50 * HOUR else 96 * HOUR
    story.ticks(end)
    assert story.told("nine") == [(at, "act") for at in fires], what
    assert story.told("monday") == [(26 * HOUR, "act")]


def test_ticks_through_the_same_time_fire_each_day(tmp_path: Path) -> None:
    """D1: time that passes without anything happening is no stop."""
    story = Story(tmp_path, at_once=True)
    story.order(0)
    story.ticks(74 * HOUR)
    assert story.told("nine") == [(NINE + day * DAY, "act") for day in range(3)]


@pytest.mark.parametrize("partitions", [1, 4])
def test_all_but_schedules_is_as_if_ticks_had_passed(tmp_path: Path, partitions: int) -> None:
    """T2, T3: windows end, absences and waits fall due at their own minutes, live, and act."""
    through, over = Story(tmp_path / "a", partitions, True), Story(tmp_path / "b", partitions)
    for story, pass_on in ((through, Story.ticks), (over, Story.resume)):
        story.order(0)
        story.order(5, member=2)
        pass_on(story, 74 * HOUR)
        story.replay.follow()
    for trigger, due in (("left", 12 * HOUR), ("silent", 2 * HOUR + 1), ("waited", 42 * HOUR)):
        assert over.told(trigger) == [(due, "act"), (due + 5, "act")]
        assert through.told(trigger) == over.told(trigger)
    moved = [[(m.minute, m.customer, m.what, m.change, m.mode) for m in s.moved] for s in (through, over)]
    assert sorted(moved[0]) == sorted(moved[1])
    assert {mode for *_, mode in moved[1]} == {"live"}


def test_a_jump_without_the_record_still_stops_the_partition(tmp_path: Path) -> None:
    """T2: only the record of the jump itself counts, not one before or behind it."""
    story = Story(tmp_path)
    story.order(0)
    story.resume(3 * HOUR)
    with pytest.raises(EngineError, match="would jump 180 minutes without ticks"):
        story.order(6 * HOUR)
    story = Story(tmp_path / "behind", at_once=True)
    story.order(0)
    story.order(HOUR)
    story.resume(HOUR + 1)
    with pytest.raises(EngineError, match="would jump 60 minutes"):
        story.replay.follow()


def test_every_partition_must_have_been_stopped(tmp_path: Path) -> None:
    """T2: a resume in one of four partitions, a tick in the others."""
    story = Story(tmp_path, 4)
    story.order(0)
    append_controls(story.log, [Control(RESUME, bytes(16), "{}")], TEN + 99)
    with pytest.raises(EngineError, match="would jump 99 minutes"):
        story.replay.follow()


def test_a_resume_is_written_once_and_only_where_time_has_passed(tmp_path: Path) -> None:
    """T2: the clock never runs back."""
    with Log.create(tmp_path, "stopping", 2) as log:
        assert append_resume(log, TEN) == 0
        append_ticks(log, TEN)
        assert append_resume(log, TEN) == 0
        assert append_resume(log, TEN - 5) == 0
        assert append_resume(log, TEN + 99) == 2
        frame = read_control(log, kinds=["resume"])
    assert frame[["partition", "minute", "mode", "body"]].to_numpy().tolist() == [
        [0, TEN + 99, "live", "{}"], [1, TEN + 99, "live", "{}"],
    ]  # fmt: skip


def test_a_schedule_missed_by_an_import_is_not_made_up_for_by_a_resume(tmp_path: Path) -> None:
    """T5: the minutes since the last imported ones are import."""
    story = Story(tmp_path)
    append_ticks(story.log, TEN, "import")
    row = {"id": "1", "m": 1, "at": "2026-03-01 10:00"}
    append_changes(story.log, story.shop, "orders", [row], TEN, "import")
    story.resume(50 * HOUR)
    assert story.told("nine") == []
    assert story.told("left") == []
