"""What operators take and what they mean: the typing rules of comparisons, arithmetic and choice."""

from __future__ import annotations

from rules import opcodes
from rules.decimals import refuse_decimal, refuse_factor
from rules.error import error_at
from rules.meaning import (
    Arithmetic,
    AverageIs,
    Choose,
    Compare,
    Constant,
    Known,
    Meaning,
    MetricKnown,
    Negate,
    Not,
    OneOf,
    Text,
    is_two_valued,
)
from rules.recency import compare_recency
from rules.suggest import suggest
from rules.syntax import Span
from rules.typed import Typed
from rules.types import BOOL, IN_WORDS, Kind, Type, clash, product_type, quotient_type, sum_type
from rules.write import write_literal

COMPARISONS = {
    "==": opcodes.EQ, "!=": opcodes.NE, "<": opcodes.LT, "<=": opcodes.LE, ">": opcodes.GT, ">=": opcodes.GE,
}  # fmt: skip
ARITHMETIC = {"+": opcodes.ADD, "-": opcodes.SUB, "*": opcodes.MUL, "/": opcodes.DIV, "%": opcodes.MOD}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_INSTEAD: dict[Kind, str] = {
    "average": "an average can only be compared, such as avg(orders.amount) > 100, or stand in has()",
    "recency": "a recency can only be compared with a whole number, such as rfm.recency > 30",
    "segment": 'compare it with a name, such as rfm.segment == "Champions"',
    "text": "compare it with == or !=, or ask whether it is in a list",
    "number": "make it a condition, such as ... > 0",
    "bool": "true and false can be joined by && and ||, and compared with == and !=",
}


def need(value: Typed, kind: Kind, who: str) -> Meaning:
    """Return a value's meaning if it is of the kind that ``who`` takes; raise RuleError otherwise."""
    if value.type.kind == kind:
        return value.meaning
    if value.type.kind == "decimal":
        raise refuse_decimal(value, Type(kind))
    problem = f"{who} takes {IN_WORDS[kind]}, and this is {value.type}"
    raise error_at(value.span, problem, _INSTEAD[value.type.kind])


def truth(value: Typed, who: str) -> Meaning:
    """Return a condition's meaning with two values: a null truth value, as of a column, is false."""
    meaning = need(value, "bool", who)
    return meaning if is_two_valued(meaning) else Compare(opcodes.EQ, meaning, Constant(1))


def known(value: Typed) -> Meaning:
    """Return the meaning of ``has(value)`` (M4)."""
    if value.type.kind == "decimal":
        raise refuse_decimal(value, Type("number"))
    return value.meaning if value.type.kind in ("average", "recency") else Known(value.meaning)


def compare(op: str, left: Typed, right: Typed, span: Span) -> Typed:
    """Return ``left op right``; a null on either side makes it false, except ``!=`` (M2)."""
    kinds = {left.type.kind, right.type.kind}
    if "decimal" in kinds:
        raise refuse_decimal(*((left, right.type) if left.type.kind == "decimal" else (right, left.type)))
    for kind in ("recency", "average", "segment"):
        if right.type.kind == kind and left.type.kind != kind:
            return compare(_MIRRORED.get(op, op), right, left, span)
    if left.type.kind == "recency":
        return Typed(_recency(op, left, right), BOOL, span)
    if left.type.kind == "average":
        return Typed(_average(op, left, right, span), BOOL, span)
    if left.type.kind == "segment":
        return Typed(_segment(op, left, right, span), BOOL, span)
    if len(kinds) > 1:
        raise error_at(span, f"{left.type} is compared with {right.type}", _like_with_like(left, right))
    if left.type.kind == "number":
        _agree(left, right, span)
    elif op not in ("==", "!="):
        raise error_at(span, f"'{op}' cannot compare {left.type}", "compare with == or !=")
    for text, other in ((left, right), (right, left)):
        _allow(text, other.type)
    return Typed(Compare(COMPARISONS[op], left.meaning, right.meaning), BOOL, span)


def one_of(value: Typed, items: list[Typed], span: Span) -> Typed:
    """Return ``value in [items]``; null is in no list (M2)."""
    kind = value.type.kind
    if kind == "segment":
        indices = [index for item in items for index in _segment_indices(value.type, item)]
        return Typed(_among(value.meaning, indices), BOOL, span)
    if kind not in ("number", "text"):
        need(value, "number", "'in'")
    constants: list[Constant | Text] = []
    for item in items:
        if item.type.kind == "decimal":
            raise refuse_decimal(item, value.type)
        meaning = item.meaning
        if not isinstance(meaning, Constant | Text) or item.type.kind != kind:
            hint = f"each item of the list must be {IN_WORDS[kind]}, written out"
            raise error_at(item.span, f"this is in a list for {value.type}", hint)
        _allow(item, value.type)
        if meaning not in constants:
            constants.append(meaning)
    return Typed(OneOf(value.meaning, tuple(constants)), BOOL, span)


