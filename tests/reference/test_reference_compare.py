"""What an audit reports, and what it refuses to read."""

from __future__ import annotations

import pandas as pd
import pytest

from reference.compare import compare
from reference.pieces import Pieces
from reference.recompute import recompute
from rfm.model import RfmModel
from streams.errors import InputError
from tags.tag import Tag


def small(shelf):
    models = [RfmModel(frequency="count(orders)", monetary="sum(orders.amount)")]
    tags = {"gold": Tag(rule="avg(orders.amount) > 10"), "slow": Tag(rule="count(orders) > 5", sticky="1d")}
    book = shelf.orders("last(orders.status)", models=models, tags=tags)
    book.row("orders", 1, minute=100, customer=1, amount=11, status="x")
    book.row("orders", 2, minute=100, customer=2, amount=12)
    return book.at(110)


def told(result):
    """The engine's frames, here just those of the recompute."""
    frames = {"metrics": result.metrics, "truth": result.truth, "member": result.member}
    frames |= {f"rfm {name}": frame for name, frame in result.rfm.items()}
    return {name: frame.copy() for name, frame in frames.items()}


def test_equal_frames_have_no_difference(shelf):
    """L3: the law holds when nothing differs."""
    result = small(shelf)
    assert compare(result, told(result)) == []


def test_each_difference_names_customer_what_and_both_values(shelf):
    """L3: any wrong number is found, in metrics, scores, segments, truth and tags."""
    result = small(shelf)
    one = shelf.customer_id(1)
    changes = [
        ("metrics", "avg(orders.amount)", (11, 2), "metric avg(orders.amount)", (11, 1)),
        ("metrics", "last(orders.status)", "y", "metric last(orders.status)", "x"),
        ("rfm rfm", "score", 555, "rfm rfm.score", 512 - 1),
        ("rfm rfm", "segment", pd.NA, "rfm rfm.segment", "Others"),
        ("truth", "gold", False, "truth gold", True),
        ("member", "gold", False, "tag gold", True),
    ]
    for frame, column, wrong, what, right in changes:
        actual = told(result)
        values = actual[frame][column].tolist()
        values[0] = wrong
        actual[frame][column] = pd.Series(values, index=actual[frame].index, dtype="object")
        (found,) = compare(result, actual)
        assert (found.customer, found.what, found.recomputed) == (one, what, right)
        assert found.engine == (None if wrong is pd.NA else wrong)
        assert str(found).startswith(f"{one}: {what}: engine ")


def test_a_customer_whom_one_side_lacks_has_there_what_nobody_has(shelf):
    """M2: a customer without rows has count 0 and null else; a missing one with rows is a difference."""
    result = small(shelf)
    actual = {name: frame.iloc[1:] for name, frame in told(result).items()}
    found = {difference.what for difference in compare(result, actual)}
    assert "metric avg(orders.amount)" in found
    assert "tag gold" in found
    assert "rfm rfm.member" in found
    extra = {
        name: frame.reindex([*frame.index, shelf.customer_id(9)]) for name, frame in told(result).items()
    }
    extra["metrics"].loc[shelf.customer_id(9), "count(orders)"] = 0
    extra["member"] = extra["member"].fillna(False)
    extra["truth"] = extra["truth"].fillna(False)
    extra["rfm rfm"]["member"] = extra["rfm rfm"]["member"].fillna(False).astype(bool)
    assert compare(result, extra) == []


def test_a_metric_that_one_side_lacks_is_a_difference(shelf):
    """M3: both keep the same metrics."""
    result = small(shelf)
    actual = told(result)
    actual["metrics"] = actual["metrics"].drop(columns="count(orders)").assign(more=1)
    del actual["truth"]
    found = [(d.customer, d.what) for d in compare(result, actual)]
    assert found == [("", "frame truth"), ("", "metrics count(orders)"), ("", "metrics more")]


def test_tags_that_were_not_replayed_are_not_compared(shelf):
    """G1: without a replay the recompute says nothing of a tag with a memory."""
    result = small(shelf)
    actual = told(result)
    actual["member"]["slow"] = True
    assert compare(result, actual) == []


