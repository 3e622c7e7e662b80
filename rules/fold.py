"""The value of an expression from values that are known already, outside the engine.

What goes with a decision (semantics G5) is the metrics at its step; an action's values, such as ``net_365d``
over two sums, are worked out from them here, with the same null and overflow rules as in the machine (M4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from rules import opcodes
from rules.meaning import Arithmetic, Constant, Meaning, MetricValue, Negate, Text, each

Value: TypeAlias = int | str | None
CARRIED = (Arithmetic, Constant, MetricValue, Negate, Text)
LEAST, MOST = -(2**63), 2**63 - 1


def rests_on_metrics(meaning: Meaning) -> bool:
    """Whether an expression is metrics, constants and arithmetic only, so that `fold` can read it."""
    return all(isinstance(part, CARRIED) for part in each(meaning))


def fold(meaning: Meaning, values: Mapping[str, Value]) -> Value:
    """Return an expression's value; ``values``: a metric's text (`MetricSpec.key`) -> its value or None.

    Raises KeyError for a metric without an entry, ValueError for what `rests_on_metrics` refuses.
    """
    match meaning:
        case Constant() | Text():
            return meaning.value
        case MetricValue():
            return values[meaning.metric.key]
        case Negate():
            return _within(0, fold(meaning.operand, values), opcodes.SUB)
        case Arithmetic():
            return _within(fold(meaning.left, values), fold(meaning.right, values), meaning.operation)
    raise ValueError(f"{type(meaning).__name__} is no value of metrics")


def _within(left: Value, right: Value, operation: int) -> Value:
    """Return the result, or null where an operand is null, a divisor zero, or 64 bits overflow (M4)."""
    if not isinstance(left, int) or not isinstance(right, int):
        return None
    if operation in (opcodes.DIV, opcodes.MOD):
        if right == 0:
            return None
        quotient = abs(left) // abs(right)
        quotient = quotient if (left < 0) == (right < 0) else -quotient
        found = quotient if operation == opcodes.DIV else left - quotient * right
    elif operation == opcodes.MUL:
        found = left * right
    else:
        found = left + right if operation == opcodes.ADD else left - right
    return found if LEAST <= found <= MOST else None
