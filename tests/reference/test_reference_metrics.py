"""Metrics of the recompute against numbers worked out by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

DAY = 1440


def test_a_trailing_window_holds_a_row_from_its_minute_to_the_last_of_its_length(shelf):
    """W5: T - w < t <= T."""
    book = shelf.orders('count(orders, "10m")')
    book.row("orders", 1, minute=100)
    assert [book.metric('count(orders, "10m")', at) for at in (100, 109, 110)] == [1, 1, 0]


def test_an_offset_window_holds_a_row_from_the_offset_on(shelf):
    """W5: offset windows move both edges back."""
    book = shelf.orders('count(orders, "10m offset 5m")')
    book.row("orders", 1, minute=100)
    assert [book.metric('count(orders, "10m offset 5m")', at) for at in (104, 105, 114, 115)] == [0, 1, 1, 0]


def test_a_calendar_month_clears_at_the_shops_midnight(shelf):
    """W5, T1: calendar windows are of the shop's zone; 2020-02-01 begins in Shanghai at 16:00 UTC."""
    book = shelf.orders('count(orders, "month")', 'count(orders, "month offset 1")', zone="Asia/Shanghai")
    february = 26339040 + 0  # 2020-01-30 00:00 UTC
    border = february + 2 * DAY - 8 * 60
    book.row("orders", 1, minute=border - 1)
    seen = [
        [book.metric(f'count(orders, "{w}")', at) for at in (border - 1, border)]
        for w in ("month", "month offset 1")
    ]
    assert seen == [[1, 0], [0, 1]]


def test_a_row_of_the_future_waits_for_its_minute(shelf):
    """W6: a row dated after the clock is in no metric until T reaches its minute."""
    book = shelf.orders("count(orders)")
    book.row("orders", 1, minute=100, event=105)
    assert [book.metric("count(orders)", at) for at in (100, 104, 105)] == [0, 0, 1]


def test_a_late_row_counts_from_its_arrival_while_its_window_holds_it(shelf):
    """W6: late rows count from their step, as long as the window still holds their event minute."""
    book = shelf.orders('count(orders, "10m")')
    book.row("orders", 9, minute=90)
    book.row("orders", 1, minute=105, event=100)
    assert [book.metric('count(orders, "10m")', at) for at in (104, 105, 109, 110)] == [0, 1, 1, 0]


def test_an_update_takes_back_the_row_that_stands_and_a_delete_takes_all(shelf):
    """W1, L3: what is retracted is the state's row."""
    book = shelf.orders("sum(orders.amount)", "count(orders)")
    book.row("orders", 1, minute=100, amount=700)
    book.row("orders", 1, minute=101, amount=50, op="update")
    book.row("orders", 1, minute=102, op="delete")
    assert [book.metric("sum(orders.amount)", at) for at in (100, 101, 102)] == [700, 50, 0]


def test_a_record_whose_position_is_not_newer_is_ignored(shelf):
    """W1, W2: equal and older positions change nothing."""
    book = shelf.orders("sum(orders.amount)")
    book.row("orders", 1, minute=100, amount=1, position=50)
    book.row("orders", 1, minute=101, amount=2, position=50)
    book.row("orders", 1, minute=102, amount=3, position=49)
    assert book.metric("sum(orders.amount)", 102) == 1


def test_a_deleted_key_refuses_the_old_insert_until_its_horizon_and_no_longer(shelf):
    """W3: forgotten at clock >= death + duplicate_horizon (7 days)."""
    for later, expected in ((7 * DAY - 1, 0), (7 * DAY, 1)):
        book = shelf.orders("count(orders)")
        book.row("orders", 1, minute=100, position=1)
        book.row("orders", 1, minute=200, position=2, op="delete")
        book.row("orders", 1, minute=200 + later, event=100, position=1)
        assert book.metric("count(orders)", 200 + later) == expected


def test_a_row_that_some_metric_counts_is_remembered_however_old(shelf):
    """W3: a directory entry ends only after its row is dropped; `all` never drops it."""
    book = shelf.orders("sum(orders.amount)")
    book.row("orders", 1, minute=100, position=2, amount=5)
    book.row("orders", 1, minute=100 + 30 * DAY, event=100, position=1, amount=7)
    assert book.metric("sum(orders.amount)", 100 + 30 * DAY) == 5


def test_a_moved_row_leaves_its_old_customer_and_counts_for_the_new(shelf):
    """W7: retract there and apply here, with one position."""
    book = shelf.orders("count(orders)")
    book.row("orders", 1, minute=100, customer=1, position=1)
    book.row("orders", 1, minute=101, customer=1, position=2, op="move")
    book.row("orders", 1, minute=101, customer=2, position=2, event=100)
    assert [book.metric("count(orders)", 101, customer) for customer in (1, 2)] == [0, 1]


