"""Timelines: what a step hands to the engine, what is compared, and that untested rules fail."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.load import read_folder
from app.moments import parse_moment
from app.shop import Shop
from app.timelines.expect import compare_customer, compare_decisions
from app.timelines.rows import file_row, known_columns, unknown_columns
from app.timelines.run import RuleResult, run_timelines
from app.timelines.timeline import Decided, Expect
from streams.contract.source import Column, EventTime, Reference, Source, Via
from tests.app.little_shop import GOOD, write_shop

START = parse_moment("2026-03-01 09:00", None, "Asia/Shanghai")
ORDERS = Source(
    name="orders",
    key=["order_id"],
    references=[Reference(type="member", column="member_id")],
    event_time=EventTime(column="created_at"),
    columns={"amount": Column(type="decimal", product=["price", "pieces"]), "status": Column(type="text")},
)


class SpendCounts:
    """Stands in for the engine: tag vip is held from 5,000.00 on, and hello decides on entering it."""

    def __init__(self, _shop: object) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.minute = 0
        self.spend = 0
        self.taken: list[dict[str, Any]] = []

    def advance_to(self, minute: int) -> None:
        self.minute = minute
        self.calls.append(("advance", minute - START))

    def rows(self, source: str, rows: list[Mapping[str, Any]], minute: int, operation: str) -> None:
        self.calls.append(("rows", source, operation, minute - START))
        before = self.spend
        self.spend += sum(int(float(row["amount"] or 0) * 100) for row in rows)
        if before < 500_000 <= self.spend:
            decision = {
                "minute": minute,
                "customer": "c1",
                "trigger": "hello",
                "outcome": "act",
                "guard": None,
            }
            self.taken.append(decision)

    def control(self, kind: str, customer: str, body: Mapping[str, object], minute: int) -> None:
        self.calls.append((kind, customer, dict(body)))

    def customer(self, reference: str) -> dict[str, Any] | None:
        if not self.spend:
            return None
        held: dict[str, Any] = {"vip": {}} if self.spend >= 500_000 else {"普通": {}}
        scores = {"frequency": 1, "segment": "Best"}
        return {"id": "c1", "metrics": {"spend": self.spend}, "tags": held, "rfm": {"rfm": scores}}

    def decisions(self) -> list[dict[str, Any]]:
        return self.taken


TIMELINE = """\
start: 2026-03-01 09:00
customer: member:M1
cases:
  - name: two orders
    steps:
      - insert: {orders: [{order_id: 1, member_id: M1, amount: 4999.99}]}
        expect: {not_tags: [vip], metrics: {spend: 499999}, decisions: []}
      - at: +10m
        insert: {orders: [{order_id: 2, member_id: M1, amount: 0.01}]}
        expect: {tags: [vip], decisions: [{outcome: act, at: +10m}]}
      - {at: +20m, expect: {metrics: {spend: 500000}, decisions: []}}  # none since the step before
"""
ORDINARY = """\
start: 2026-03-01 09:00
customer: member:M1
cases:
  - name: two orders
    steps:
      - insert: {orders: [{order_id: 1, member_id: M1, amount: 4999.99}]}
        expect: {tags: [普通]}
      - at: +10m
        insert: {orders: [{order_id: 2, member_id: M1, amount: 0.01}]}
        expect: {not_tags: [普通]}
"""
TESTED = {
    "tags/vip.test.yaml": TIMELINE,
    "tags/普通.test.yaml": ORDINARY,
    "triggers/hello.test.yaml": TIMELINE,
}


def results(folder: Path, changes: Mapping[str, str | None]) -> dict[str, RuleResult]:
    written = read_folder(write_shop(folder, {**TESTED, **changes}))
    found = run_timelines(written, lambda shop, _: SpendCounts(shop))
    return {f"{one.kind}/{one.name}": one for one in found}


def test_rules_with_a_firing_and_a_non_firing_case_that_hold_pass(tmp_path: Path) -> None:
    found = results(tmp_path, {})
    assert {name: (one.passed, one.failures) for name, one in found.items()} == {
        "tags/vip": (True, []),
        "tags/普通": (True, []),
        "triggers/hello": (True, []),
    }


@pytest.mark.parametrize("status", ["draft", "shadow", "paused", "archived"])
def test_a_timeline_tests_the_rule_of_a_trigger_whatever_its_status(tmp_path: Path, status: str) -> None:
    changes = {**TESTED, "triggers/hello.yaml": f"{GOOD['triggers/hello.yaml']}status: {status}\n"}
    seen: list[str] = []

    def sandbox(shop: Shop, _: object) -> SpendCounts:
        seen.append(shop.triggers["hello"].status)
        return SpendCounts(shop)

    run_timelines(read_folder(write_shop(tmp_path, changes)), sandbox)
    assert seen == [status, status, "live"]  # of the two tags, and of the trigger's own


def test_a_rule_without_a_timeline_fails(tmp_path: Path) -> None:
    failed = results(tmp_path, {"triggers/hello.test.yaml": None})["triggers/hello"]
    assert not failed.passed
    assert failed.failures[0].where == "triggers/hello.yaml:1"
    assert failed.failures[0].text == "has no timeline: write triggers/hello.test.yaml"


@pytest.mark.parametrize(
    ("old", "new", "missing"),
    [
        ("tags: [vip], decisions: [{", "decisions: [{", "has no case in which the rule fires"),
        ("not_tags: [vip], ", "", "has no case in which the rule does not fire"),
    ],
)
def test_a_tag_without_a_case_of_each_kind_fails(tmp_path: Path, old: str, new: str, missing: str) -> None:
    failed = results(tmp_path, {"tags/vip.test.yaml": TIMELINE.replace(old, new)})["tags/vip"]
    assert not failed.passed
    assert [one.text for one in failed.failures] == [missing]


@pytest.mark.parametrize(
    ("old", "new", "missing"),
    [
        (", decisions: [{outcome: act, at: +10m}]", "", "has no case in which the rule fires"),
        (", decisions: []", "", "has no case in which the rule does not fire"),
    ],
)
def test_a_trigger_without_a_case_of_each_kind_fails(
    tmp_path: Path, old: str, new: str, missing: str
) -> None:
    changed = TIMELINE.replace(old, new)
    failed = results(tmp_path, {"triggers/hello.test.yaml": changed})["triggers/hello"]
    assert [one.text for one in failed.failures] == [missing]


def test_what_does_not_hold_is_told_at_its_line_with_what_was_found(tmp_path: Path) -> None:
    wrong = TIMELINE.replace("499999", "1").replace("at: +10m}]", "at: +11m}]")
    failed = results(tmp_path, {"triggers/hello.test.yaml": wrong})["triggers/hello"]
    assert [(one.where, one.case, one.text) for one in failed.failures] == [
        ("triggers/hello.test.yaml:7", "two orders", "spend is 499999, expected 1"),
        ("triggers/hello.test.yaml:10", "two orders", "decision 1 is: 2026-03-01 09:10 hello act"),
    ]


def test_a_step_hands_over_manual_tags_and_consent_before_its_rows(tmp_path: Path) -> None:
    sandboxes: list[SpendCounts] = []

    def sandbox(shop: object, _: object) -> SpendCounts:
        sandboxes.append(SpendCounts(shop))
        return sandboxes[-1]

    step = """\
