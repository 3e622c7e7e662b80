"""The first of two plain readings of a rule: over its syntax tree, for one imagined customer.

The other one runs the bytecode (`machine.py`). A null is None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeVar

from rules.metric import MetricSpec
from rules.parse import parse
from rules.resolve import Resolution
from rules.scope import CUSTOMER
from rules.syntax import Binary, Call, Conditional, ListLiteral, Literal, Name, Node, Unary
from rules.write import write
from tests.rules.clothes_shop import SCHEMA, SEGMENTS

Value = int | str | None
T = TypeVar("T")
LOWEST, HIGHEST = -(2**63), 2**63 - 1
SEGMENT_NAMES = [*(segment.name for segment in SEGMENTS), "Others"]


@dataclass
class Customer:
    """Values by name: metrics by their canonical text, ``averages`` as (sum, count), the row's columns.

    ``ages``: minutes since each order; metrics that count orders follow from it.
    ``segment``: the index of the segment of model ``rfm``.
    """

    metrics: dict[str, Value] = field(default_factory=dict)
    averages: dict[str, tuple[int, int] | None] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)
    scores: dict[str, int | None] = field(default_factory=dict)
    segment: int | None = None
    ages: list[int] = field(default_factory=list)
    row: dict[str, Value] = field(default_factory=dict)

    @property
    def is_member(self) -> bool:
        return any(age < 365 * 1440 for age in self.ages)

    def metric(self, spec: MetricSpec) -> Value:
        if spec.function == "count" and spec.source == "orders" and spec.window.kind == "trailing":
            return sum(age < spec.window.length for age in self.ages)
        return self.metrics[spec.key]


def read(text: str, customer: Customer) -> Value:
    """Evaluate rule text over its tree."""
    return evaluate(parse(text), customer)


def evaluate(node: Node, who: Customer) -> Value:
    """Evaluate a tree as semantics M2, M4 and R6 say it, name by name; truth is 0 or 1."""
    match node:
        case Literal():
            return node.value if isinstance(node.value, str) else int(node.value)
        case Name():
            return _name(node, who)
        case Call(name="has"):
            return int(_is_known(node.arguments[0], who))
        case Call():
            return who.metric(Resolution(SCHEMA, CUSTOMER).metric(node))
        case Unary(op="!"):
            return int(evaluate(node.operand, who) != 1)
        case Unary():
            return _bounded(None if (value := _number(node.operand, who)) is None else -value)
        case Conditional():
            return evaluate(node.then if evaluate(node.test, who) == 1 else node.otherwise, who)
        case Binary(op="&&"):
            return int(evaluate(node.left, who) == 1 and evaluate(node.right, who) == 1)
        case Binary(op="||"):
            return int(evaluate(node.left, who) == 1 or evaluate(node.right, who) == 1)
        case Binary(op="in"):
            return _in(node, who)
        case Binary(op="+" | "-" | "*" | "/" | "%"):
            return arithmetic(node.op, _number(node.left, who), _number(node.right, who))
        case Binary():
            return int(compare(node.op, _side(node.left, who), _side(node.right, who)))
    raise AssertionError(f"{write(node)} has no value")


def _name(node: Name, who: Customer) -> Value:
    match node.parts:
        case ("rfm", "segment"):
            return None if who.segment is None else SEGMENT_NAMES[who.segment]
        case ("rfm", "member"):
            return int(who.is_member)
        case ("rfm", "recency"):
            return min(who.ages) // 1440 if who.is_member else None
        case ("rfm", score):
            return who.scores[score]
        case ("customer", attribute):
            return who.metric(SCHEMA.attributes[attribute])
        case ("row", column) | (column,) if column in who.row:
            return who.row[column]
    return evaluate(parse(SCHEMA.metrics[str(node)]), who)


def _side(node: Node, who: Customer) -> int | str | Fraction | None:
    """A side of a comparison, which may be an average."""
    if isinstance(node, Name) and str(node) in SCHEMA.metrics:
        node = parse(SCHEMA.metrics[str(node)])
    if isinstance(node, Call) and node.name == "avg":
        found = who.averages[write(node)]
        return None if found is None else Fraction(*found)
    return evaluate(node, who)


def _is_known(node: Node, who: Customer) -> bool:
    if isinstance(node, Binary | Conditional | Unary):
        return evaluate(node, who) is not None
    return _side(node, who) is not None


def _number(node: Node, who: Customer) -> int | None:
    value = evaluate(node, who)
    assert not isinstance(value, str)
    return value


def _in(node: Binary, who: Customer) -> int:
    if isinstance(node.right, ListLiteral):
        value = evaluate(node.left, who)
        return int(value is not None and value in [evaluate(item, who) for item in node.right.items])
    assert isinstance(node.left, Literal)
    return int(node.left.value in who.tags)


def compare(how: str, x: int | str | Fraction | None, y: int | str | Fraction | None) -> bool:
    if x is None or y is None:
        return how == "!="
    if how in ("==", "!="):
        return (x == y) == (how == "==")
    assert not isinstance(x, str)
    assert not isinstance(y, str)
    return {"<": x < y, "<=": x <= y, ">": x > y, ">=": x >= y}[how]


def arithmetic(how: str, x: int | None, y: int | None) -> int | None:
    if x is None or y is None:
        return None
    if how in "/%":
        if y == 0:
            return None
        quotient = int(Fraction(x, y))  # toward zero
        return _bounded(quotient) if how == "/" else x - quotient * y  # a remainder cannot overflow
    return _bounded({"+": x + y, "-": x - y, "*": x * y}[how])


def _bounded(value: int | None) -> int | None:
    return None if value is None or not LOWEST <= value <= HIGHEST else value
