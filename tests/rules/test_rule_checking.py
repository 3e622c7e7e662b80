"""What the checker accepts, what it finds, and what it says of mistakes."""

from __future__ import annotations

import pytest

from profiles.windows import Window
from rules.check import check_metric, check_rule, check_value
from rules.error import RuleError
from rules.metric import MetricSpec
from rules.parse import parse
from rules.schema import Schema
from rules.scope import CUSTOMER, Scope, event_of, row_of
from streams.contract.source import Column
from tests.rules.clothes_shop import RFM, SCHEMA, source

ROW, EVENT = row_of("orders"), event_of("orders")

WRONG = {
    # names
    "vip_spnd > 3": (1, "did you mean 'vip_spend'?"),
    "customer.cty == 'x'": (1, "did you mean 'city'?"),
    "customer.vipp": (1, "did you mean 'vip'?"),
    '"黑名" in tags': (1, "did you mean '黑名单'?"),
    "x in tags": (1, "in quotes"),
    "tags": (1, '"name" in tags'),
    "sleeping": (1, '"sleeping" in tags'),
    "orders.amount > 3": (1, "last(orders.amount)"),
    "orders > 3": (1, 'count(orders, "30d")'),
    "rfm > 3": (1, "rfm.segment"),
    "rfm.reccency > 3": (1, "did you mean 'recency'?"),
    "row.amount > 3": (1, "only the if of a trigger on an event"),
    "broken > 1": (1, "metric 'broken': 'orders' has no column 'amout': did you mean 'amount'?"),
    "contains(orders) > 1": (1, "no function 'contains'"),
    # metrics
    "1 < count(ordrs)": (11, "did you mean 'orders'?"),
    "count() > 1": (1, "of what"),
    "count(1) > 1": (7, "needs a source"),
    "count(orders.amout) > 1": (7, "did you mean 'amount'?"),
    "sum(orders) > 1": (5, "orders.amount"),
    "sum(orders.status) > 1": (5, "sum cannot take it"),
    "max(orders.gift) > 1": (5, "max cannot take it"),
    "avg(orders.paid_at) > 1": (5, "avg cannot take it"),
    'count(orders, "30x") > 1': (15, "is no window"),
    'count(orders, "30000d") > 1': (15, "20 years"),
    'count(orders, "year from customer.joind") > 1': (15, "did you mean 'joined'?"),
    'count(orders, "year from customer.city") > 1': (15, "not a date"),
    'count(orders, "30d", gift, gift) > 1': (28, "too many"),
    'count(orders, "30d", amount) > 1': (22, "a filter takes true or false"),
    'count(orders, stauts == "new") > 1': (15, "did you mean 'status'?"),
    'count(orders, status == "padi") > 1': (25, "did you mean 'paid'?"),
    'count(orders, status in ["new", "padi"]) > 1': (33, "did you mean 'paid'?"),
    "count(orders, count(views) > 1) > 1": (15, "a rule over one"),
    'count(orders, "vip" in tags) > 1': (15, "no tags"),
    "count(orders, orders.gift) > 1": (15, "write the column alone"),
    "count(hand) > 1": (7, "in tags"),
    # types
    "count(orders)": (1, "make it a condition"),
    "customer.city": (1, "a rule takes true or false"),
    'count(orders) == "5"': (1, "write 5 without quotes"),
    "customer.city == 5": (1, "put a text between quotes"),
    'customer.city < "x"': (1, "== or !="),
    "customer.vip < true": (1, "== or !="),
    "customer.vip in [true]": (1, "takes a whole number"),
    'customer.city + "x" == "ax"': (1, "'+' takes a whole number"),
    "-customer.vip == 1": (2, "'-' takes a whole number"),
    "!count(orders)": (2, "'!' takes true or false"),
    "count(orders) && true": (1, "'&&' takes true or false"),
    "1 ? true : false": (1, "'?' takes true or false"),
    'true ? 1 : "a"': (1, "of one kind"),
    "(customer.vip ? rfm.segment : value.segment) == 'x'": (2, "of one kind"),
    "1 in 2": (6, "no list"),
    "[1] == [1]": (1, "stands alone"),
    "1 in [count(orders)]": (7, "written out"),
    'count(orders) in [1, "a"]': (22, "a whole number"),
    "has()": (1, "has(x)"),
    # money (M1)
    "sum(orders.amount) > sum(refunds.dollars)": (1, "CNY and USD are two currencies"),
    "sum(orders.amount) + sum(refunds.weight) > 1": (1, "multiply orders.amount by 10"),
    "sum(orders.amount) > count(orders)": (1, "multiply count by 100"),
    "sum(orders.amount) > 19.99": (22, "write 1999: orders.amount counts in units of 0.01"),
    "0.5 < sum(orders.amount)": (1, "write 50:"),
    "sum(orders.amount) > 19.999": (22, "write 1999 or 2000"),
    "sum(orders.amount) > -0.005": (22, "write -1 or 0"),
    "avg(orders.amount) >= 12.5": (23, "write 1250"),
    "rfm.monetary > 1e2": (16, "write 10000"),
    "sum(orders.amount) in [1, 2.5]": (27, "write 250"),
    "sum(orders.amount) + 2.5 > 3": (22, "write 250"),
    "count(orders) > 2.0": (17, "write 2:"),
    "sum(orders.amount) * 0.9 > 3": (22, "multiply by 9 and divide by 10"),
    "count(orders) / 0.5 > 3": (17, "multiply by 2"),
    "sum(orders.amount) > 1e999999999": (22, "whole number"),
    "2.5 > 1": (1, "whole number in the column's own units"),
    "customer.city == 2.5": (18, "whole number"),
    "has(2.5)": (5, "whole number"),
    # averages (M4)
    "basket + 1 > 3": (1, "can only be compared"),
    "basket > basket": (1, "two averages"),
    "basket in [1]": (1, "can only be compared"),
    "(true ? basket : 1) > 2": (9, "can only be compared"),
    'basket > "a"': (10, "takes a whole number"),
    "basket": (1, "can only be compared"),
    # recency and segments (R6)
    "rfm.recency": (1, "rfm.recency > 30"),
    "rfm.recency + 1 > 3": (1, "rfm.recency > 30"),
    "rfm.recency > count(orders)": (15, "rfm.recency > 30"),
    "rfm.recency in [1]": (1, "rfm.recency > 30"),
    "rfm.recency > 8000": (1, "20 years"),
    "back.recency > 3": (1, "ends with its window"),
    'rfm.segment == "Loyl"': (16, "did you mean 'Loyal'?"),
    'rfm.segment in ["Lost", "Loyl"]': (25, "did you mean 'Loyal'?"),
    'rfm.segment == "none"': (16, "!rfm.member"),
    'rfm.segment > "Lost"': (1, "== or !="),
    "rfm.segment == 1": (16, "a segment is compared with"),
    "rfm.segment == value.segment": (16, "a segment is compared with"),
}