def test_frames_that_cannot_be_read_are_refused(shelf):
    """T4, P2: no quiet fallback."""
    book = shelf.orders("count(orders)")
    book.row("orders", 1, minute=100, amount=1)
    frame = book.frames()["orders"]
    cases = [
        ({"views": frame}, "no such source"),
        ({"orders": frame.drop(columns="status")}, "column 'status' is missing"),
        ({"orders": frame.assign(minute=None)}, "null in the envelope"),
        ({"orders": pd.concat([frame, frame])}, "step 0 twice"),
        ({"orders": frame.assign(amount="x")}, "no whole numbers"),
    ]
    for frames, problem in cases:
        with pytest.raises(InputError, match=problem):
            recompute(book.pieces, frames, book.control(), 100)


def test_a_control_record_that_cannot_be_read_is_refused(shelf):
    """G1: a manual tag says tag and on."""
    book = shelf.orders()
    book.manual("vip", minute=100, on=True)
    book.orders[0]["body"] = '{"tag": "vip"}'
    with pytest.raises(InputError, match="unreadable body"):
        book.at(100)


def test_declarations_that_mean_nothing_are_refused(shelf):
    """R1, G2: frequency counts, monetary sums, a group orders its own tags."""
    cases = [
        Pieces(models=[RfmModel(frequency="sum(orders.amount)", monetary="sum(orders.amount)")]),
        Pieces(models=[RfmModel(frequency="count(orders)", monetary="sum(orders.amount) * 2")]),
        Pieces(models=[RfmModel(frequency="count(orders)", monetary="sum(orders.amount)", method="fixed")]),
        Pieces(tags={"a": Tag(group="g")}, groups={"g": ["a", "b"]}),
    ]
    for pieces in cases:
        with pytest.raises(InputError):
            shelf.book(Pieces(**{**vars(pieces), "sources": shelf.orders().pieces.sources})).at(5)


def test_a_corrected_report_replays_nobody(shelf):
    """L5: rows known today have no steps."""
    book = shelf.orders()
    with pytest.raises(InputError, match="no customer can be replayed"):
        book.at(100, corrected=True, replay=["0" * 32])


def test_partitions_change_nothing_but_their_names(shelf):
    """L4: the same rows in one partition or in three give the same numbers and the same cut points."""
    frames = []
    for partitions in (1, 3):
        models = [RfmModel(frequency="count(orders)", monetary="sum(orders.amount)", window="50m", bins=3)]
        book = shelf.orders("sum(orders.amount)", models=models)
        for key in range(30):
            where = key % 7 % partitions
            book.row("orders", key, 100 + key * 3, customer=key % 7, amount=key, partition=where)
        frames.append(book.at(180))
    assert frames[0].cuts == frames[1].cuts
    pd.testing.assert_frame_equal(frames[0].metrics, frames[1].metrics)
    pd.testing.assert_frame_equal(frames[0].rfm["rfm"], frames[1].rfm["rfm"])


def test_a_column_with_the_name_of_the_logs_own_is_refused(shelf):
    """P2: it could not be told from the envelope."""
    pieces = Pieces(sources={"orders": shelf.source(offset="int")})
    with pytest.raises(InputError, match="the log has a column 'offset' itself"):
        recompute(pieces, {}, shelf.book(Pieces()).control(), 5)


def test_a_source_without_a_frame_has_no_rows(shelf):
    """M2: a customer known by a control record alone has nothing of everything."""
    book = shelf.orders("count(orders)", "min(orders.amount)", tags={"vip": Tag()})
    book.manual("vip", minute=100, on=True)
    result = recompute(book.pieces, {}, book.control(), 100)
    assert result.metrics.loc[shelf.customer_id(1)].isna().to_dict() == {
        "count(orders)": False,
        "min(orders.amount)": True,
    }
    assert bool(result.member["vip"].iloc[0])


def test_an_empty_log_has_nobody(shelf):
    """T3: nothing at all is no error."""
    book = shelf.orders(
        "count(orders)", models=[RfmModel(frequency="count(orders)", monetary="sum(orders.amount)")]
    )
    result = book.at(100)
    assert result.metrics.empty
    assert result.cuts == {"rfm": None}
