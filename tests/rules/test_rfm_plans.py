"""What an RFM model measures (R1)."""

from __future__ import annotations

import pytest

from profiles.windows import Window
from rules.check import check_filter, check_rfm
from rules.error import RuleError
from rules.schema import segment_names
from tests.rules.clothes_shop import RFM, SCHEMA, VALUE

YEAR = Window("trailing", 525600)


def test_the_window_of_the_model_is_put_into_all_its_metrics() -> None:
    """R1: R, F and M share one window."""
    plan = check_rfm(RFM, SCHEMA)
    assert plan.window == YEAR
    assert plan.frequency.key == 'count(orders, "365d", status != "cancelled")'
    assert [(sign, term.key) for sign, term in plan.monetary] == [
        (1, 'sum(orders.amount, "365d", status != "cancelled")'),
        (-1, 'sum(refunds.amount, "365d")'),
    ]
    assert (plan.money.scale, plan.money.currency) == (2, "CNY")


def test_recency_is_of_the_very_rows_that_frequency_counts() -> None:
    """R1, M2: a row whose order number is null does not count, and is no order to be recent."""
    recency = check_rfm(RFM, SCHEMA).recency
    assert (recency.function, recency.column) == ("last", None)
    assert recency.key == 'last(orders, "365d", status != "cancelled")'
    by_number = check_rfm(VALUE, SCHEMA).recency
    assert by_number.key == 'last(orders, "month", gift && has(id))'
    checked = check_filter(by_number, SCHEMA)
    assert checked is not None
    assert checked.columns == (("orders", "gift"), ("orders", "id"))


def test_brackets_and_signs_of_monetary_are_resolved() -> None:
    model = RFM.model_copy(
        update={"monetary": "-(sum(orders.amount) - (sum(refunds.amount) - sum(orders.amount, gift)))"}
    )
    terms = [(sign, term.key) for sign, term in check_rfm(model, SCHEMA).monetary]
    assert terms == [
        (-1, 'sum(orders.amount, "365d")'),
        (1, 'sum(refunds.amount, "365d")'),
        (-1, 'sum(orders.amount, "365d", gift)'),
    ]


WRONG = {
    ("frequency", "sum(orders.amount)"): "frequency: this is no count or distinct",
    ("frequency", "count(orders) + 1"): "frequency: this is no count or distinct",
    ("frequency", 'count(orders, "30d")'): "frequency: count has the window '30d' of its own",
    ("frequency", "count(ordrs)"): "did you mean 'orders'?",
    ("monetary", "sum(orders.amount) * 2"): "monetary: this is no sum",
    ("monetary", "sum(orders.amount) - 5"): "monetary: this is no sum",
    ("monetary", "sum(orders.amount) - avg(orders.amount)"): "1:22: monetary: this is no sum",
    ("monetary", "sum(orders.amount) - sum(refunds.dollars)"): "1:22: monetary: CNY and USD",
    ("monetary", "sum(orders.amount"): "monetary: the rule ends too early",
    ("window", "30x"): "window: '30x' is no window",
    ("window", "year from customer.city"): "window: customer.city is text",
}


@pytest.mark.parametrize(("change", "expected"), WRONG.items())
def test_a_wrong_model_is_explained_by_its_key(change: tuple[str, str], expected: str) -> None:
    with pytest.raises(RuleError) as caught:
        check_rfm(RFM.model_copy(update=dict([change])), SCHEMA)
    assert expected in str(caught.value)


def test_segments_are_in_order_and_the_rest_is_last() -> None:
    """R4: the eight value groups come ready-made."""
    assert segment_names(RFM) == ("Champions", "Loyal", "Lost", "Lost", "Others")
    names = segment_names(VALUE)
    assert (len(names), names[0], names[7], names[8]) == (9, "重要价值", "一般挽留", "Others")