def arithmetic(op: str, left: Typed, right: Typed, span: Span) -> Typed:
    """Return ``left op right`` of two numbers; null where one is null, and on overflow or x / 0 (M4)."""
    for value, other in ((left, right), (right, left)):
        if value.type.kind == "decimal":
            raise refuse_factor(value, op) if op in "*/" else refuse_decimal(value, other.type)
    meaning = Arithmetic(ARITHMETIC[op], need(left, "number", f"'{op}'"), need(right, "number", f"'{op}'"))
    if op == "*":
        return Typed(meaning, product_type(left.type, right.type), span)
    if op == "/":
        return Typed(meaning, quotient_type(left.type, right.type), span)
    _agree(left, right, span)
    return Typed(meaning, sum_type(left.type, right.type), span)


def negate(value: Typed, span: Span) -> Typed:
    """Return ``-value``."""
    meaning = need(value, "number", "'-'")
    return Typed(Negate(meaning), sum_type(value.type, value.type), span)


def choose(test: Typed, then: Typed, otherwise: Typed, span: Span) -> Typed:
    """Return ``test ? then : otherwise``; both values are of one type."""
    condition = truth(test, "'?'")
    for value in (then, otherwise):
        if value.type.kind in ("average", "recency", "decimal"):
            need(value, "number", "'? :'")
    left, right = then.type, otherwise.type
    if left.kind != right.kind or left.model != right.model:
        raise error_at(span, f"'? :' has {left} and {right}", "both values must be of one kind")
    kind = left
    if left.kind == "number":
        _agree(then, otherwise, span)
        kind = sum_type(left, right)
    elif left.kind == "text":
        # either side's texts may come out: only where both are limited the choice is
        both = left.allowed and right.allowed
        kind = Type("text", allowed=tuple(dict.fromkeys(left.allowed + right.allowed)) if both else ())
    return Typed(Choose(condition, then.meaning, otherwise.meaning), kind, span)


def _recency(op: str, left: Typed, right: Typed) -> Meaning:
    if not isinstance(right.meaning, Constant) or right.type.kind != "number" or left.plan is None:
        raise error_at(right.span, "this is no number to compare a recency with", _INSTEAD["recency"])
    return compare_recency(left.plan, COMPARISONS[op], right.meaning.value, left.span)


def _average(op: str, left: Typed, right: Typed, span: Span) -> Meaning:
    if right.type.kind == "average":
        hint = "compare sums and counts instead, such as sum(a.x) * count(b) > sum(b.x) * count(a)"
        raise error_at(span, "two averages cannot be compared", hint)
    value = need(right, "number", "a comparison with an average")
    _agree(left, right, span)
    assert isinstance(left.meaning, MetricKnown)
    return AverageIs(left.meaning.metric, COMPARISONS[op], value)


def _segment(op: str, left: Typed, right: Typed, span: Span) -> Meaning:
    if op not in ("==", "!="):
        hint = "compare with == or !=, or compare the scores"
        raise error_at(span, f"'{op}' cannot compare segments", hint)
    same = _among(left.meaning, _segment_indices(left.type, right))
    return Not(same) if op == "!=" else same


def _segment_indices(kind: Type, name: Typed) -> list[int]:
    """The places of a segment's name among its model's; a name may be given to several ranges."""
    if not isinstance(name.meaning, Text):
        raise error_at(name.span, f"a segment is compared with {name.type}", _INSTEAD["segment"])
    indices = [index for index, segment in enumerate(kind.segments) if segment == name.meaning.value]
    if not indices:
        hint = suggest(name.meaning.value, kind.segments, "segment")
        if name.meaning.value == "none":
            hint = f"outside the population, !{kind.model}.member is true"
        raise error_at(name.span, f"'{kind.model}' has no segment '{name.meaning.value}'", hint)
    return indices


def _among(value: Meaning, indices: list[int]) -> Meaning:
    if len(indices) == 1:
        return Compare(opcodes.EQ, value, Constant(indices[0]))
    return OneOf(value, tuple(Constant(index) for index in sorted(set(indices))))


def _agree(left: Typed, right: Typed, span: Span) -> None:
    if wrong := clash(left.type, right.type):
        raise error_at(span, *wrong)


def _allow(text: Typed, other: Type) -> None:
    """Refuse a written text that a column with a list of allowed values can never hold."""
    if isinstance(text.meaning, Text) and other.allowed and text.meaning.value not in other.allowed:
        problem = f"{other.origin or 'it'} is never {write_literal(text.meaning.value)}"
        raise error_at(text.span, problem, suggest(text.meaning.value, other.allowed, "value"))


def _like_with_like(left: Typed, right: Typed) -> str:
    for value, other in ((left, right), (right, left)):
        if isinstance(value.meaning, Text) and other.type.kind == "number" and value.meaning.value.isdigit():
            return f"write {value.meaning.value} without quotes"
        if isinstance(value.meaning, Constant) and other.type.kind == "text":
            return "put a text between quotes"
    return "compare like with like"
