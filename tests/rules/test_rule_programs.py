"""The bytecode of a rule says the same as its syntax tree, for whatever rule and whatever customer."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from rules import opcodes as op
from rules.bytecode import Program, compile_rule
from rules.check import check_metric, check_rule, check_value
from rules.error import RuleError
from rules.parse import DEEPEST, parse
from rules.scope import event_of, row_of
from rules.syntax import Binary, Conditional, Literal, Node, Unary, join, walk
from rules.write import write
from tests.rules.clothes_shop import SCHEMA
from tests.rules.machine import Machine, Places
from tests.rules.tree_reading import HIGHEST, LOWEST, SEGMENT_NAMES, Customer, Value, evaluate

COMPARE = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
NUMBERS = ["customer.level", "rfm.r", "last(views.seconds)", 'min(views.seconds, "30d")', "count(views)",
           "rfm.score", "row.items"]  # fmt: skip
TEXTS = ["customer.city", "last(views.page)", '"上海"', "row.city", '"x"']
TRUTHS = [
    '"黑名单" in tags', '"vip" in tags', "customer.vip", "rfm.member", "has(basket)", "has(rfm.segment)",
    "has(rfm.recency)", "true", "row.gift", "vip_spend > 500", "vip_spend / count(views) != 3",
]  # fmt: skip
small = st.integers(-4, 4)
numbers = st.one_of(small, small, st.sampled_from([LOWEST, HIGHEST, HIGHEST // 2]))
known_or_null = st.one_of(st.none(), numbers)


def trees(texts: list[str]) -> st.SearchStrategy[Node]:
    return st.sampled_from(texts).map(parse)


def _number_over(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.one_of(
        st.builds(Binary, st.sampled_from("+-*/%"), inner, inner),
        st.builds(Unary, st.just("-"), inner),
        st.builds(Conditional, trees(TRUTHS), inner, inner),
    )


number = st.recursive(st.one_of(numbers.map(Literal), trees(NUMBERS)), _number_over, max_leaves=5)
text = st.one_of(trees(TEXTS), st.builds(Conditional, trees(TRUTHS), trees(TEXTS), trees(TEXTS)))
money = st.one_of(numbers.map(Literal), trees(["vip_spend", "vip_spend / count(views)"]))
recency = st.builds("rfm.recency {} {}".format, COMPARE, st.integers(-2, 400)).map(parse)
mirrored = st.builds("{} {} rfm.recency".format, st.integers(-2, 400), COMPARE).map(parse)
segment = st.builds(
    'rfm.segment {} "{}"'.format, st.sampled_from(["==", "!="]), st.sampled_from(SEGMENT_NAMES)
).map(parse)
simple = st.one_of(
    trees(TRUTHS), recency, mirrored, segment,
    st.builds(Binary, COMPARE, number, number),
    st.builds(Binary, st.sampled_from(["==", "!="]), text, text),
    st.builds(Binary, COMPARE, trees(["basket"]), money),
    st.builds(Binary, COMPARE, money, trees(["basket"])),
    st.builds(Binary, st.just("in"), number, trees(["[1, 2, -3]", "[]"])),
    st.builds(Binary, st.just("in"), text, trees(['["上海", "x"]'])),
    trees(['rfm.segment in ["Lost", "Others"]', "has(customer.city)"]),
    number.map(lambda node: parse(f"has({write(node)})")),
)  # fmt: skip


def _truth_over(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.one_of(
        st.builds(join, st.sampled_from(["&&", "||"]), st.lists(inner, min_size=2, max_size=4)),
        st.builds(Unary, st.just("!"), inner),
        st.builds(Conditional, inner, inner, inner),
        st.builds(Binary, st.sampled_from(["==", "!="]), inner, inner),
    )


truth = st.recursive(simple, _truth_over, max_leaves=8)
city = st.sampled_from([None, "上海", "北京", "x"])
bit = st.sampled_from([None, 0, 1])
customers = st.builds(
    Customer,
    metrics=st.fixed_dictionaries(
        {
            "last(members.level)": known_or_null, "last(views.seconds)": known_or_null,
            'min(views.seconds, "30d")': known_or_null, "count(views)": st.integers(0, 3),
            "last(orders.city)": city, "last(views.page)": city, "last(members.vip)": bit,
            'sum(orders.amount, "365d")': numbers, 'sum(refunds.amount, "365d")': numbers,
        }
    ),
    averages=st.fixed_dictionaries(
        {"avg(orders.amount)": st.one_of(st.none(), st.tuples(st.integers(-9, 9), st.integers(1, 4)))}
    ),
    tags=st.sets(st.sampled_from(["黑名单", "vip"])),
    scores=st.fixed_dictionaries({"r": known_or_null, "score": known_or_null}),
    segment=st.one_of(st.none(), st.integers(0, len(SEGMENT_NAMES) - 1)),
    ages=st.lists(st.one_of(st.integers(0, 3000), st.integers(364 * 1440 - 5, 366 * 1440)), max_size=3),
    row=st.fixed_dictionaries({"items": known_or_null, "city": city, "gift": bit}),
)  # fmt: skip


def run(node: str | Node, who: Customer) -> Value:
    """Check, compile and run; the program keeps to the stack that it says it needs."""
    checked = check_rule(node, SCHEMA, event_of("orders"))
    places = Places()
    program = compile_rule(checked, places)
    machine = Machine(program, places, who)
    value = machine.run()
    assert machine.highest <= program.stack
    assert set(places.metrics) <= set(checked.metrics)
    assert set(places.tags) == set(checked.tags)
    assert set(places.models) == set(checked.models)
    return value


@seed(20241107)
@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
@given(truth, customers)
def test_bytecode_and_tree_agree_on_every_rule_and_customer(node: Node, who: Customer) -> None:
    """M2, M4, R6: nulls, overflow, averages, recency as trailing windows, segments."""
    if max(depth for _, depth in walk(node)) > DEEPEST:
        return
    assert parse(write(node)) == node
    assert run(node, who) == (evaluate(node, who) == 1)  # a condition that is null is false


@pytest.mark.parametrize("comparison", ["==", "!=", "<", "<=", ">", ">="])
@pytest.mark.parametrize("days", [-1, 0, 1, 30, 31, 363, 364, 365, 366])
def test_recency_turns_to_the_minute(comparison: str, days: int) -> None:
    """R6: at each edge, on both sides, in the population and out of it."""
    rule = f"rfm.recency {comparison} {days}"
    edges = {day * 1440 + minute for day in (0, 1, 30, 31, 32, 364, 365) for minute in (-1, 0, 1)}
    for age in sorted(edge for edge in edges if edge >= 0):
        who = Customer(ages=[age, 500 * 1440])
        assert run(rule, who) == evaluate(parse(rule), who), age
    assert run(rule, Customer()) == (comparison == "!=")


def test_a_chain_jumps_straight_to_its_end() -> None:
    places = Places()
    program = compile_rule(check_rule('"vip" in tags && rfm.member && "黑名单" in tags', SCHEMA), places)
    assert program == Program(
        code=(
            (op.TAG, 0, 0), (op.JUMP_FALSE, 5, 0), (op.RFM, 0, op.RFM_MEMBER), (op.JUMP_FALSE, 5, 0),
            (op.TAG, 1, 0),
        ),
        constants=(),
        stack=1,
    )  # fmt: skip


def test_a_null_truth_column_is_false_and_its_negation_true() -> None:
    """M2: `!` is two-valued."""
    who = Customer(row={"gift": None})
    rules = ("row.gift", "!row.gift", "row.gift == false", "row.gift != true", "(true ? row.gift : true)")
    assert [run(rule, who) for rule in rules] == [0, 1, 0, 1, 0]


def test_a_filter_reads_the_columns_of_its_row() -> None:
    """M2: a row with status null passes != and not ==."""
    for rule, expected in {'status != "paid"': 1, 'status == "paid"': 0, 'status in ["paid"]': 0}.items():
        places = Places()
        program = compile_rule(check_rule(rule, SCHEMA, row_of("orders")), places)
        assert Machine(program, places, Customer(row={"status": None})).run() == expected
        assert places.columns == [("orders", "status")]


def test_a_value_compiles_and_an_average_does_not() -> None:
    """M4: an average is never a number of its own."""
    places = Places()
    assert compile_rule(check_value("customer.city", SCHEMA), places).code == ((op.METRIC, 0, 0),)
    with pytest.raises(RuleError, match="average has no value"):
        compile_rule(check_metric("avg(orders.amount)", SCHEMA), places)


def test_a_name_of_two_segment_ranges_means_both() -> None:
    places = Places()
    program = compile_rule(check_rule('rfm.segment == "Lost"', SCHEMA), places)
    assert program.constants == (2, 3)
