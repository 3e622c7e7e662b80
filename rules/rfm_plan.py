"""What an RFM model measures: its frequency, recency and monetary metrics (semantics R1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from profiles.windows import Window
from rfm.model import RfmModel
from rules.error import about, error_at
from rules.metric import ALL, MetricSpec
from rules.metric_call import metric_type, read_window
from rules.parse import parse
from rules.schema import Schema
from rules.syntax import Binary, Call, Literal, Name, Node, Unary, join
from rules.types import Type, clash, sum_type

Reader = Callable[[Call], MetricSpec]
_FREQUENCY = 'write a count or distinct, such as count(orders, status != "void")'
_MONETARY = "write sums joined by + and -, such as sum(orders.amount) - sum(refunds.amount)"


@dataclass(frozen=True)
class RfmPlan:
    """The metrics of one model, all over its window.

    ``frequency``: a count or distinct. ``recency``: function ``last`` without a column, the event minute of
    the last of the very rows that frequency counts (R1). ``monetary``: (sign, sum) terms, sign 1 or -1;
    ``money`` is their type (scale, currency).
    """

    model: RfmModel
    window: Window
    frequency: MetricSpec
    recency: MetricSpec
    monetary: tuple[tuple[int, MetricSpec], ...]
    money: Type

    def orders(self, window: Window) -> MetricSpec:
        """Return the count of the rows that frequency counts, over another window."""
        return replace(self.recency, function="count", window=window)


def plan_rfm(model: RfmModel, schema: Schema, read: Reader) -> RfmPlan:
    """Plan a model; ``read`` reads the call of a metric.

    Raises RuleError; its message begins with the key that is wrong, its position is that in the key's text.
    """
    with about("window"):
        window = read_window(Literal(model.window), schema)
    with about("frequency"):
        counted = _read(parse(model.frequency), ("count", "distinct"), _FREQUENCY, read)
    with about("monetary"):
        terms = _terms(parse(model.monetary), 1, read)
        money = _money(terms, schema)
        if model.refund_at == "order":
            _check_refunds(terms, schema)
    return RfmPlan(
        model,
        window,
        frequency=replace(counted, window=window),
        recency=MetricSpec("last", counted.source, None, window, _counted_rows(counted)),
        monetary=tuple((sign, replace(term, window=window)) for sign, term, _ in terms),
        money=money,
    )


def _money(terms: list[tuple[int, MetricSpec, Node]], schema: Schema) -> Type:
    """The one scale and currency of all terms (M1)."""
    money = metric_type(terms[0][1], schema)
    for _, term, node in terms[1:]:
        kind = metric_type(term, schema)
        if wrong := clash(money, kind):
            raise error_at(node.span, *wrong)
        money = sum_type(money, kind)
    return money


def _check_refunds(terms: list[tuple[int, MetricSpec, Node]], schema: Schema) -> None:
    """What is subtracted counts at its order's event time: the parent must date it (R1)."""
    refunds = [(term.source, node) for sign, term, node in terms if sign < 0]
    if not refunds:
        raise error_at(terms[0][2].span, "subtracts nothing that refund_at could date", "remove 'refund_at'")
    for source, node in refunds:
        if not schema.sources[source].event_time.parent:
            hint = f"write 'event_time: {{parent: true}}' in sources/{source}.yaml, or remove 'refund_at'"
            raise error_at(node.span, f"refund_at is order, and '{source}' has event times of its own", hint)


def _counted_rows(spec: MetricSpec) -> Node | None:
    """The filter of the rows that a count or distinct counts: a null column does not count (M2)."""
    if spec.column is None:
        return spec.filter
    known = Call("has", (Name((spec.column,)),))
    return known if spec.filter is None else join("&&", (spec.filter, known))


def _terms(node: Node, sign: int, read: Reader) -> list[tuple[int, MetricSpec, Node]]:
    match node:
        case Binary(op="+" | "-"):
            right = -sign if node.op == "-" else sign
            return _terms(node.left, sign, read) + _terms(node.right, right, read)
        case Unary(op="-"):
            return _terms(node.operand, -sign, read)
        case _:
            return [(sign, _read(node, ("sum",), _MONETARY, read), node)]


def _read(node: Node, functions: tuple[str, ...], form: str, read: Reader) -> MetricSpec:
    if not isinstance(node, Call) or node.name not in functions:
        raise error_at(node.span, f"this is no {' or '.join(functions)}", form)
    spec = read(node)
    if spec.window != ALL:
        hint = "leave the window out: recency, frequency and monetary share the model's window"
        raise error_at(node.span, f"{node.name} has the window '{spec.window}' of its own", hint)
    return spec
