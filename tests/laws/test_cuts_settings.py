"""Cut points as records of a log, at work: reported, merged and appended minute by minute; settings change,
and the audit reads it all again (semantics R5, G4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from app.effects import Collector
from app.inspect import audit_minutes
from app.replay import Replay, holds_cuts, settings_body
from app.shop import Shop
from engine.outcome import Decision, Transition
from rfm.merge import merged
from rfm.model import RfmModel
from rfm.record import said
from rfm.report import Report
from sinks.snapshots import folder as snapshots
from streams.control import SETTINGS, Control, cuts
from streams.live import append_changes, append_controls, append_ticks
from streams.log.log import Log
from tests.engine.story import SOURCE, TEN
from tests.laws.test_settings_change import row

SEGMENTS: list[dict[str, Any]] = [{"name": "Top", "r": (2, 9), "f": (2, 9), "m": (1, 9)}]
MODELS: dict[str, dict[str, Any]] = {
    "rfm": {"bins": 3, "window": "30m"},
    "daily": {"bins": 2, "recency_unit": "day"},
    "mean": {"method": "mean", "recency_unit": "day"},
}
TAGS = {"top": {"rule": "rfm.f >= 2 || daily.m >= 2"}, "fine": {"rule": "mean.r == 2", "sticky": "5m"}}


def shop_of(**changed: dict[str, Any]) -> Shop:
    """Return a shop of four partitions; ``changed``: what its models declare otherwise."""
    common = {"frequency": "count(orders)", "monetary": "sum(orders.amount)", "segments": SEGMENTS}
    models = [{"name": name, **common, **of, **changed.get(name, {})} for name, of in MODELS.items()]
    return Shop.model_validate({
        "settings": {"name": "apart", "partitions": 4}, "sources": {"orders": {"name": "orders", **SOURCE}},
        "rfm": models, "tags": {name: {"name": name, **tag} for name, tag in TAGS.items()},
    })  # fmt: skip


class Work:
    """A log to which the cut points of its own partitions are appended: those of each minute amid it."""

    def __init__(self, folder: Path, shop: Shop) -> None:
        self.shop, self.minute = shop, TEN
        self.log = Log.create(folder, "apart", 4)
        self.moved: list[Transition] = []
        self.replay = Replay(self.log, shop, Collector(self._listen).take, apart=True)
        self.reports: dict[str, dict[int, Report]] = {}
        assert self.replay.engine.apart is not None
        self.replay.engine.apart.report = self._keep
        self.random, self.rows = Random(5), 0
        append_controls(self.log, [Control(SETTINGS, None, settings_body(shop))], TEN, "live")

    def _listen(self, moved: list[Transition], _: list[Decision]) -> None:
        self.moved += moved

    def _keep(self, partition: int, _: int, models: Mapping[str, Report]) -> None:
        for name, report in models.items():
            self.reports.setdefault(name, {})[partition] = report

    def minutes(self, count: int, take: bool = True) -> None:
        """Let minutes pass, with an order now and then; take: append cut points."""
        for _ in range(count):
            self.minute += 1
            append_ticks(self.log, self.minute)
            self.replay.follow()
            if take:
                append_controls(self.log, [cuts(self.body(self.shop.rfm))], self.minute)
            self.rows += 1
            orders = [row(self.rows, f"m{self.random.randrange(12)}", self.minute, self.random.randrange(90))]
            append_changes(self.log, self.shop, "orders", orders, self.minute, "live")
            self.replay.follow()

    def silence(self, minutes: int) -> None:
        """Let minutes pass in which nothing comes, no cut points either."""
        self.minute += minutes
        append_ticks(self.log, self.minute)
        self.replay.follow()

    def body(self, models: list[RfmModel]) -> dict[str, Any]:
        """Return the cuts record of the minute, from the reports of its opening."""
        told = [(m, merged(m, [*self.reports[m.name].values()])) for m in models if m.name in self.reports]
        return said(self.minute, told)

    def change(self, shop: Shop) -> None:
        """Let other settings be in force from now on."""
        self.shop, self.reports = shop, {}
        append_controls(self.log, [Control(SETTINGS, None, settings_body(shop))], self.minute, "live")
        self.replay.follow()

    def scored(self) -> dict[str, bool]:
        """Return of which models anybody has a score."""
        found = {}
        for model, plan in enumerate(self.replay.engine.plan.models):
            partitions = self.replay.engine.partitions
            found[plan.model.name] = any((p.per_customer("score_r")[:, model] > 0).any() for p in partitions)
        return found

    def differences(self, minute: int | None = None) -> list[Any]:
        """Return what the audit finds."""
        found: list[Any] = audit_minutes(self.log, self.shop, self.minute, minute, None, 1)["differences"]
        return found


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    at_work = Work(tmp_path, shop_of())
    yield at_work
    at_work.log.close()


def test_a_log_that_holds_its_own_cut_points_is_audited_under_them(work: Work) -> None:
    """R5, L5: four partitions; at the clock, and at minutes before it."""
    work.minutes(40)
    assert work.scored() == dict.fromkeys(MODELS, True)
    assert holds_cuts(work.log)
    assert work.differences() == []
    assert work.differences(TEN + 17) == []
    assert work.differences(TEN + 33) == []


def test_the_audit_finds_a_record_whose_numbers_are_not_those_of_its_minute(work: Work) -> None:
    """R5: one partition too few was asked."""
    work.minutes(9)
    work.minute += 1
    append_ticks(work.log, work.minute)
    work.replay.follow()
    for reports in work.reports.values():
        del reports[next(number for number, report in reports.items() if report.frequency.size)]
    append_controls(work.log, [cuts(work.body(work.shop.rfm))], work.minute)
    work.replay.follow()
    wrong = {(one["minute"], one["what"]) for one in work.differences()}
    assert {(work.minute, f"cuts rfm.size in partition {p}") for p in range(4)} <= wrong
    assert {(work.minute, f"cuts mean.sums in partition {p}") for p in range(4)} <= wrong
    assert {minute for minute, _ in wrong} == {work.minute}  # scores are compared under what is in force


def test_an_unchanged_model_keeps_its_cut_points_and_a_changed_one_has_none_until_a_record_comes(
    work: Work,
) -> None:
    """G4, R5: nobody who is scored as before moves; a record about the former version is passed over."""
    work.minutes(20)
    former = work.shop.rfm
    work.moved.clear()
    work.change(shop_of(rfm={"bins": 4}))
    assert work.scored() == {"rfm": False, "daily": True, "mean": True}
    assert {one.what for one in work.moved if one.change == "segment"} == {"rfm"}
    assert work.differences() == []
    work.minutes(3, take=False)
    append_controls(work.log, [cuts(said(work.minute, [(former[0], merged(former[0], []))]))], work.minute)
    work.replay.follow()
    assert work.scored() == {"rfm": False, "daily": True, "mean": True}
    work.minutes(1)
    assert work.scored() == dict.fromkeys(MODELS, True)
    work.minutes(9)
    assert work.differences() == []


def test_recency_in_days_goes_on_with_the_clock_behind_a_change_of_other_settings(work: Work) -> None:
    """G4, R5: whole days grow at each customer's own minute of the day, by what was taken over."""
    work.minutes(20)
    work.change(shop_of(rfm={"bins": 4}))
    work.silence(1447)
    assert work.differences() == []
    assert work.differences(work.minute - 5) == []


