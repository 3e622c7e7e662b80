"""The same log, the same result, whatever batches, stops, duplicates, orders and partitions (L1 to L4)."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import memory
from reference.history import History
from reference.recompute import recompute_at
from sinks.snapshots import folder as snapshots
from tests.laws.effort import effort
from tests.laws.run import Run, run, same_frames, unnumbered
from tests.laws.shops import small
from tests.laws.strategies import entries, long_waits, numbers, waits, write
from tests.laws.world import DELETE, IMPORT, LIVE, MOVE_OUT, ROW, TICK, Log, Record, Writer, frames_of

imports = st.one_of(st.just([]), entries(8, long_waits))
lives = entries(14, waits)


@effort(12)
@given(numbers, imports, lives, st.sampled_from([1, 4]))
def test_any_batch_split_gives_the_same_bytes(
    number: int, imported: list[Any], live: list[Any], parts: int
) -> None:
    """L1, P3: batches of 1, 7, 1000 and all: digest, transitions, decisions and state."""
    world = small(number)
    log = write(world.place, imported, live)
    whole = run(world, log, parts)
    for sizes in ([1], [7], [1000], [2, 5, 1, 3]):
        other = run(world, log, parts, sizes)
        assert other.digest == whole.digest
        assert other.outcome.transitions == whole.outcome.transitions
        assert other.outcome.decisions == whole.outcome.decisions
        same_frames(other.held(), whole.held())
        assert other.since() == whole.since()


@effort(10)
@given(numbers, imports, lives, st.integers(1, 30), st.sampled_from([1, 4]))
def test_a_snapshot_and_its_restoration_are_no_stop(
    number: int, imported: list[Any], live: list[Any], at: int, parts: int
) -> None:
    """L1: stopped in the middle, restored into a new engine and gone on: the same bytes."""
    world = small(number)
    log = write(world.place, imported, live)
    whole = run(world, log, parts)
    middle = log[min(at, len(log) - 1)].minute
    first = [record for record in log if record.minute < middle]
    before = Run(world, parts).feed(first).to()
    after = Run(world, parts)
    after.outcome = before.outcome
    with tempfile.TemporaryDirectory() as folder:
        snapshots.save(Path(folder), before.engine, "settings")
        (found,) = snapshots.newest(Path(folder))
        snapshots.load(found, after.engine)
    after.feed(log[len(first) :]).to()
    assert after.digest == whole.digest
    same_frames(after.held(), whole.held())
    assert after.since() == whole.since()
    assert after.engine.cuts == whole.engine.cuts


@effort(12)
@given(numbers, imports, lives, st.randoms(use_true_random=False), st.sampled_from([1, 4]))
def test_duplicates_change_nothing(
    number: int, imported: list[Any], live: list[Any], random: Any, parts: int
) -> None:
    """L1, W1, W3: every row may come again, at once or some records later, inside its horizon."""
    world = small(number)
    # what comes again half an hour later may rightly count: a duplicate of that is beyond its horizon
    imported, live = ([e for e in part if e[1][0] != "again"] for part in (imported, live))
    log = write(world.place, imported, live)
    doubled = with_duplicates(log, random)
    once, twice = run(world, log, parts), run(world, doubled, parts)
    assert unnumbered(twice.outcome) == unnumbered(once.outcome)
    same_frames(twice.held(), once.held())
    assert twice.since() == once.since()


def with_duplicates(log: Log, random: Any) -> Log:
    """Deliver about a third of the rows a second time, up to ten minutes later."""
    found: Log = []
    waiting: list[Record] = []
    for record in log:
        due = [again for again in waiting if record.minute - again.minute <= 10]
        waiting = []
        for again in due:
            if random.random() < 0.3:
                found.append(replace(again, minute=record.minute, mode=record.mode))
            else:
                waiting.append(again)
        found.append(record)
        if record.kind == ROW and random.random() < 0.4:
            waiting.append(record)
    return found


rows_only = st.lists(
    st.tuples(st.integers(0, 3), st.integers(1, 3), st.integers(-30, 0), st.integers(0, 59),
              st.integers(-4, 9), st.sampled_from(["x", "y", None])), min_size=1, max_size=10)  # fmt: skip


@effort(15)
@given(numbers, rows_only, st.randoms(use_true_random=False), st.sampled_from([1, 4]))
def test_another_order_of_delivery_ends_in_the_same_state(
    number: int, rows: list[Any], random: Any, parts: int
) -> None:
    """L2: rows of different keys in any order: metrics, scores, segments and the truth of rules that do not
    rest on tags with a memory."""
    world = small(number)
    logs = []
    for order in (rows, random.sample(rows, len(rows))):
        writer = Writer(world.place.start)
        places = {id(row): place for place, row in enumerate(rows)}
        for row in order:
            _, customer, shift, second, amount, status = row
            place = places[id(row)]
            at = world.place.start + shift
            writer.row("orders", 100 + place, customer, 0, at, second, (0, 1 + place, 0),
                       amount=amount, price=100 + place, status=status, gift=place % 2)  # fmt: skip
            writer.wait(random.choice([0, 0, 1]))
        writer.wait(world.place.start + 20 - writer.minute)
        writer.tick()
        logs.append(writer.log)
    held = [dict(run(world, log, parts).held()) for log in logs]
    for frames in held:
        frames["truth"] = frames["truth"].drop(columns=["both", "deep"])
        frames["member"] = frames["member"][[]]
    same_frames(*held)


@effort(10)
@given(numbers, imports, lives, st.sampled_from([1, 4]))
def test_deleting_every_row_leaves_nothing(
    number: int, imported: list[Any], live: list[Any], parts: int
) -> None:
    """L3: no bit of a row, no value, no row kept, nobody in any population."""
    world = small(number)
    log = write(world.place, imported, live)
    rows = {(r.source, r.key): r for r in log if r.kind == ROW}
    owners = {(r.source, r.key): r.customer for r in log if r.kind == ROW and r.op not in (DELETE, MOVE_OUT)}
    last = log[-1].minute
    places = [(r.customer, *at) for at, r in rows.items()]
    for customer, source, key in places:
        at = (source, key)
        log.append(Record(ROW, last, 1, owners.get(at, customer), source, DELETE, key, (99, 0, 0)))
    log += [Record(TICK, last + 1), Record(TICK, last + 2)]
    done = run(world, log, parts)
    for partition in done.engine.partitions:
        for scalar in ("rows_kept", "distinct_live"):
            assert partition.memory.scalar(scalar) == 0
        assert not partition.memory["minute_head"].any()
        assert (partition.per_customer("recent") == -1).all()
        assert not partition.per_customer("list_size").any()
    nothing = Run(world, parts).feed([Record(TICK, last)]).to(last + 2)
    assert not any(len(frame) for frame in nothing.held().values())
    history = History(world.pieces, *frames_of(world, log, parts))
    recomputed = recompute_at(history, last + 2)
    for name, column in done.held()["metrics"].items():
        assert {None if value is None or value != value else value for value in _plain(column)} <= {
            recomputed.nothing[str(name)]
        }, name


def _plain(column: Any) -> list[Any]:
    import pandas as pd

    return [None if not isinstance(value, tuple) and pd.isna(value) else value for value in column.tolist()]


@effort(12)
@given(numbers, imports, lives)
def test_any_number_of_partitions_gives_the_same(number: int, imported: list[Any], live: list[Any]) -> None:
    """L4, R5, P1: at P = 1, 4 and 16 the same final state, cut points, and each customer's transitions and
    decisions."""
    world = small(number)
    # beyond its horizon a key's old customer may be forgotten where the new one lives elsewhere (W3, W7), and
    # so is at once the key of who was erased: to the new one's partition its row is an insert
    imported, live = ([e for e in part if e[1][0] not in ("again", "erase")] for part in (imported, live))
    log = write(world.place, imported, live)
    one = run(world, log, 1)
    for parts in (4, 16):
        many = run(world, log, parts)
        same_frames(many.held(), one.held())
        assert many.engine.cuts == one.engine.cuts
        assert unnumbered(many.outcome) == unnumbered(one.outcome)
        assert many.since() == one.since()


def test_a_minute_that_imports_and_live_records_share_is_opened_as_import() -> None:
    """T5, L4: also where a partition has only live records of it."""
    world = small(0)
    writer = Writer(world.place.start, IMPORT)
    for customer in (1, 2, 3, 4):
        writer.row("orders", customer, customer)
    writer.wait(2)
    writer.row("views", 1, 1)
    writer.mode = LIVE
    for customer in (2, 3, 4):
        writer.row("views", customer, customer)
    one, many = run(world, writer.log, 1), run(world, writer.log, 16)
    before = [m.mode for m in one.outcome.transitions if m.minute == world.place.start + 1]
    assert set(before) == {"import"}
    assert unnumbered(many.outcome) == unnumbered(one.outcome)


@effort(8)
@given(numbers, imports, lives, st.sampled_from([1, 4]))
def test_growing_from_next_to_nothing_changes_nothing(
    number: int, imported: list[Any], live: list[Any], parts: int
) -> None:
    """L1: state that grows at every turn gives the same bytes."""
    world = small(number)
    log = write(world.place, imported, live)
    whole = run(world, log, parts)
    with pytest.MonkeyPatch.context() as patch:
        # effects are taken when their room is used up: it must hold those of one step
        patch.setattr(memory, "FIRST", dict.fromkeys(memory.FIRST, 2) | {"transition": 256, "decision": 256})
        grown = run(world, log, parts)
    assert grown.digest == whole.digest
    same_frames(grown.held(), whole.held())
