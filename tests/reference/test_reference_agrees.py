"""The two ways the reference has of saying the same: all customers at a minute, and one customer's life."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.cuts import scores_of
from reference.history import History
from reference.judged import Everybody
from reference.life import LifeView, rows_of
from reference.moment import Moment
from reference.pieces import Pieces
from reference.recompute import recompute_at
from reference.replay import Life
from reference.scores import compared_recency, measured, scored
from rfm.model import RfmModel
from tags.tag import Tag

WINDOWS = ["30m", "20m offset 10m", "day", "day offset 1", "all", "year from customer.joined"]
FUNCTIONS = ["count", "sum", "avg", "min", "max", "first", "last", "distinct"]
TEXTS = [f'{name}(orders.amount, "{window}")' for name in FUNCTIONS for window in WINDOWS]
TEXTS += [
    'count(orders, "30m", status != "x")',
    'last(orders.status, "day")',
    'distinct(orders.status, "30m")',
]
START = 26_300_000  # an epoch minute of 2020
RULES = {
    "busy": {"rule": 'count(orders, "30m") >= 2', "sticky": "7m"},
    "rich": {"rule": 'sum(orders.amount, "30m") > 5', "max": "11m"},
    "best": {"rule": "rfm.f >= 2 && rfm.r >= 2", "group": "level", "sticky": "3m"},
    "good": {"rule": "rfm.score > 111", "group": "level"},
    "both": {"rule": '"busy" in tags && !("best" in tags)'},
    "fresh": {"rule": "daily.r == 2 || mean.r == 2 && fixed.m > 1", "sticky": "2m"},
    "plain": {"rule": "distinct(orders.amount) > 1"},
    "hand": {},
}
MODELS = [
    RfmModel(frequency="distinct(orders.status)", monetary="sum(orders.amount)", window="40m", bins=3),
    RfmModel(
        name="daily", frequency="count(orders)", monetary="sum(orders.amount)", bins=2, recency_unit="day"
    ),
    RfmModel(name="mean", frequency="count(orders)", monetary="sum(orders.amount)", method="mean"),
    RfmModel.model_validate({
        "name": "fixed", "frequency": "count(orders)", "monetary": "sum(orders.amount)", "method": "fixed",
        "recency_unit": "day", "fixed": {"recency": [0], "frequency": [1, 2], "monetary": [5]},
    }),
]  # fmt: skip

amounts = st.one_of(st.none(), st.integers(-5, 9))
statuses = st.sampled_from([None, "x", "y"])
joined = st.sampled_from([None, START - 400 * 1440, START - 366 * 1440 + 17])
operations = st.sampled_from(["upsert", "upsert", "insert", "update", "delete", "snapshot", "move"])
shifts = st.one_of(st.integers(-30, 12), st.integers(-1460, -1390))  # the latter turn a day old in the log
records = st.tuples(
    st.integers(0, 9), st.integers(1, 4), st.integers(1, 3), shifts, operations,
    st.integers(0, 40), amounts, statuses, joined,
)  # fmt: skip
hands = st.tuples(
    st.integers(0, 9), st.sampled_from(["busy", "hand", "best"]), st.sampled_from([True, False, None]),
    st.one_of(st.none(), st.integers(0, 20)), st.integers(1, 3),
)  # fmt: skip
logs = st.lists(st.one_of(records, hands), min_size=1, max_size=14)


def pieces_of(shelf) -> Pieces:
    orders = shelf.source(amount="int", status="text", joined="date")
    with_attribute = {"joined": orders.columns["joined"].model_copy(update={"attribute": "joined"})}
    orders = orders.model_copy(update={"columns": orders.columns | with_attribute})
    tags = {name: Tag.model_validate(declared) for name, declared in RULES.items()}
    metrics = {text: text for text in TEXTS}
    groups = {"level": ["best", "good"]}
    return Pieces("Europe/Berlin", {"orders": orders}, metrics, MODELS, tags, groups)


def write(shelf, log):
    book = shelf.book(pieces_of(shelf))
    minute = START
    for entry in log:
        minute += entry[0]
        if isinstance(entry[1], str):
            _, tag, on, until, customer = entry
            book.manual(tag, minute, on, None if until is None else minute + until, customer)
        else:
            _, key, customer, shift, op, position, amount, status, day = entry
            row = {"amount": amount, "status": status, "joined": day}
            book.row("orders", key, minute, customer, minute + shift, op, position, **row)
    book.tick(minute + 50)
    return book


@settings(max_examples=40, deadline=None, derandomize=True)
@given(logs)
def test_every_metric_and_score_is_the_same_for_one_customer_and_for_all(shelf_class, log):
    """W5, W9, M2, R1 to R5: the arrays and the plain rows agree at each minute."""
    shelf = shelf_class()
    book = write(shelf, log)
    history = History(book.pieces, book.frames(), book.control())
    first, last = history.span
    for minute in range(first, last + 1, 23):
        standing = history.at(minute)
        cuts = {model.name: history.cuts(model, minute) for model in book.pieces.models}
        frames = {m.name: scored(m, minute, measured(standing, m), cuts[m.name]) for m in book.pieces.models}
        everybody = Everybody(standing, frames)
        for number in range(len(history.customers)):
            kept = [row for row in rows_of(history, number) if row.minute <= minute < row.end_minute]
            one = LifeView(book.pieces, kept)
            one.move(Moment(minute, max((row.step for row in kept), default=0)), cuts)
            everybody.look_at(number)
            for measure in book.pieces.measures:
                assert one.measure(measure) == everybody.measure(measure), str(measure)
            for model in book.pieces.models:
                for field in (
                    "recency",
                    "frequency",
                    "monetary",
                    "r",
                    "f",
                    "m",
                    "score",
                    "segment",
                    "member",
                ):
                    assert one.rfm(model.name, field) == everybody.rfm(model.name, field), field


@pytest.mark.slow
@settings(max_examples=30, deadline=None, derandomize=True)
@given(logs)
def test_a_life_seen_at_its_edges_is_the_life_seen_at_every_minute(shelf_class, log):
    """T3, G1: nothing changes between the edges; and what a minute alone can tell agrees with the life."""
    shelf = shelf_class()
    book = write(shelf, log)
    history = History(book.pieces, book.frames(), book.control())
    first, last = history.span
    for customer in history.customers.ids:
        dense, sparse = (Life(history, customer, every_minute=dense) for dense in (True, False))
        mine = [change for change in dense.run(last) if change.kind == "tag"]
        assert mine == [change for change in sparse.run(last) if change.kind == "tag"]
        for minute in range(first, last + 1, 37):
            result = recompute_at(history, minute, replay=[customer])
            held = dict.fromkeys(book.pieces.tags, False)
            for change in mine:
                if change.minute <= minute:
                    held[change.name] = bool(change.after)
            if customer in result.member.index:
                assert result.member.loc[customer].to_dict() == held
                alone = recompute_at(history, minute).member.loc[customer]
                known = {tag: bool(value) for tag, value in alone.items() if value is not pd.NA}
                assert set(known) == {"plain", "hand"}
                assert known.items() <= held.items()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(logs)
def test_the_sweep_over_all_minutes_scores_as_the_cut_points_of_each_minute(shelf_class, log):
    """R3, R5: one pass over what comes and goes gives the scores that measuring everybody anew gives."""
    shelf = shelf_class()
    book = write(shelf, log)
    history = History(book.pieces, book.frames(), book.control())
    for model in MODELS:
        timeline = history.all_cuts(model)
        for minute in range(history.span[0], history.span[1] + 1):
            swept, taken = timeline.at(minute), history.cuts(model, minute)
            assert (swept is None) == (taken is None)
            if taken is None or swept is None:
                continue
            assert (swept.frequency, swept.monetary) == (taken.frequency, taken.monetary)
            for back in range(60):
                latest = minute - back
                scores = [
                    scores_of(model, cuts, recency_compared(model, cuts, minute, latest), 1, 1)[0]
                    for cuts in (swept, taken)
                ]
                assert scores[0] == scores[1]


def recency_compared(model, cuts, minute, latest):
    return int(compared_recency(model, minute, np.array([latest]), cuts)[0])
