"""Absence waits while the source of the awaited rows is stale (D4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.story import SOURCE, Story

AGE = 30
ABSENCE = {
    "when": {"absence": {"after": {"source": "carts"}, "of": {"source": "orders"}, "within": "10m"}},
    "guards": {"max_age": f"{AGE}m"},
}
DUE = 11


def story(trigger: dict[str, Any] | None = None, limit: str = "5m") -> Story:
    """Return the story of a shop whose orders are stale when not heard of for longer than ``limit``."""
    sources = {n: {"name": n, **SOURCE} for n in ("orders", "carts", "views")}
    sources["orders"]["stale_after"] = limit
    return Story(trigger or ABSENCE, sources=sources)


@pytest.mark.parametrize(
    ("heard", "told"),
    [
        ([], [(DUE + AGE + 1, "source_stale")]),  # never heard of: stale from the first live minute on
        ([5], [(DUE + AGE + 1, "source_stale")]),
        ([6], [(DUE, "act")]),  # five minutes ago is not longer than five minutes
        ([20], [(20, "act")]),
        ([DUE + AGE], [(DUE + AGE, "act")]),
        ([DUE + AGE + 1], [(DUE + AGE + 1, "source_stale")]),  # refused when that minute opened
        ([0, 5, 10, 15, 20], [(DUE, "act")]),
    ],
)
def test_an_absence_decides_when_its_source_is_fresh_or_is_refused_when_too_old(
    heard: list[int], told: list[tuple[int, str]]
) -> None:
    """D4."""
    case = story()
    case.at(0).row("carts", 1, 1)
    for minute in heard:
        case.at(minute).fresh("orders")
    assert case.told(90) == told


def test_a_smaller_minute_takes_no_freshness_back() -> None:
    """D4: the largest counts."""
    case = story()
    case.at(5).row("carts", 1, 1)
    case.at(15).fresh("orders")
    case.at(15).fresh("orders", case.start + 3)
    assert case.told(90) == [(5 + DUE, "act")]


def test_what_was_written_long_before_it_came_does_not_make_a_source_fresh() -> None:
    """D4: a feed that catches up says how far it has come; the last of its backlog ends the waiting."""
    case = story()
    case.at(0).row("carts", 1, 1)
    for until in (2, 8, 14):
        case.at(20).fresh("orders", case.start + until)
    assert case.told(20) == []
    case.at(21).fresh("orders", case.start + 16)
    case.at(22).row("carts", 2, 2, event=case.start + 10)
    assert case.told(90) == [(21, "act"), (21 + AGE + 1, "source_stale")]


@pytest.mark.parametrize(("dated", "told"), [(10, []), (11, [(20, "act")]), (-1, [(20, "act")])])
def test_an_awaited_row_that_comes_meanwhile_prevents_the_decision(
    dated: int, told: list[tuple[int, str]]
) -> None:
    """D4: if its event time lies inside the window."""
    case = story()
    case.at(0).row("carts", 1, 1)
    case.at(19).row("orders", 1, 1, event=case.start + dated)
    case.at(20).fresh("orders")
    assert case.told(90) == told


@pytest.mark.parametrize("heard", [20, None])
def test_an_awaited_row_prevents_the_refusal_too(heard: int | None) -> None:
    """D4: rows of B are kept for as long as an instance may wait (W3)."""
    case = story()
    case.at(0).row("carts", 1, 1)
    case.at(DUE + AGE).row("orders", 1, 1, event=case.start)
    assert case.told(90) == []


def test_waiting_changes_neither_the_id_nor_the_cause() -> None:
    """D2."""
    prompt, waited = story(), story()
    prompt.at(0).row("carts", 1, 1)
    prompt.at(10).fresh("orders")
    waited.at(0).row("carts", 1, 1)
    waited.at(30).fresh("orders")
    (first,), (second,) = prompt.decided(60), waited.decided(60)
    assert (first.minute - prompt.start, second.minute - waited.start) == (DUE, 30)
    assert (first.id, first.cause, first.outcome) == (second.id, second.cause, second.outcome)


def test_a_refusal_says_until_when_the_source_was_heard_of_and_its_limit() -> None:
    """D2: the guard with its figures."""
    case = story()
    case.at(0).row("carts", 1, 1)
    case.at(3).fresh("orders")
    (one,) = case.decided(90)
    assert one.figures == {"fresh_until": case.start + 3, "stale_after": 5}


@pytest.mark.parametrize("how", ["update", "delete", "anew"])
def test_a_retraction_of_a_withdraws_the_instance_that_waits(how: str) -> None:
    """D1: and an insert of the same key in its place is an instance of its own."""
    case = story()
    case.at(0).row("carts", 1, 1)
    writer = case.at(15)
    writer.row("carts", 1, 1, 2 if how == "update" else 3)
    if how == "anew":
        writer.row("carts", 1, 1, 1, event=case.start + 2)
    case.at(20).fresh("orders")
    assert case.told(90) == ([(20, "act")] if how == "anew" else [])


def test_several_decide_at_one_step_in_the_order_of_their_customers() -> None:
    """T3 (7), D4."""
    case = story()
    for customer in (3, 1, 2, 4):
        case.at(0).row("carts", customer, customer)
    case.at(20).fresh("orders")
    made = case.decided(90)
    assert [one.customer for one in made] == sorted((one.customer for one in made), key=signed)
    assert len({one.step for one in made}) == 1
    assert len(made) == 4


def signed(customer: str) -> tuple[int, int]:
    """Return the order of ids (W1)."""
    raw = bytes.fromhex(customer)
    return int.from_bytes(raw[:8], "big", signed=True), int.from_bytes(raw[8:], "big", signed=True)


def test_one_that_comes_when_it_is_due_already_waits_too() -> None:
    """D1, D4: a due time already past falls due now; one that is too old is late, stale or not."""
    case = story()
    case.at(50).row("carts", 1, 1, event=case.start + 20)
    case.at(50).row("carts", 2, 2, event=case.start + 1)
    case.at(55).fresh("orders")
    assert case.told(90) == [(50, "late"), (55, "act")]


def test_consent_and_cool_down_are_asked_when_the_waiting_ends() -> None:
    """D5: at the decision, not before."""
    guards = {"max_age": f"{AGE}m", "consent": "sms/marketing"}
    case = story({**ABSENCE, "guards": guards})
    case.at(0).row("carts", 1, 1)
    case.at(15).consent(1, True)
    case.at(20).fresh("orders")
    assert case.told(90) == [(20, "act")]


def test_a_source_that_is_never_stale_keeps_nobody_waiting() -> None:
    """D4."""
    case = story(limit="never")
    case.at(0).row("carts", 1, 1)
    assert case.told(90) == [(DUE, "act")]