def test_functions_of_nothing_are_zero_or_null(shelf):
    """M2: count, sum and distinct of nothing are 0; avg, min, max, first and last are null."""
    texts = [
        f"{name}(orders.amount)"
        for name in ("count", "sum", "distinct", "avg", "min", "max", "first", "last")
    ]
    book = shelf.orders(*texts)
    book.row("orders", 1, minute=100, amount=None)
    row = book.at(100).declared.iloc[0]
    assert [row[text] for text in texts[:3]] == [0, 0, 0]
    assert row[texts[3:]].isna().all()


def test_a_null_column_does_not_count_and_a_null_row_does(shelf):
    """M2: count(src.col) counts rows with a value, count(src) rows."""
    book = shelf.orders(
        "count(orders)", "count(orders.amount)", "avg(orders.amount)", "distinct(orders.status)"
    )
    book.row("orders", 1, minute=100, amount=10, status="paid")
    book.row("orders", 2, minute=100, amount=None, status=None)
    book.row("orders", 3, minute=100, amount=5, status="paid")
    row = book.at(100).declared.iloc[0]
    assert list(row) == [3, 2, Fraction(15, 2), 1]


def test_avg_is_kept_as_its_exact_sum_and_count(shelf):
    """M2: avg is never a float."""
    book = shelf.orders("avg(orders.amount)")
    book.row("orders", 1, minute=100, amount=10**13)
    book.row("orders", 2, minute=100, amount=1)
    book.row("orders", 3, minute=100, customer=2)
    column = book.at(100).metrics["avg(orders.amount)"]
    assert list(column) == [(10**13 + 1, 2), None]


def test_first_and_last_go_by_event_time_then_key_never_by_arrival(shelf):
    """W9, M3: (event time, source, key)."""
    book = shelf.orders("first(orders.amount)", "last(orders.amount)", "last(orders.status)")
    book.row("orders", 7, minute=100, second=30, amount=1, status="a")
    book.row("orders", 5, minute=100, second=30, amount=2, status="b")
    book.row("orders", 6, minute=100, second=10, amount=3, status="c")
    assert list(book.at(100).declared.iloc[0]) == [3, 1, "a"]


def test_a_filter_sees_null_as_false_except_under_unequal(shelf):
    """M2: comparisons with null are false, != negates ==."""
    texts = [
        'count(orders, status == "paid")',
        'count(orders, status != "paid")',
        'count(orders, !(status == "paid"))',
        'count(orders, status in ["paid", "open"])',
        "count(orders, amount > 5)",
        "count(orders, has(amount))",
        "count(orders, paid)",
    ]
    book = shelf.orders(*texts)
    book.row("orders", 1, minute=100, amount=9, status="paid", paid=1)
    book.row("orders", 2, minute=100, amount=None, status=None, paid=None)
    book.row("orders", 3, minute=100, amount=5, status="open", paid=0)
    assert list(book.at(100).declared.iloc[0]) == [1, 2, 2, 2, 1, 2, 1]


def test_rows_outside_the_sources_where_are_not_kept(shelf):
    """W7: an update that filters differently is retract and apply in one step."""
    book = shelf.orders("count(orders)")
    object.__setattr__(book.pieces.sources["orders"], "where", "amount > 0")
    book.row("orders", 1, minute=100, amount=5)
    book.row("orders", 1, minute=101, amount=0)
    assert [book.metric("count(orders)", at) for at in (100, 101)] == [1, 0]


def test_a_sum_beyond_64_bits_stops_with_an_error(shelf):
    """M1: overflow of a sum stops."""
    book = shelf.orders("sum(orders.amount)")
    for key in (1, 2):
        book.row("orders", key, minute=100, amount=2**62)
    with pytest.raises(OverflowError, match="does not fit 64 bits"):
        book.at(100)


def test_a_sum_whose_parts_cancel_is_exact(shelf):
    """M1: only the sum itself must fit."""
    book = shelf.orders("sum(orders.amount)")
    for key, amount in enumerate((2**62, 2**62 - 1, -(2**62))):
        book.row("orders", key, minute=100, amount=amount)
    assert book.metric("sum(orders.amount)", 100) == 2**62 - 1


def test_a_metric_written_twice_is_one_metric(shelf):
    """M3: spacing and quotes do not make another metric."""
    book = shelf.orders('count(orders,"10m",status=="a")', "count(orders, '10m', status == 'a')")
    assert [str(measure) for measure in book.pieces.metrics_used] == ['count(orders, "10m", status == "a")']


def test_the_clock_of_a_partition_never_runs_back(shelf):
    """T2: a record behind the clock is of the clock's minute."""
    book = shelf.orders("count(orders)")
    book.tick(100)
    book.row("orders", 1, minute=90)
    assert book.at(99).declared.empty
    assert book.metric("count(orders)", 100) == 1


def test_corrected_takes_all_rows_known_today(shelf):
    """L5: a late row counts from its own minute, a deleted one never."""
    book = shelf.orders("sum(orders.amount)")
    book.row("orders", 1, minute=100, amount=1)
    book.row("orders", 2, minute=200, event=100, amount=10)
    book.row("orders", 1, minute=300, op="delete")
    assert book.metric("sum(orders.amount)", 100) == 1
    assert book.at(100, corrected=True).declared.iloc[0, 0] == 10
