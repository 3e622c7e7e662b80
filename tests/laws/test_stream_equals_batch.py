"""The law: what the engine holds at a minute is what a recompute from the rows alone gives for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.compare import compare
from reference.history import History
from reference.recompute import recompute_many
from reference.transitions import replay_small
from tests.laws.effort import LONG, effort
from tests.laws.run import Run
from tests.laws.shops import Small, small
from tests.laws.strategies import amounts, entries, long_waits, numbers, waits, write
from tests.laws.world import DELETE, IMPORT, MOVE_OUT, UPDATE, Log, Writer, frames_of, minutes_of


def some(minutes: Sequence[int], random: Any, most: int) -> list[int]:
    """Return some of the minutes, all of them when tried long: the recompute takes its time."""
    return random.sample(minutes, len(minutes) if LONG else min(most, len(minutes)))  # type: ignore[no-any-return]


def differences(world: Small, log: Log, minutes: list[int], partitions: int) -> list[str]:
    """Run to each of the minutes and compare everything with the recompute."""
    history = History(world.pieces, *frames_of(world, log, partitions))
    run = Run(world, partitions).feed(log)
    found: list[str] = []
    for recomputed in recompute_many(history, minutes, replay=history.customers.ids):
        held = run.to(recomputed.minute).held()
        found += [f"minute {recomputed.minute}: {one}" for one in compare(recomputed, held)]
    return found


@effort(10)
@given(numbers, entries(14, waits), st.sampled_from([1, 4]), st.randoms(use_true_random=False))
def test_metrics_scores_truth_and_membership_are_the_recompute_at_any_minute(
    number: int, live: list[Any], partitions: int, random: Any
) -> None:
    """L3, W5, W6, W9, M2, R1 to R5, G1, G2: at random minutes of a short live log (all of them when long)."""
    world = small(number)
    log = write(world.place, [], live)
    first, last = min(minutes_of(log)), max(minutes_of(log))
    span = range(first, last + 1)
    assert differences(world, log, sorted(some(span, random, 10)), partitions) == []


@effort(10)
@given(
    numbers,
    entries(14, long_waits),
    entries(6, waits),
    st.sampled_from([1, 4]),
    st.randoms(use_true_random=False),
)
def test_days_later_everything_is_still_the_recompute(
    number: int, imported: list[Any], live: list[Any], partitions: int, random: Any
) -> None:
    """L3, W3, W5, R1: windows end in the silence of days, in an import and in the live log behind it."""
    world = small(number)
    log = write(world.place, imported, live)
    minutes = {m + near for m in minutes_of(log) for near in (-1, 0, 1)}
    first, last = min(minutes_of(log)), max(minutes_of(log))
    minutes |= set(range(first, last, 1440))
    wanted = some(sorted(m for m in minutes if first <= m <= last), random, 10)
    assert differences(world, log, sorted(wanted), partitions) == []


@effort(40)
@given(numbers, entries(24, waits), st.sampled_from([1, 4]))
def test_transitions_are_those_of_judging_everybody_at_every_minute(
    number: int, live: list[Any], partitions: int
) -> None:
    """T3, G1, G2, G3, R3: each change once, at its step and minute, leaving first, with its since."""
    world = small(number)
    log = write(world.place, [], live)
    same_transitions(world, log, partitions)


def same_transitions(world: Small, log: Log, partitions: int) -> None:
    """Run a log and compare every transition, and who is a member since when, with judging by brute force."""
    last = max(minutes_of(log))
    run = Run(world, partitions).feed(log).to(last)
    expected = replay_small(world.pieces, *frames_of(world, log, partitions), last)
    found = sorted(run.outcome.transitions, key=lambda one: one.partition)
    told = [(one.partition, one.minute, one.customer, one.what, *_sides(one)) for one in found]
    assert told == [
        (one.partition, one.minute, one.customer, one.name, one.before, one.after) for one in expected
    ]
    steps = [(one.step, mine.step) for one, mine in zip(expected, found, strict=True) if one.step is not None]
    assert [mine for _, mine in steps] == [step for step, _ in steps]
    member = {(one.customer, one.name): one for one in expected if one.kind == "tag"}
    assert run.since() == {at: one.since for at, one in member.items() if one.after}


def test_customers_touched_by_one_opening_are_judged_in_the_order_of_their_ids() -> None:
    """T3 (6): twenty of them, whose windows end together; about half of the ids are negative."""
    world = small(0)
    writer = Writer(world.place.start)
    for customer in range(20):
        for key in (2 * customer, 2 * customer + 1):
            writer.row("orders", key, customer, amount=9, price=400, status="y")
    writer.wait(45)
    writer.tick()
    same_transitions(world, writer.log, 1)


@pytest.mark.parametrize("gone", [DELETE, MOVE_OUT])
@pytest.mark.parametrize("days", [0, 1, 3, 40])
def test_the_cut_points_of_a_population_that_is_empty_stay(gone: int, days: int) -> None:
    """R3, R5: everybody's orders are taken back; who comes later is scored by what was in force, in whole
    days too, until the next opening."""
    world = small(1)
    writer = Writer(world.place.start, IMPORT)
    for customer, back in ((1, 0), (2, 1500), (3, 2900), (4, 4400)):
        writer.row("orders", customer, customer, event=writer.minute - back, amount=customer, price=customer)
        writer.row("views", customer, customer, seconds=customer, page="a")
    writer.wait(9)
    for key, customer in enumerate((1, 2, 3, 4), start=1):
        for source in ("orders", "views"):
            if gone == DELETE:
                writer.row(source, key, customer, DELETE)
            else:  # what a source's own condition leaves out is gone as well
                writer.row(source, key, customer, UPDATE, event=writer.minute - 400_000, page="bot")
    writer.wait(days * 1440 + 3)
    for customer, back in ((1, 100), (2, 1600), (3, 4500)):
        writer.row("orders", 10 + customer, customer, event=writer.minute - back, amount=2, price=2)
    end = writer.minute
    writer.wait(5)
    writer.tick()
    assert differences(world, writer.log, [end - 1, end, end + 1, end + 5], 1) == []


crowd = st.lists(
    st.tuples(
        st.integers(0, 5), st.sampled_from([0, 0.5, 59.999999]), st.integers(-1, 0),
        st.sampled_from([0, 0, 0, 3]), amounts,
    ), min_size=4, max_size=10,
)  # fmt: skip


@effort(40)
@given(numbers, crowd)
def test_rows_of_one_minute_stand_in_the_order_of_their_event_times_and_keys(
    number: int, rows: list[Any]
) -> None:
    """W9, M3: first, last and all others, while the rows of two minutes come, change and go."""
    world = small(number)
    writer = Writer(world.place.start)
    for key, second, back, op, amount in rows:
        status = None if amount is None else str(amount)
        writer.row(
            "orders", key, 1, op, writer.minute + back, second, amount=amount, price=amount, status=status
        )
    writer.wait(12)
    writer.tick()
    assert differences(world, writer.log, [world.place.start, writer.minute], 1) == []


def _sides(one: Any) -> tuple[Any, Any]:
    if one.change == "segment":
        return one.before, one.after
    return one.change == "leave", one.change == "enter"
