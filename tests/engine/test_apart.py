"""A partition apart: what its cuts records do, and what is not done until somebody asks (semantics R5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from engine.population import Population
from rfm.cuts import OrderStatistic
from rfm.merge import merged
from rfm.numbers import CutNumbers
from rfm.record import said
from rfm.report import Report
from tests.engine.story import TEN, shop_of
from tests.laws.apart import Partitions
from tests.laws.run import run
from tests.laws.shops import Small
from tests.laws.test_reports import report_of
from tests.laws.world import CUTS, IMPORT, LIVE, TICK, Log, Record, Writer

MODEL = {"frequency": "count(orders)", "monetary": "sum(orders.amount)", "bins": 2}
TOP = {"segments": [{"name": "Top", "r": (1, 2), "f": (1, 2), "m": (2, 2)}]}


def shop(*models: dict[str, Any]) -> Small:
    """Return a shop with models and a trigger on entering the segment Top of the first."""
    named = [{"name": f"m{n}", **MODEL, **TOP, **model} for n, model in enumerate(models)]
    return shop_of({"when": {"enter": "segment:m0/Top"}}, rfm=named)


def cuts(world: Small, minute: int, of: int, money: int) -> Record:
    """Return a cuts record of minute ``of`` under which more than ``money`` is much."""
    recency, frequency, monetary = ((OrderStatistic(value, value, 0),) for value in (of, 1, money))
    numbers = CutNumbers(4, recency, frequency, monetary)
    return Record(CUTS, minute, said=said(of, [(world.shop.rfm[0], numbers)]))


def orders(minute: int, *amounts: int) -> Log:
    """Return a log in which members 0, 1, ... order for these amounts in one minute."""
    writer = Writer(minute)
    for member, amount in enumerate(amounts):
        writer.row("orders", member, member, amount=amount)
    return writer.log


def scores(partitions: Partitions) -> list[int]:
    """Return everybody's monetary score, by member; 0: none."""
    found: list[int] = partitions.engines[0].partitions[0].per_customer("score_m")[:, 0].tolist()
    return found


def test_the_first_record_of_a_minute_wins_and_the_minute_never_goes_back() -> None:
    """R5: money of 10 and 20; each of the records that count moves the cut between or above them."""
    world = shop({})
    told = [
        ([1, 2], cuts(world, TEN + 1, TEN + 1, 15)), ([1, 2], cuts(world, TEN + 1, TEN + 1, 99)),
        ([1, 1], cuts(world, TEN + 5, TEN + 4, 99)), ([1, 1], cuts(world, TEN + 5, TEN + 3, 15)),
        ([1, 1], cuts(world, TEN + 6, TEN + 4, 15)), ([2, 2], cuts(world, TEN + 6, TEN + 6, 5)),
    ]  # fmt: skip
    partitions = Partitions(world, 1).feed([orders(TEN, 10, 20)]).to()
    assert scores(partitions) == [0, 0]
    for expected, record in told:
        partitions.feed([[record]]).to()
        assert scores(partitions) == expected


@pytest.mark.parametrize(("opens", "step"), [(True, 1), (False, 3)])
def test_what_a_record_sets_off_happened_at_its_opening_or_at_its_own_step(opens: bool, step: int) -> None:
    """D2, T3: the cause is the minute; an opening's effects bear the step of the record before."""
    world = shop({})
    record = cuts(world, TEN + 1, TEN, 15)
    later = [record] if opens else [Record(TICK, TEN + 1), record]
    partitions = Partitions(world, 1).feed([[*orders(TEN, 10, 20), *later]]).to()
    assert [(one.step, one.minute) for one in partitions.outcome.transitions] == [(step, TEN + 1)] * 2
    (decision,) = partitions.outcome.decisions
    assert (decision.step, decision.cause, decision.outcome) == (step, {"minute": TEN + 1}, "act")


def test_a_live_record_of_cut_points_ends_the_import() -> None:
    """T5: what leaves its window behind it leaves it live, though no row has come live."""
    world = shop({"window": "3m"})
    writer = Writer(TEN, IMPORT)
    writer.row("orders", 1, 1, amount=20)
    later = [cuts(world, TEN + 1, TEN + 1, 15), Record(TICK, TEN + 5)]
    partitions = Partitions(world, 1).feed([[*writer.log, *later]]).to()
    told = [(one.minute - TEN, one.after, one.mode) for one in partitions.outcome.transitions]
    assert told == [(1, "Top", "live"), (3, None, "live")]