start: 2026-03-01 09:00
customer: member:M1
cases:
  - name: all at once
    steps:
      - at: +1h
        insert: {orders: [{order_id: 1, member_id: M1}]}
        update: {orders: [{order_id: 1, member_id: M1}]}
        manual: [{tag: vip, on: true, until: +2h}]
        consent: [{channel: sms, purpose: marketing, granted: true, customer: "member:M2"}]
"""
    folder = read_folder(write_shop(tmp_path, {"tags/vip.test.yaml": step}))
    run_timelines(folder, sandbox)
    assert sandboxes[0].calls == [
        ("advance", 0),
        ("advance", 60),
        ("manual", "member:M1", {"tag": "vip", "on": True, "until": START + 120}),
        (
            "consent",
            "member:M2",
            {"channel": "sms", "purpose": "marketing", "granted": True, "until": None},
        ),
        ("rows", "orders", "insert", 60),
        ("rows", "orders", "update", 60),
    ]


def test_a_row_has_every_column_of_the_file_and_the_step_as_event_time() -> None:
    row = file_row(ORDERS, {"order_id": 7, "price": "2.50", "pieces": True}, START, "Asia/Shanghai")
    assert row == {
        "order_id": "7",
        "created_at": "2026-03-01 09:00:00",
        "member_id": None,
        "price": "2.50",
        "pieces": "true",
        "status": None,
    }
    assert known_columns(ORDERS) == list(row)
    assert unknown_columns(ORDERS, {"amount": 1, "order_id": 2}) == ["amount"]


def test_a_row_that_its_parent_dates_has_no_event_time_of_its_own() -> None:
    """W8: neither a column that could be named, nor the step's minute."""
    via = Via(source="orders", column="order_id")
    refunds = Source(name="refunds", key=["refund_id"], via=via, event_time=EventTime(parent=True))
    assert file_row(refunds, {"refund_id": 1}, START, "UTC") == {"refund_id": "1", "order_id": None}
    assert unknown_columns(refunds, {"created_at": "2026-03-01"}) == ["created_at"]


def test_an_unknown_customer_holds_no_tag() -> None:
    assert list(compare_customer(Expect(not_tags=["vip"]), None)) == []
    assert list(compare_customer(Expect(tags=["vip"]), None)) == [
        (("tags",), "tag 'vip' is not held; held are: none")
    ]


def test_null_is_expected_by_naming_it() -> None:
    profile = {"tags": {}, "metrics": {"last": None}, "rfm": {"rfm": {"r": None, "f": 3}}}
    expect = Expect.model_validate({"metrics": {"last": None}, "rfm": {"rfm": {"r": None}}})
    assert list(compare_customer(expect, profile)) == []
    expect = Expect.model_validate({"rfm": {"rfm": {"f": None}}})
    assert [text for _, text in compare_customer(expect, profile)] == ["rfm.f is 3, expected null"]


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        ([], ["0 decisions expected, found 1: 1970-01-01 00:05 hello refused (consent)"]),
        ([Decided(outcome="refused", guard="consent", at="+5m")], []),
        ([Decided(outcome="refused")], []),
        ([Decided(outcome="act")], ["decision 1 is: 1970-01-01 00:05 hello refused (consent)"]),
        (
            [Decided(outcome="refused", guard="cool_down")],
            ["decision 1 is: 1970-01-01 00:05 hello refused (consent)"],
        ),
        ([Decided(outcome="act", trigger="other")], []),
        ([Decided(outcome="refused", trigger="other")], ["decision 1 is: 1970-01-01 00:06 other act"]),
    ],
)
def test_decisions_are_compared_whole_for_the_triggers_that_are_meant(
    expected: list[Decided], told: list[str]
) -> None:
    found = [
        {"minute": 5, "trigger": "hello", "outcome": "refused", "guard": "consent"},
        {"minute": 6, "trigger": "other", "outcome": "act", "guard": None},
    ]
    assert list(compare_decisions(expected, found, "hello", lambda at: int(at[1:-1]), "UTC")) == told
