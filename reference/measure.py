"""A metric as the rules write it: which rows count, and what is made of them (semantics M1 to M3)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from profiles.windows import Window, parse_window
from rules.error import RuleError
from rules.syntax import Call, Literal, Name, Node
from rules.write import write

FUNCTIONS = ("count", "sum", "avg", "min", "max", "first", "last", "distinct")
NOTHING_IS_ZERO = ("count", "sum", "distinct")  # M2: the others are null when nothing counts


@dataclass(frozen=True)
class Measure:
    """One metric: ``function`` over ``column`` of ``source``'s rows inside ``window`` that pass ``filter``.

    ``column`` None means the rows themselves: their number for ``count``, their event minute for ``last``.
    Two equal measures are one metric (M3); ``str`` gives its one text, without a window of everything.
    """

    function: str
    source: str
    column: str | None
    window: Window
    filter: Node | None

    @cached_property
    def _hash(self) -> int:
        return hash((self.function, self.source, self.column, self.window, self.filter))

    # a filter's tree is deep, and a replay looks its metrics up a million times
    def __hash__(self) -> int:
        return self._hash

    def __str__(self) -> str:
        arguments: list[Node] = [Name((self.source, self.column) if self.column else (self.source,))]
        if self.window.kind != "all":
            arguments.append(Literal(str(self.window)))
        return write(Call(self.function, (*arguments, *((self.filter,) if self.filter else ()))))

    @property
    def nothing(self) -> int | None:
        """What it is when no row counts: 0, or null (M2)."""
        return 0 if self.function in NOTHING_IS_ZERO else None


def measure_of(call: Call, window: str = "all") -> Measure:
    """Read a metric call; without a window of its own it gets ``window``.

    Raises RuleError when the arguments are not source or source.column, window, filter.

    >>> from rules.parse import parse
    >>> str(measure_of(parse('sum(orders.amount, status == "paid")'), "30d"))
    'sum(orders.amount, "30d", status == "paid")'
    >>> str(measure_of(parse('count(orders, true)')))
    'count(orders)'
    """
    of, *rest = call.arguments or (None,)
    if call.name not in FUNCTIONS or not isinstance(of, Name) or len(of.parts) > 2:
        raise _unreadable(call)
    if rest and isinstance(rest[0], Literal) and isinstance(rest[0].value, str):
        window, rest = rest[0].value, rest[1:]
    if len(rest) > 1:
        raise _unreadable(call)
    column = of.parts[1] if len(of.parts) == 2 else None
    # a filter that is plainly true is none (M3)
    conditions = [node for node in rest if not (isinstance(node, Literal) and node.value is True)]
    return Measure(
        call.name, of.parts[0], column, parse_window(window), conditions[0] if conditions else None
    )


def _unreadable(call: Call) -> RuleError:
    hint = 'write a metric such as sum(orders.amount, "30d", status == "paid")'
    return RuleError(f"'{write(call)}' is no metric", hint, call.span.line, call.span.column)
