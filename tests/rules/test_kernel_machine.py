"""The kernel's rule machine says what the tree of a rule says, for whatever rule, customer and row."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.shop import Shop
from engine.batch import Batch
from engine.jit import entry
from engine.partition import Partition
from engine.plan import build
from rules import evaluate
from rules.bytecode import compile_rule
from rules.check import check_rule
from rules.metric import MetricSpec
from rules.parse import DEEPEST, parse
from rules.scope import event_of
from rules.syntax import Node, walk
from tests.laws.effort import effort
from tests.rules.clothes_shop import BACK, MEMBERS, ORDERS, REFUNDS, RFM, SCHEMA, VALUE, VIEWS
from tests.rules.test_rule_programs import customers, truth
from tests.rules.tree_reading import Customer, Value
from tests.rules.tree_reading import evaluate as evaluate_tree

METRICS = (
    "last(views.seconds)", 'min(views.seconds, "30d")', "count(views)", "last(orders.city)",
    "last(views.page)",
    "avg(orders.amount)", 'sum(orders.amount, "365d")', 'sum(refunds.amount, "365d")',
)  # fmt: skip


PROGRAMS = ("code", "constant", "program_start", "program_constant")
JUDGED = 3  # the row that rules read: the batch's last


@entry
def is_true(st: int, program: int, c: int, i: int) -> int:
    """Run the kernel's machine."""
    return 1 if evaluate.is_true(st, program, c, i) else 0


