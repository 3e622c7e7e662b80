"""What rules say of null and of whole numbers, read from the tree."""

from __future__ import annotations

from fractions import Fraction

import pytest

from reference.evaluate import customer_reader, row_reader
from reference.measure import measure_of
from reference.pieces import Pieces
from rfm.model import RfmModel
from rules.error import RuleError
from rules.metric import MetricSpec
from rules.parse import parse

MODEL = RfmModel(frequency="count(orders)", monetary="sum(orders.amount)")
PIECES = Pieces(metrics={"spend": "sum(orders.amount)"}, models=[MODEL])


class Stub:
    """A customer of whom everything is given."""

    values = {
        "sum(orders.amount)": 10,
        "min(orders.amount)": None,
        "avg(orders.amount)": Fraction(10, 4),
        "avg(orders.rest)": None,
        "last(orders.status)": "paid",
    }

    def measure(self, measure):
        return self.values[str(measure)]

    def rfm(self, model, field):
        return {"r": 5, "segment": "Best"}.get(field)

    def tag(self, name):
        return name == "vip"


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("spend >= 10", True),
        ("min(orders.amount) < 5", False),
        ("min(orders.amount) == min(orders.amount)", False),
        ("min(orders.amount) != min(orders.amount)", True),
        ("!(min(orders.amount) < 5)", True),
        ("has(min(orders.amount))", False),
        ("has(min(orders.amount) + 1)", False),
        ("min(orders.amount) in [1, 2]", False),
        ("avg(orders.amount) > 2", True),
        ("avg(orders.amount) < 3", True),
        ("2 == avg(orders.amount)", False),
        ("avg(orders.rest) < 3", False),
        ("avg(orders.rest) != 3", True),
        ("has(avg(orders.amount))", True),
        ("-7 / 2 == -3 && -7 % 2 == -1 && 7 % -2 == 1", True),
        ("has(1 / (spend - 10))", False),
        ("has(1 % (spend - 10))", False),
        ("has(9223372036854775807 + spend)", False),
        ("has(9223372036854775807 * spend - 1)", False),
        ('"vip" in tags && !("new" in tags)', True),
        ('rfm.segment == "Best" && rfm.r == 5', True),
        ("rfm.recency > 3", False),
        ("rfm.recency != 3", True),
        ('last(orders.status) in ["open", "paid"]', True),
        ("spend > 5 ? spend < 7 : true", False),
        ("has(spend > 5 ? min(orders.amount) : 1)", False),
        ("spend > 50 || spend > 5 && spend > 7", True),
    ],
)
def test_a_rule_says_what_the_law_says(rule, says):
    """M2, M4, R6: null, whole numbers, avg without floats."""
    assert customer_reader(parse(rule), PIECES)(Stub()) is says


def test_a_row_condition_reads_columns_and_nothing_else():
    """M2: a filter is of its row."""
    read = row_reader(parse('status != "paid" && amount * 2 >= 10 || !paid'))
    assert read({"status": None, "amount": 5, "paid": 1}) is True
    assert read({"status": "paid", "amount": 5, "paid": 1}) is False
    assert read({"status": "paid", "amount": 5, "paid": None}) is True
    with pytest.raises(RuleError, match="cannot be read"):
        row_reader(parse('"vip" in tags'))


def test_what_no_rule_has_is_refused_with_its_place():
    """M4: the reader refuses what it does not know and never guesses."""
    for text in (
        "unknown > 1",
        "customer.city == 1",
        "rfm.rank > 1",
        "median(orders.amount) > 1",
        "count() > 0",
    ):
        with pytest.raises(RuleError, match="1:1"):
            customer_reader(parse(text), PIECES)


@pytest.mark.parametrize("text", ["sum(a.b.c)", 'sum(a.b, "30d", x, y)', "sum(1)"])
def test_what_is_no_metric_is_refused(text):
    """M1."""
    with pytest.raises(RuleError, match="no metric"):
        measure_of(parse(text))  # type: ignore[arg-type]  # what is no call is refused at run time


@pytest.mark.parametrize(
    "text",
    ["count(orders)", 'sum(orders.amount, "30d", status != "x")', 'last(`my orders`.city, "year offset 1")'],
)
def test_a_metric_has_the_same_text_here_and_in_the_rules(text):
    """M3: the frames of both readings name a metric by its one text."""
    mine = measure_of(parse(text))  # type: ignore[arg-type]  # these texts are calls
    spec = MetricSpec(mine.function, mine.source, mine.column, mine.window, mine.filter)
    assert str(mine) == spec.key == text
