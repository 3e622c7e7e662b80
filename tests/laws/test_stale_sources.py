"""Absences and the freshness of their source: against a second reading, and whatever the way (D4, L1, L4)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sinks.snapshots import folder as snapshots
from tests.laws.effort import effort
from tests.laws.run import Outcome, Run, run, unnumbered
from tests.laws.shops import small
from tests.laws.world import FRESH, ROW, UPSERT, Log, Record, Writer, customer_id

WORLD = small(0)
WITHIN, LIMIT, AGE = 3, 3, 9  # of the trigger "unseen" and its source

entry = st.one_of(
    st.tuples(st.just("orders"), st.integers(1, 4), st.integers(-14, 0)),
    st.tuples(st.just("views"), st.integers(1, 4), st.integers(-9, 0)),
    st.tuples(st.just("heard"), st.just(0), st.sampled_from([0, 0, -1, -2, -4, -8])),
    st.tuples(st.just("heard"), st.just(0), st.just(0)),
)
stories = st.lists(st.tuples(st.integers(0, 4), entry), min_size=10, max_size=24)


def write(story: list[Any]) -> Log:
    """Return a live log in which every row has a key of its own, and a quarter of an hour of silence."""
    writer = Writer(WORLD.place.start)
    for key, (minutes, (what, customer, shift)) in enumerate(story):
        writer.wait(minutes)
        if what == "heard":
            writer.fresh("views", writer.minute + shift)
        else:
            writer.row(what, key, customer, UPSERT, writer.minute + shift, page="a")
    writer.wait(20)
    writer.tick()
    return writer.log


def concluded(outcome: Outcome) -> list[tuple[str, int, str]]:
    """Return (customer, minute, guard or outcome) of the trigger's decisions, but for their refutations."""
    made = [one for one in outcome.decisions if one.trigger == "unseen" and one.outcome != "contradicted"]
    return sorted((one.customer, one.minute, one.guard or one.outcome) for one in made)


def expected(log: Log) -> list[tuple[str, int, str]]:
    """Read D4 once more: instance by instance, moment by moment."""
    orders = [at for at, record in enumerate(log) if record.source == "orders"]
    found = [(customer_id(log[at].customer), *made) for at in orders if (made := _conclude(log, at))]
    return sorted(found)


def _conclude(log: Log, at: int) -> tuple[int, str] | None:
    begun = log[at].event_us // 60_000_000
    due = begun + WITHIN + 1
    if log[at].minute - due > AGE:
        return log[at].minute, "late"
    for seen, clock in _moments(log, at, due):
        if clock - _fresh(seen) <= LIMIT:
            return None if _is_there(seen, log[at].customer, begun) else (clock, "act")
        if clock - due > AGE:
            return None if _is_there(seen, log[at].customer, begun) else (clock, "source_stale")
    return None


def _moments(log: Log, at: int, due: int) -> list[tuple[Log, int]]:
    """Return (records seen, clock) of every moment at which the instance is looked at, in order."""
    moments: list[tuple[Log, int]] = []
    if due <= log[at].minute:
        moments.append((log[: at + 1], log[at].minute))
    clock = log[at].minute
    for number in range(at + 1, len(log)):
        for minute in range(clock + 1, log[number].minute + 1):
            if minute in (due, due + AGE + 1):
                moments.append((log[:number], minute))
        clock = log[number].minute
        if log[number].kind == FRESH and clock >= due:
            moments.append((log[: number + 1], clock))
    return moments


def _fresh(seen: Log) -> int:
    return max((record.said["until"] for record in seen if record.kind == FRESH), default=0)


def _is_there(seen: Log, customer: int, begun: int) -> bool:
    def prevents(record: Record) -> bool:
        minute = record.event_us // 60_000_000
        own = record.kind == ROW and record.source == "views" and record.customer == customer
        return own and begun <= minute <= begun + WITHIN

    return any(prevents(record) for record in seen)


@effort(60)
@given(stories)
def test_an_absence_is_decided_as_the_clause_says(story: list[Any]) -> None:
    """D1, D4."""
    log = write(story)
    assert concluded(run(WORLD, log).outcome) == expected(log)


@effort(15)
@given(stories, st.integers(1, 24))
def test_what_waits_for_its_source_does_not_hang_on_batches_snapshots_or_partitions(
    story: list[Any], at: int
) -> None:
    """L1, L4: one record at a time, stopped in the middle, at P = 1, 4 and 16."""
    log = write(story)
    whole = run(WORLD, log)
    assert run(WORLD, log, 1, [1]).digest == whole.digest
    middle = log[min(at, len(log) - 1)].minute
    first = [record for record in log if record.minute < middle]
    before, after = Run(WORLD).feed(first).to(), Run(WORLD)
    with tempfile.TemporaryDirectory() as folder:
        snapshots.save(Path(folder), before.engine, "settings")
        (found,) = snapshots.newest(Path(folder))
        snapshots.load(found, after.engine)
    assert after.feed(log[len(first) :]).to().digest == whole.digest
    for parts in (4, 16):
        assert unnumbered(run(WORLD, log, parts).outcome) == unnumbered(whole.outcome)