class Bench:
    """A partition with one customer whose state is set by hand; it also resolves names for the compiler."""

    def __init__(self) -> None:
        sources = {"orders": ORDERS, "refunds": REFUNDS, "views": VIEWS, "members": MEMBERS}
        trigger = {"name": "t", "when": {"event": {"source": "orders"}}, "action": {"channel": "sms"},
                   "if": 'row.items == 1 && row.city == "x" && row.gift'}  # fmt: skip
        shop = Shop.model_validate({
            "settings": {"name": "clothes"}, "channels": {"sms": {}}, "triggers": {"t": trigger},
            "sources": {name: source.model_copy(update={"name": name}) for name, source in sources.items()},
            "metrics": {f"m{i}": text for i, text in enumerate(METRICS)}, "rfm": [RFM, VALUE, BACK],
            "tags": {name: {"name": name} for name in ("黑名单", "vip", "sleeping")},
        })  # fmt: skip
        self.plan = build(shop)
        self.partition = Partition(self.plan)
        self.partition.begin(1)
        self.step = 0
        self.filters = {name: self.partition.memory[name] for name in PROGRAMS}
        self.models = [plan.model.name for plan in self.plan.models]

    def metric(self, spec: MetricSpec) -> int:
        return self.plan.metric.number[spec]

    def tag(self, name: str) -> int:
        return self.plan.tag.number[name]

    def rfm(self, model: str) -> int:
        return self.models.index(model)

    def column(self, source: str, column: str) -> int:
        return self.plan.metric.projection[source].index(column)

    def text(self, value: str) -> int:
        return int(self.partition.encode_texts([value])[0])

    def code(self, value: Any) -> int:
        return self.text(value) if isinstance(value, str) else int(value)

    def become(self, who: Customer) -> None:
        """Set the customer's state: newest rows by rows, all else by hand; the batch's last row is judged."""
        batch = self._rows(who)
        for name, numbers in self.filters.items():  # rows are filtered by the plan's own programs
            self.partition.memory.bind(name, numbers)
        for accumulators in ("slot", "tally"):  # sums set by hand are beyond what RFM may add up
            self.partition.per_customer(accumulators)[:] = 0
        self.partition.bind(batch)
        assert self.partition.apply(0, len(batch) - 1, self.step) == len(batch) - 1
        self.partition.take_effects()
        self.step += len(batch)
        for m, spec in enumerate(self.plan.metric.specs):
            trailing = spec.source == "orders" and spec.function == "count" and spec.window.kind == "trailing"
            if trailing or spec.key in who.averages or spec.key in who.metrics:
                self._set_metric(m, spec, who)
        for tag, number in self.plan.tag.number.items():
            bits = self.partition.per_customer("member")
            bits[0, 0] = bits[0, 0] & ~(1 << number) | (int(tag in who.tags) << number)
        scored = who.scores["score"] or 0
        for letter, score in zip("rfm", (scored // 100, scored // 10 % 10, scored % 10), strict=True):
            self.partition.per_customer(f"score_{letter}")[0, 0] = score
        self.partition.per_customer("segment")[0, 0] = -1 if who.segment is None else who.segment
        self.partition.per_customer("recent")[0, 0] = 0 if who.is_member else -1

    def _set_metric(self, m: int, spec: MetricSpec, who: Customer) -> None:
        slot, tally = (int(self.plan.columns[f"metric_{name}"][m]) for name in ("slot", "tally"))
        slots, tallies = self.partition.per_customer("slot"), self.partition.per_customer("tally")
        if spec.function == "avg":
            slots[0, slot], tallies[0, tally] = who.averages[spec.key] or (0, 0)
        elif spec.function != "last":
            value = who.metrics[spec.key] if spec.key in who.metrics else who.metric(spec)
            if spec.function in ("count", "distinct"):
                tallies[0, tally] = value or 0
            else:
                slots[0, slot] = 0 if value is None else self.code(value)
            if spec.function == "min":
                tallies[0, tally] = int(value is not None)

    def _rows(self, who: Customer) -> Batch:
        newest = {
            "views": {"seconds": who.metrics["last(views.seconds)"], "page": who.metrics["last(views.page)"]},
            "members": {"level": who.metrics["last(members.level)"], "vip": who.metrics["last(members.vip)"]},
            "orders": {"city": who.metrics["last(orders.city)"]},
        }
        batch = Batch.zeros(len(newest) + 1, self.plan.dimensions["row_values"])
        batch.minute[:], batch.key_high[:], batch.position[:] = 1, -(2**63), self.step + 1
        for i, (source, said) in enumerate([*newest.items(), ("orders", who.row)]):
            batch.source[i] = self.plan.metric.source_number[source]
            batch.nulls[i] = (1 << len(self.plan.metric.projection[source])) - 1
            for name, value in said.items():
                if value is not None:
                    place = self.column(source, name)
                    batch.nulls[i] &= ~(1 << place)
                    batch.values[i, place] = self.code(value)
        return batch

    def run(self, node: Node) -> bool:
        """Compile a rule and run it on the kernel's machine."""
        program = compile_rule(check_rule(node, SCHEMA, event_of("orders")), self)
        memory = self.partition.memory
        columns = {
            "code": [number for instruction in program.code for number in instruction],
            "constant": program.constants,
            "program_start": [0, len(program.code)], "program_constant": [0],
        }  # fmt: skip
        for name, numbers in columns.items():
            dtype = memory[name].dtype
            memory.bind(name, np.array(numbers, dtype=dtype))
        return bool(is_true(memory.handle, 0, 0, JUDGED))


@lru_cache
def bench() -> Bench:
    return Bench()


scores = st.one_of(
    st.none(), st.integers(1, 5).flatmap(lambda r: st.integers(11, 55).map(lambda fm: 100 * r + fm))
)


@effort(600)
@given(truth, customers, scores)
def test_the_kernels_machine_and_the_tree_agree_on_every_rule(
    node: Node, who: Customer, score: int | None
) -> None:
    """M2, M4: nulls, overflow, division, averages, lists, conditionals, on whatever values."""
    assume(max(depth for _, depth in walk(node)) <= DEEPEST)
    checked = check_rule(node, SCHEMA, event_of("orders"))
    assume(
        all(spec in bench().plan.metric.number for spec in checked.metrics)
    )  # recency makes metrics of its own
    scores = {"r": None if score is None else score // 100, "score": score}
    who = replace(who, scores=scores, segment=None if score is None else who.segment or 0)
    bench().become(who)
    assert bench().run(node) == (evaluate_tree(node, who) == 1)


HIGHEST = 2**63 - 1
nothing: dict[str, Value] = dict.fromkeys(
    ("last(members.vip)", "last(views.page)", "last(orders.city)", 'min(views.seconds, "30d")')
)
nothing |= dict.fromkeys(("count(views)", 'sum(orders.amount, "365d")', 'sum(refunds.amount, "365d")'), 0)


@pytest.mark.parametrize(
    ("x", "operation", "y", "expected"),
    [
        (-7, "/", 2, -3), (7, "/", -2, -3), (-7, "/", -2, 3), (7, "/", 2, 3), (-6, "/", 3, -2),
        (-7, "%", 2, -1), (7, "%", -2, 1), (-7, "%", -2, -1), (-6, "%", 3, 0),
        (5, "/", 0, None), (5, "%", 0, None), (-HIGHEST - 1, "/", -1, None), (-HIGHEST - 1, "%", -1, 0),
        (HIGHEST, "+", 1, None), (-HIGHEST, "-", 2, None), (HIGHEST, "+", -1, HIGHEST - 1),
        (2**32, "*", 2**31, None), (-(2**32), "*", 2**31, -HIGHEST - 1), (2**31, "*", 2**31, 2**62),
        (None, "+", 1, None), (3, "*", None, None),
    ],
)  # fmt: skip
def test_arithmetic_is_as_the_semantics_say(
    x: int | None, operation: str, y: int | None, expected: int | None
) -> None:
    """M4: toward zero, the sign of the dividend, null on overflow, on division by zero and with null."""
    who = Customer(
        metrics=nothing | {"last(members.level)": x, "last(views.seconds)": y},
        averages={"avg(orders.amount)": None},
        scores={"r": None, "score": None},
        row={"items": expected, "city": None, "gift": None},
    )
    bench().become(who)
    value = f"customer.level {operation} last(views.seconds)"
    assert bench().run(parse(f"has({value})")) == (expected is not None)
    assert bench().run(parse(f"{value} == row.items")) == (expected is not None)