@pytest.mark.parametrize(("text", "expected"), WRONG.items())
def test_a_mistake_is_placed_and_explained(text: str, expected: tuple[int, str]) -> None:
    with pytest.raises(RuleError) as caught:
        check_rule(text, SCHEMA)
    assert expected[1] in str(caught.value)
    assert (caught.value.line, caught.value.column) == (1, expected[0])
    assert caught.value.hint


RIGHT = [
    ("true", CUSTOMER),
    ('rfm.segment in ["Champions", "Others"] || value.segment == "重要价值"', CUSTOMER),
    ("rfm.recency >= 30 && 7 > rfm.recency && has(rfm.recency) && has(back.recency)", CUSTOMER),
    ("avg(orders.amount) > sum(refunds.amount) / 3", CUSTOMER),
    ("10 * count(orders) < sum(orders.amount)", CUSTOMER),
    ("100 * count(orders) * sum(orders.items) > vip_spend", CUSTOMER),
    ("sum(orders.amount) / sum(refunds.amount) > count(orders)", CUSTOMER),
    ('first(orders.status) == "new" && last(orders.city) == last(views.page)', CUSTOMER),
    ("customer.vip == (count(orders) > 3)", CUSTOMER),
    ("max(orders.paid_at) > 28000000 && min(members.joined) < 1", CUSTOMER),
    ('amount > 500 && gift && status in ["new", "paid"] && has(paid_at)', ROW),
    ("row.amount > sum(orders.amount) / 10 && row.gift", EVENT),
    ('count(orders, "month offset 1", gift || !(amount > 3)) > 0', CUSTOMER),
]


@pytest.mark.parametrize(("text", "scope"), RIGHT)
def test_a_rule_that_holds_together_is_a_truth(text: str, scope: Scope) -> None:
    assert check_rule(text, SCHEMA, scope).type.kind == "bool"


