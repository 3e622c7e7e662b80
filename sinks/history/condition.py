"""A rule over a row's columns as a condition of ClickHouse's SQL, meaning what it means elsewhere (M2)."""

from __future__ import annotations

from rules.check import Checked, check_rule
from rules.error import RuleError
from rules.meaning import All, Any, Choose, ColumnValue, Compare, Constant, Known, Meaning, Not, OneOf, Text
from rules.opcodes import EQ, GE, GT, LE, LT, NE
from rules.schema import Schema
from rules.scope import row_of
from sinks.history.parameters import with_values
from sinks.history.schema import quoted

_SIGNS = {EQ: "=", NE: "!=", LT: "<", LE: "<=", GT: ">", GE: ">="}


def condition(rule: str, schema: Schema, source: str) -> str:
    """Return the condition of a rule over rows of a source. Raises RuleError, also for arithmetic."""
    return _truth(check(rule, schema, source).meaning)


def check(rule: str, schema: Schema, source: str) -> Checked:
    """Check a rule over rows of a source. Raises RuleError, also where `condition` cannot write it."""
    checked = check_rule(rule, schema, row_of(source))
    _truth(checked.meaning)
    return checked


def _truth(meaning: Meaning) -> str:
    """Write what is true or false; null is false."""
    match meaning:
        case Not():
            return f"NOT {_truth(meaning.operand)}"
        case All() | Any():
            sign = " AND " if isinstance(meaning, All) else " OR "
            return f"({sign.join(map(_truth, meaning.items))})"
        case Compare():
            # With null only != is true, which in SQL would be null itself.
            otherwise = int(meaning.comparison == NE)
            sign = _SIGNS[meaning.comparison]
            return f"ifNull({_value(meaning.left)} {sign} {_value(meaning.right)}, {otherwise})"
        case OneOf():
            items = ", ".join(map(_value, meaning.items))
            return f"ifNull({_value(meaning.value)} IN ({items}), 0)"
        case Known():
            return f"isNotNull({_value(meaning.operand)})"
        case _:
            return f"(ifNull({_value(meaning)}, 0) = 1)"


def _value(meaning: Meaning) -> str:
    match meaning:
        case Constant():
            return str(meaning.value)
        case Text():
            return with_values("{text:String}", {"text": meaning.value})
        case ColumnValue():
            return quoted(meaning.column)
        case Choose():
            then, otherwise = _value(meaning.then), _value(meaning.otherwise)
            return f"if({_truth(meaning.test)}, {then}, {otherwise})"
        case Not() | All() | Any() | Compare() | OneOf() | Known():
            return _truth(meaning)
        case _:
            hint = "compare the columns themselves, or add a column to the source"
            raise RuleError("arithmetic is not read here", hint)
