"""Cut points as records: partitions apart are one shop all the same (semantics R5, L1, L4)."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.compare import compare
from reference.history import History
from reference.recompute import recompute_many
from reference.record_numbers import wrong_records
from reference.transitions import replay_small
from sinks.snapshots import folder as snapshots
from tests.laws.apart import Partitions, disturbed, listen, minutes_of, ticked, with_cuts
from tests.laws.effort import effort
from tests.laws.run import Run, run, same_frames, unnumbered
from tests.laws.shops import small
from tests.laws.strategies import entries, long_waits, numbers, waits, write
from tests.laws.test_stream_equals_batch import _sides, some
from tests.laws.world import DELETE, IMPORT, Writer, frames_of_parts

imports = st.one_of(st.just([]), entries(8, long_waits))
lives = entries(14, waits)


@effort(6)
@given(numbers, imports, lives, st.booleans())
def test_records_that_open_their_own_minute_make_partitions_apart_one_engine(
    number: int, imported: list[Any], live: list[Any], always: bool
) -> None:
    """L4, R5: with C = T the final state, transitions and decisions are those of one engine."""
    world = small(number)
    # beyond its horizon a key's old customer may be forgotten where the new one lives elsewhere (W3, W7)
    imported, live = ([e for e in part if e[1][0] != "again"] for part in (imported, live))
    log = write(world.place, imported, live)
    one = run(world, log)
    for parts in (1, 4, 16):
        records = ticked(log, parts)
        minutes = minutes_of(world, log, records)
        many = Partitions(world, parts).feed(with_cuts(records, minutes, always)).to()
        same_frames(many.held(), one.held())
        assert many.since() == one.since()
        assert unnumbered(many.outcome) == unnumbered(one.outcome)
        taken = {name: cuts for name, cuts in one.engine.cuts.items() if not name.startswith("fixed")}
        for engine in many.engines:
            held = engine.cuts
            if always:  # the newest record says the same of a later minute
                held = {name: replace(cuts, minute=taken[name].minute) for name, cuts in held.items()}
            assert held == taken


@effort(6)
@given(numbers, imports, lives, st.sampled_from([1, 4]), st.randoms(use_true_random=False))
def test_records_late_lost_and_doubled_are_in_force_as_the_reference_reads_them(
    number: int, imported: list[Any], live: list[Any], parts: int, random: Any
) -> None:
    """R5, L3: at random minutes everything is the recompute under the record in force in each partition."""
    world = small(number)
    log = write(world.place, imported, live)
    records = ticked(log, parts)
    minutes = minutes_of(world, log, records)
    records = disturbed(records, minutes, random)
    history = History(world.pieces, *frames_of_parts(world, records))
    assert wrong_records(history) == []
    run = Partitions(world, parts).feed(records)
    found = []
    wanted = sorted(some(sorted({m + k for m in minutes for k in (0, 1)} - {max(minutes) + 1}), random, 10))
    for recomputed in recompute_many(history, wanted, replay=history.customers.ids):
        held = run.to(recomputed.minute).held()
        found += [f"minute {recomputed.minute}: {one}" for one in compare(recomputed, held)]
    assert found == []


@effort(8)
@given(numbers, entries(20, waits), st.sampled_from([1, 4]), st.randoms(use_true_random=False))
def test_whoever_a_record_scores_otherwise_is_judged_once_in_the_order_of_ids(
    number: int, live: list[Any], parts: int, random: Any
) -> None:
    """R5, T3: transitions at the record's opening or step are those of judging everybody by brute force."""
    world = small(number)
    log = write(world.place, [], live)
    records = ticked(log, parts)
    records = disturbed(records, minutes_of(world, log, records), random)
    last = max(record.minute for record in log)
    run = Partitions(world, parts).feed(records).to(last)
    expected = replay_small(world.pieces, *frames_of_parts(world, records), last)
    found = run.outcome.transitions
    told = [(one.partition, one.minute, one.customer, one.what, *_sides(one)) for one in found]
    assert told == [
        (one.partition, one.minute, one.customer, one.name, one.before, one.after) for one in expected
    ]
    steps = [(one.step, mine.step) for one, mine in zip(expected, found, strict=True) if one.step is not None]
    assert [mine for _, mine in steps] == [step for step, _ in steps]


@effort(10)
@given(numbers, imports, lives, st.floats(0, 1), st.sampled_from([1, 4]), st.randoms(use_true_random=False))
def test_a_snapshot_anywhere_and_its_restoration_are_no_stop(
    number: int, imported: list[Any], live: list[Any], at: float, parts: int, random: Any
) -> None:
    """L1: also between two records of a minute; what is reported afterwards is the same too."""
    world = small(number)
    log = write(world.place, imported, live)
    records = ticked(log, parts)
    records = disturbed(records, minutes_of(world, log, records), random)
    whole, reports = Partitions(world, parts), []
    for engine in whole.engines:
        reports.append(listen(engine))
    whole.feed(records).to()
    before, after = Partitions(world, parts), Partitions(world, parts)
    before.feed([part[: int(at * len(part))] for part in records]).to()
    later = [_moved(one, another) for one, another in zip(before.engines, after.engines, strict=True)]
    after.feed([part[int(at * len(part)) :] for part in records]).to()
    assert after.digest == whole.digest
    same_frames(after.held(), whole.held())
    assert after.since() == whole.since()
    assert [engine.cuts for engine in after.engines] == [engine.cuts for engine in whole.engines]
    for told, all_told in zip(later, reports, strict=True):
        assert told.items() <= all_told.items()


def _moved(before: Any, after: Any) -> dict[int, Any]:
    """Let an engine go on where another stands; return what it reports."""
    with tempfile.TemporaryDirectory() as folder:
        snapshots.save(Path(folder), before, "settings")
        (found,) = snapshots.newest(Path(folder))
        snapshots.load(found, after)
    return listen(after)


@pytest.mark.parametrize("days", [0, 1, 3])
@pytest.mark.parametrize("parts", [1, 4])
def test_a_record_of_nobody_leaves_the_cut_points_as_they_were_before_its_minute(
    days: int, parts: int
) -> None:
    """R3, R5: everybody's orders are taken back; who orders later is scored by what was in force, in whole
    days too, as in one engine and as the reference reads the records."""
    world = small(1)
    writer = Writer(world.place.start, IMPORT)
    people = [(customer, 1440 * customer - 6) for customer in range(1, 5)]
    for customer, back in people:  # everybody's recency grows by a day in the very minute of the record
        writer.row("orders", customer, customer, event=writer.minute - back, amount=customer, price=customer)
    writer.wait(5)
    for customer, _ in people:
        writer.row("orders", customer, customer, DELETE)
    writer.wait(days * 1440 + 3)
    for customer, back in ((1, 1439), (2, 2879), (3, 4319), (4, 5759)):
        writer.row("orders", 10 + customer, customer, event=writer.minute - back, amount=2, price=2)
    end = writer.minute
    writer.wait(3)
    writer.tick()
    records = ticked(writer.log, parts)
    records = with_cuts(records, minutes_of(world, writer.log, records), always=False)
    history = History(world.pieces, *frames_of_parts(world, records))
    many, one = Partitions(world, parts).feed(records), Run(world).feed(writer.log)
    for recomputed in recompute_many(history, [end - 1, end, end + 1], replay=history.customers.ids):
        held = many.to(recomputed.minute).held()
        assert compare(recomputed, held) == []
        same_frames(held, one.to(recomputed.minute).held())
    at_once = Partitions(world, parts).feed(records).to()
    assert unnumbered(at_once.outcome) == unnumbered(run(world, writer.log).outcome)
