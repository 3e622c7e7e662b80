"""What a rule says of one customer, or a condition of one row: the tree itself, read value by value.

Null is None. ``avg`` is a Fraction, so comparing it is exact and never a float (M2).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Protocol, TypeAlias, TypeVar

from reference.measure import FUNCTIONS, Measure, measure_of
from reference.pieces import Pieces, tag_read
from rules.error import RuleError
from rules.syntax import Binary, Call, Conditional, ListLiteral, Literal, Name, Node, Unary
from rules.write import write

Value: TypeAlias = int | str | bool | Fraction | None
RFM_FIELDS = ("recency", "frequency", "monetary", "r", "f", "m", "score", "segment", "member")
SMALLEST, LARGEST = -(2**63), 2**63 - 1
ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class CustomerView(Protocol):
    """What a rule can see of a customer."""

    def measure(self, measure: Measure) -> Value:
        """Return a metric's value."""

    def rfm(self, model: str, field: str) -> Value:
        """Return a field of an RFM model (one of ``RFM_FIELDS``)."""

    def tag(self, name: str) -> bool:
        """Return whether the customer is a member."""


Row: TypeAlias = Mapping[str, Value]
V = TypeVar("V")
Reader: TypeAlias = Callable[[V], Value]
Leaf: TypeAlias = Callable[[Node], Callable[[V], Value] | None]


def customer_reader(tree: Node, pieces: Pieces) -> Reader[CustomerView]:
    """Return the function that reads a rule about a customer: a view in, the value out.

    Raises RuleError for what the language does not have.
    """

    def leaf(node: Node) -> Reader[CustomerView] | None:
        match node:
            case Name(parts=("customer", attribute)) if attribute in pieces.attributes:
                held = pieces.attributes[attribute]
                return lambda view: view.measure(held)
            case Name(parts=(model, field)) if model in pieces.terms and field in RFM_FIELDS:
                return lambda view: view.rfm(model, field)
            case Name(parts=(metric,)) if metric in pieces.declared:
                return customer_reader(pieces.declared[metric], pieces)
            case Call(name=name) if name in FUNCTIONS:
                written = measure_of(node)
                return lambda view: view.measure(written)
        tag = tag_read(node)
        return None if tag is None else lambda view: view.tag(tag)

    return _reader(tree, leaf)


def row_reader(tree: Node) -> Reader[Row]:
    """Return the reader of a row's condition (a metric's filter, ``where``): bare names are its columns."""

    def leaf(node: Node) -> Reader[Row] | None:
        match node:
            case Name(parts=(column,)):
                return lambda row: row[column]
        return None

    return _reader(tree, leaf)


def arithmetic(op: str, left: Value, right: Value) -> int | None:
    """Return ``left op right`` in 64 bits; null for null, overflow and division by zero (M4).

    ``/`` truncates toward zero and ``%`` has the sign of the dividend, as in CEL.

    >>> arithmetic("/", -7, 2), arithmetic("%", -7, 2), arithmetic("/", 1, 0)
    (-3, -1, None)
    """
    if left is None or right is None:
        return None
    assert isinstance(left, int)
    assert isinstance(right, int)
    if op in "/%":
        if right == 0:
            return None
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        result = quotient if op == "/" else left - quotient * right
    else:
        result = {"+": left + right, "-": left - right, "*": left * right}[op]
    return result if SMALLEST <= result <= LARGEST else None


def compare(op: str, left: Value, right: Value) -> bool:
    """Return the truth of a comparison; with null it is false, and ``!=`` negates ``==`` (M2)."""
    if op in ("==", "!="):
        equal = left is not None and right is not None and left == right
        return equal == (op == "==")
    return left is not None and right is not None and ORDERINGS[op](left, right)


def _reader(tree: Node, leaf: Leaf[V]) -> Reader[V]:
    if own := leaf(tree):
        return own
    match tree:
        case Literal(value=value):
            return lambda view: value
        case Unary(op="!"):
            denied = _reader(tree.operand, leaf)
            return lambda view: not denied(view)  # two-valued: ! of null is true
        case Unary(op="-"):
            inner = _reader(tree.operand, leaf)
            return lambda view: arithmetic("-", 0, inner(view))
        case Conditional():
            test, then, otherwise = (_reader(n, leaf) for n in (tree.test, tree.then, tree.otherwise))
            return lambda view: then(view) if test(view) else otherwise(view)
        case Call(name="has", arguments=(argument,)):
            held = _reader(argument, leaf)
            return lambda view: held(view) is not None
        case Binary(op="in", right=ListLiteral(items=items)):
            return _in(_reader(tree.left, leaf), [_reader(item, leaf) for item in items])
        case Binary() if tree.op != "in":
            return _binary(tree.op, _reader(tree.left, leaf), _reader(tree.right, leaf))
    hint = "check the rule with `tintype check`"
    raise RuleError(f"'{write(tree)}' cannot be read", hint, tree.span.line, tree.span.column)


def _binary(op: str, left: Reader[V], right: Reader[V]) -> Reader[V]:
    if op == "&&":
        return lambda view: bool(left(view)) and bool(right(view))
    if op == "||":
        return lambda view: bool(left(view)) or bool(right(view))
    if op in "+-*/%":
        return lambda view: arithmetic(op, left(view), right(view))
    return lambda view: compare(op, left(view), right(view))


def _in(left: Reader[V], items: list[Reader[V]]) -> Reader[V]:
    def inside(view: V) -> bool:
        value = left(view)
        return any(compare("==", value, item(view)) for item in items)

    return inside