def test_cut_points_go_on_with_the_clock_where_nobody_has_come_yet() -> None:
    """R5: others' last orders were 1 and 3 days ago; 2 days later somebody orders here: their mean is 4."""
    world = shop({"method": "mean", "recency_unit": "day"})
    model, last = world.shop.rfm[0], [TEN - 3 * 1440, TEN - 1440]
    numbers = merged(model, [report_of(np.array([[minute, 1, 5] for minute in last]))])
    record = Record(CUTS, TEN, IMPORT, said=said(TEN, [(model, numbers)]))
    writer = Writer(TEN + 2 * 1440, IMPORT)
    writer.row("orders", 1, 1, event=writer.minute - 4 * 1440, amount=5)
    writer.row("orders", 2, 2, event=writer.minute - 4 * 1440 + 1, amount=5)
    partition = Partitions(world, 1).feed([[record, *writer.log]]).to().engines[0].partitions[0]
    assert partition.per_customer("score_r")[:, 0].tolist() == [1, 2]


def test_many_who_are_scored_otherwise_amid_a_minute_are_judged_though_effects_run_full() -> None:
    """T3: 40,000 transitions in the order of ids, more than are kept at a time."""
    world = shop({})
    crowd = 40_000
    log = [*orders(TEN, *[20] * crowd), cuts(world, TEN, TEN - 1, 15)]
    partitions = Partitions(world, 1).feed([log]).to()
    moved = [(one.step, one.customer) for one in partitions.outcome.transitions]
    assert len(moved) == crowd
    assert {at for at, _ in moved} == {crowd}
    signed = [int.from_bytes(bytes.fromhex(one)[:8], signed=True) for _, one in moved]
    assert signed == sorted(signed)


def test_an_engine_of_a_whole_shop_passes_cuts_records_over() -> None:
    """R5: it takes its own; to it they are ticks."""
    world = shop({}, {"recency_unit": "day"})
    record = cuts(world, TEN + 2, TEN + 1, 5)
    with_record, with_tick = (
        run(world, [*orders(TEN, 10, 20, 30), one, Record(TICK, TEN + 3)])
        for one in (record, Record(TICK, TEN + 2, LIVE))
    )
    assert with_record.digest == with_tick.digest
    assert with_record.outcome == with_tick.outcome


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """(model, bits of measures) of each population that is read and sorted from now on."""
    found: list[tuple[int, int]] = []
    read = Population.read

    def note(population: Population, changed: int) -> None:
        found.append((population.model, changed))
        read(population, changed)

    monkeypatch.setattr(Population, "read", note)
    return found


def test_nothing_is_sorted_that_nobody_needs(reads: list[tuple[int, int]]) -> None:
    """R3: without a report only recency in days is, whose cuts move with the clock."""
    world = shop({}, {"recency_unit": "day"}, {"method": "mean"})
    partitions = Partitions(world, 1).feed([[*orders(TEN, 10, 20), Record(TICK, TEN + 3)]]).to()
    assert reads == [(1, 1)]
    writer = Writer(TEN + 4)
    writer.row("orders", 7, 1, amount=5)
    partitions.feed([[*writer.log, Record(TICK, TEN + 6)]]).to()
    assert reads == [(1, 1)] * 2


def test_a_report_of_what_has_not_changed_is_the_same_and_sorts_nothing(reads: list[tuple[int, int]]) -> None:
    """R5: minutes that change nothing are reported by their last, an order's change of money by money."""
    world = shop({}, {"method": "fixed", "fixed": {"recency": [99], "frequency": [1], "monetary": [1]}})
    told: list[tuple[int, Mapping[str, Report]]] = []
    partitions = Partitions(world, 1)
    apart = partitions.engines[0].apart
    assert apart is not None
    apart.report = lambda _, minute, models: told.append((minute, models))
    writer = Writer(TEN)
    writer.row("orders", 1, 1, amount=10)
    writer.wait(5)
    writer.tick()
    writer.row("orders", 1, 1, event=TEN, amount=70)
    writer.wait(3)
    writer.tick()
    partitions.feed([writer.log]).to()
    assert [minute - TEN for minute, _ in told] == [0, 1, 5, 6, 8]
    assert all(set(models) == {"m0"} for _, models in told)
    reports = [models["m0"] for _, models in told]
    assert [one.monetary.values.tolist() for one in reports] == [[], [10], [10], [70], [70]]
    assert reports[1] is reports[2]
    assert reports[3] is reports[4]
    assert reports[2].recent is reports[3].recent
    assert [bits for model, bits in reads if model == 0] == [7, 4]
