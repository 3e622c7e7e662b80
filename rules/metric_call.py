"""A metric as it is written, `sum(orders.amount, "365d", status != "void")`, to what it is."""

from __future__ import annotations

from collections.abc import Callable

from profiles.windows import Window, parse_window
from rules.error import error_at
from rules.metric import ALL, MetricSpec
from rules.schema import Schema
from rules.suggest import suggest
from rules.syntax import Call, Literal, Name, Node
from rules.types import COUNT, Type, column_type
from streams.contract.source import Source

# which columns a function takes (M1); count, distinct, first and last take all
_TAKES = {
    "sum": ("int", "decimal"),
    "avg": ("int", "decimal"),
    "min": ("int", "decimal", "time", "date"),
    "max": ("int", "decimal", "time", "date"),
}
_FORM = 'write it as sum(orders.amount, "365d", status != "void"); window and filter may be left out'


def read_metric(call: Call, schema: Schema, check_filter: Callable[[Node, str], None]) -> MetricSpec:
    """Read a call of a metric function into the metric it names.

    ``check_filter(filter, source)`` is asked to check the filter as a rule over one row of the source.
    Raises RuleError at the part that is wrong.
    """
    if not call.arguments:
        raise error_at(call.span, f"{call.name} of what", _FORM)
    place, *rest = call.arguments
    source, column = read_place(call.name, place, schema)
    window = ALL
    if rest and isinstance(rest[0], Literal) and isinstance(rest[0].value, str):
        window = read_window(rest[0], schema)
        rest = rest[1:]
    if len(rest) > 1:
        raise error_at(rest[1].span, f"{call.name} has too many arguments", _FORM)
    where = rest[0] if rest else None
    if where is not None:
        check_filter(where, source)
    # a filter that every row passes is none: one metric, not two (M3)
    return MetricSpec(call.name, source, column, window, None if where == Literal(True) else where)


def read_place(function: str, place: Node, schema: Schema) -> tuple[str, str | None]:
    """Read ``orders`` or ``orders.amount`` for a function; return source and column."""
    if not isinstance(place, Name) or len(place.parts) > 2:
        raise error_at(place.span, f"{function} needs a source or a column of one", _FORM)
    name, *rest = place.parts
    source = schema.sources.get(name)
    if source is None:
        hint = suggest(name, schema.sources, "source")
        raise error_at(place.span, f"source '{name}' is not declared", hint)
    if source.kind != "rows":
        problem = f"source '{name}' sets {source.kind} and has no rows to count"
        raise error_at(place.span, problem, _other(source))
    if not rest:
        if function == "count":
            return name, None
        hint = suggest("", (f"{name}.{column}" for column in _fitting(function, source)), "fitting column")
        raise error_at(place.span, f"{function} needs a column of '{name}'", hint)
    declared = source.columns.get(rest[0])
    if declared is None:
        hint = suggest(rest[0], source.columns, "column")
        raise error_at(place.span, f"'{name}' has no column '{rest[0]}'", hint)
    if declared.type not in _TAKES.get(function, (declared.type,)):
        hint = "a text, a truth or a time takes count, distinct, first and last; a time min and max too"
        raise error_at(place.span, f"{place} is {declared.type}: {function} cannot take it", hint)
    return name, rest[0]


def read_window(text: Literal, schema: Schema) -> Window:
    """Read a window such as ``"30d"``, and see that the date of a customer's own year is declared (W5)."""
    try:
        window = parse_window(str(text.value))
    except ValueError as wrong:
        problem, _, hint = str(wrong).partition("; ")
        raise error_at(text.span, problem, hint or "write a shorter window") from wrong
    if window.kind == "own":
        spec = schema.attributes.get(window.attribute)
        if spec is None:
            hint = suggest(window.attribute, schema.attributes, "customer attribute")
            raise error_at(text.span, f"customer attribute '{window.attribute}' is not declared", hint)
        kind = schema.column(spec.source, str(spec.column)).type
        if kind != "date":
            problem = f"customer.{window.attribute} is {kind}, not a date"
            raise error_at(text.span, problem, "take an attribute of type date")
    return window


def metric_type(spec: MetricSpec, schema: Schema) -> Type:
    """Return the type of a metric's values."""
    if spec.function in ("count", "distinct"):
        return Type("number", COUNT.scale, origin=spec.function)
    if spec.column is None:
        return Type("number", origin=spec.key)
    of_column = column_type(schema.column(spec.source, spec.column), f"{spec.source}.{spec.column}")
    if spec.function == "avg":
        return Type("average", of_column.scale, of_column.currency, origin=of_column.origin)
    return of_column


def _fitting(function: str, source: Source) -> list[str]:
    takes = _TAKES.get(function)
    return [name for name, column in source.columns.items() if takes is None or column.type in takes]


def _other(source: Source) -> str:
    return 'ask for a tag with "name" in tags' if source.kind == "tags" else "consent is a guard of triggers"