def test_a_row_scope_knows_columns_alone() -> None:
    for text in ("customer.vip", "rfm.member", "row.gift", "vip_spend > 1"):
        with pytest.raises(RuleError, match="is no column of source 'orders'"):
            check_rule(text, SCHEMA, ROW)
    with pytest.raises(RuleError, match="did you mean 'gift'"):
        check_rule("row.gft", SCHEMA, EVENT)
    with pytest.raises(RuleError, match=r"write row\.COLUMN"):
        check_rule("row.gift.x", SCHEMA, EVENT)


def test_a_scope_of_an_unknown_source_is_refused() -> None:
    with pytest.raises(RuleError, match="source 'ordrs' is not declared: did you mean 'orders'"):
        check_rule("gift", SCHEMA, row_of("ordrs"))


def test_what_a_rule_rests_on_is_listed_once_in_order() -> None:
    checked = check_rule(
        '"vip" in tags && vip_spend > 5 && sum(orders.amount, "365d") > 3 && rfm.r > 1 '
        '&& !("黑名单" in tags) && customer.city != "x" && rfm.recency > 30 '
        '&& count(views, "year from customer.joined") > 0',
        SCHEMA,
    )
    assert [spec.key for spec in checked.metrics] == [
        'sum(orders.amount, "365d")',
        'sum(refunds.amount, "365d")',
        "last(orders.city)",
        'count(orders, "31d", status != "cancelled")',
        'count(views, "year from customer.joined")',
        "last(members.joined)",
    ]
    assert checked.tags == ("vip", "黑名单")
    assert checked.models == ("rfm",)
    assert checked.columns == (
        ("orders", "amount"), ("refunds", "amount"), ("orders", "city"), ("orders", "status"),
        ("members", "joined"),
    )  # fmt: skip


def test_a_value_may_be_of_any_kind_but_no_average() -> None:
    kinds = {"1 + 1": "number", "customer.city": "text", "rfm.segment": "segment", "rfm.member": "bool"}
    assert {text: check_value(text, SCHEMA).type.kind for text in kinds} == kinds
    for text in ("basket", "rfm.recency", "2.5"):
        with pytest.raises(RuleError):
            check_value(text, SCHEMA)


def test_a_declared_metric_is_metrics_and_arithmetic() -> None:
    assert check_metric("avg(orders.amount)", SCHEMA).type.kind == "average"
    assert check_metric("last(orders.city)", SCHEMA).type.kind == "text"
    assert check_metric('-(sum(orders.amount, "30d") - 100) * 3', SCHEMA).type.kind == "number"
    for text in ("vip_spend + 1", "rfm.r", "5 + 5", "1 < count(orders)", "has(basket)", "true ? 1 : 2"):
        with pytest.raises(RuleError, match="a metric is counted from rows"):
            check_metric(text, SCHEMA)


def test_a_metric_written_twice_is_one_metric() -> None:
    """M3: whatever blanks, quotes, brackets and units it is written with."""
    ways = [
        'count(orders, "30d", status == "paid" && (gift && amount > 5))',
        "count( orders , '720h', (status == 'paid' && gift) && amount > 5 )",
        'count(orders,"43200m",(((status=="paid")))&&gift&&amount>5)',
    ]
    specs = {check_rule(f"{way} > 0", SCHEMA).metrics[0] for way in ways}
    assert len(specs) == 1
    spec = specs.pop()
    assert spec.key == 'count(orders, "30d", status == "paid" && gift && amount > 5)'
    assert spec.columns == ("amount", "gift", "status")
    assert parse(spec.key) == spec.call
    ways = ["count(orders)", 'count(orders, "all", true)']
    found = {check_rule(f"{way} > 0", SCHEMA).metrics[0] for way in ways}
    assert found == {MetricSpec("count", "orders", None, Window("all"))}


def test_one_is_not_true_in_a_filter() -> None:
    one, true = (
        check_rule(f"count(orders, {where}) > 0", SCHEMA).metrics[0]
        for where in ("items == 1", "gift == true")
    )
    assert one != true


def test_two_things_of_one_name_are_refused() -> None:
    city = source(town=Column(type="text", attribute="city"))
    with pytest.raises(RuleError, match=r"declared twice, by orders\.city and towns\.town"):
        Schema.build({**SCHEMA.sources, "towns": city})
    with pytest.raises(RuleError, match="two RFM models are named 'rfm'"):
        Schema.build(SCHEMA.sources, rfm=[RFM, RFM])
    with pytest.raises(RuleError, match="a metric cannot be named 'row'"):
        Schema.build(SCHEMA.sources, metrics={"row": "count(orders)"})
