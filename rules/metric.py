"""What a metric is: one number (or text) kept for each customer, and its one canonical text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from profiles.windows import Window
from rules.syntax import Call, Literal, Name, Node, walk
from rules.write import write

FUNCTIONS = ("count", "sum", "avg", "min", "max", "first", "last", "distinct")
ALL = Window("all")


@dataclass(frozen=True)
class MetricSpec:
    """One metric: a function over the rows of a source that lie in a window and pass a filter.

    Two specs are equal when they are the same metric, wherever and however it was written (M3).
    ``column`` is None for ``count`` of rows, and for ``last`` in an RFM plan, where it is the event minute
    of the last row. ``filter`` is a rule over bare columns of the source; None lets every row pass.
    """

    function: str
    source: str
    column: str | None
    window: Window
    filter: Node | None = None

    @cached_property
    def call(self) -> Call:
        """The metric as a call of the rule language; a window of everything is left out."""
        place = (self.source,) if self.column is None else (self.source, self.column)
        arguments: list[Node] = [Name(place)]
        if self.window != ALL:
            arguments.append(Literal(str(self.window)))
        if self.filter is not None:
            arguments.append(self.filter)
        return Call(self.function, tuple(arguments))

    @cached_property
    def key(self) -> str:
        """The canonical text, the same for the same metric and no other.

        >>> MetricSpec("sum", "orders", "amount", Window("trailing", 43200)).key
        'sum(orders.amount, "30d")'
        """
        return write(self.call)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of the source that it reads, its filter's too, in alphabetical order."""
        read = {self.column} if self.column is not None else set()
        if self.filter is not None:
            read |= {node.parts[0] for node, _ in walk(self.filter) if isinstance(node, Name)}
        return tuple(sorted(read))

    def __str__(self) -> str:
        return self.key