def test_a_model_that_is_again_what_it_was_has_no_old_cut_points(work: Work) -> None:
    """G4, R5: its former records are of settings that have ended."""
    work.minutes(20)
    work.change(shop_of(daily={"bins": 3}))
    work.minutes(5)
    work.change(shop_of())
    assert work.scored() == {"rfm": True, "daily": False, "mean": True}
    work.minutes(2, take=False)
    assert work.scored() == {"rfm": True, "daily": False, "mean": True}
    assert work.differences() == []
    work.minutes(5)
    assert work.scored() == dict.fromkeys(MODELS, True)
    assert work.differences() == []


def test_a_segment_that_is_renamed_keeps_the_cut_points(work: Work) -> None:
    """G4: segments only name scores."""
    work.minutes(20)
    work.moved.clear()
    work.change(shop_of(rfm={"segments": [{**SEGMENTS[0], "name": "Best"}]}))
    assert work.scored() == dict.fromkeys(MODELS, True)
    changed = [(one.what, one.before, one.after) for one in work.moved]
    assert set(changed) == {("rfm", None, "Best")}  # a name that is gone is no segment
    assert work.differences() == []


def test_a_snapshot_behind_a_change_of_settings_goes_on_the_same(work: Work, tmp_path: Path) -> None:
    """L1, G4: what was taken over is in it."""
    work.minutes(12)
    work.change(shop_of(mean={"recency_unit": "minute"}))
    snapshots.save(tmp_path / "snapshots", work.replay.engine, work.replay.version)
    (found,) = snapshots.newest(tmp_path / "snapshots")
    another = Replay(work.log, work.shop, lambda *_: None, apart=True)
    snapshots.load(found, another.engine)
    work.minutes(12)
    work.silence(1440)  # until recency in days has grown
    work.minutes(12)
    another.follow()
    digests = [[d.hexdigest() for d in engine.digests] for engine in (another.engine, work.replay.engine)]
    assert digests[0] == digests[1]
    assert another.engine.cuts == work.replay.engine.cuts
