"""Names and calls to what they are, and a whole tree to its meaning."""

from __future__ import annotations

from rfm.model import RfmModel
from rules import opcodes
from rules.error import RuleError, about, error_at
from rules.meaning import (
    All,
    Any,
    ColumnValue,
    Constant,
    MetricKnown,
    MetricValue,
    Not,
    RfmValue,
    TagHeld,
    Text,
)
from rules.metric import FUNCTIONS, MetricSpec
from rules.metric_call import metric_type, read_metric
from rules.operators import ARITHMETIC, arithmetic, choose, compare, known, negate, one_of, truth
from rules.parse import parse
from rules.recency import in_population
from rules.rfm_plan import RfmPlan, plan_rfm
from rules.schema import Schema, segment_names
from rules.scope import CUSTOMER, Scope, row_of
from rules.suggest import suggest
from rules.syntax import (
    LOGIC,
    Binary,
    Call,
    Conditional,
    DecimalLiteral,
    ListLiteral,
    Literal,
    Name,
    Node,
    Span,
    Unary,
    chain,
    walk,
)
from rules.typed import Typed
from rules.types import BOOL, COUNT, NUMBER, TEXT, Type, column_type

_TAGS = Name(("tags",))
_SCORES = {"r": opcodes.RFM_R, "f": opcodes.RFM_F, "m": opcodes.RFM_M, "score": opcodes.RFM_SCORE}
_FIELDS = (*_SCORES, "frequency", "monetary", "recency", "segment", "member")


class Resolution:
    """Gives the meaning of trees that stand in one scope of one shop; every method raises RuleError."""

    def __init__(self, schema: Schema, scope: Scope) -> None:
        if scope.kind != "customer" and scope.source not in schema.sources:
            hint = suggest(scope.source, schema.sources, "source")
            raise RuleError(f"source '{scope.source}' is not declared", hint)
        self._schema, self._scope = schema, scope

    def value(self, node: Node) -> Typed:
        """Return a tree's meaning and type."""
        match node:
            case Literal():
                return _literal(node)
            case DecimalLiteral():
                return Typed(Text(node.text), Type("decimal"), node.span)
            case Name():
                return self._name(node)
            case Call():
                return self._call(node)
            case Unary():
                return self._unary(node)
            case Binary():
                return self._binary(node)
            case Conditional():
                values = (self.value(node.test), self.value(node.then), self.value(node.otherwise))
                return choose(*values, node.span)
            case ListLiteral():
                raise error_at(node.span, "a list stands alone", "write x in [1, 2]")

    def metric(self, call: Call) -> MetricSpec:
        """Return the metric that a call names; its filter is checked as a rule over one row."""
        return read_metric(call, self._schema, self._check_filter)

    def declared(self, node: Node) -> Typed:
        """Return a declared metric: one metric, or arithmetic over metrics and numbers."""
        _need_metric_form(node)
        if not any(isinstance(part, Call) for part, _ in walk(node)):
            raise error_at(node.span, "a metric is counted from rows, and this is a number", _METRIC)
        return self.value(node)

    def plan(self, model: RfmModel) -> RfmPlan:
        """Return the metrics of an RFM model."""
        return plan_rfm(model, self._schema, self.metric)

    def _check_filter(self, node: Node, source: str) -> None:
        truth(Resolution(self._schema, row_of(source)).value(node), "a filter")

    def _unary(self, node: Unary) -> Typed:
        operand = self.value(node.operand)
        if node.op == "!":
            return Typed(Not(truth(operand, "'!'")), BOOL, node.span)
        return negate(operand, node.span)

    def _binary(self, node: Binary) -> Typed:
        if node.op in LOGIC:
            # the whole chain at once: one jump target for all of it
            items = tuple(truth(self.value(item), f"'{node.op}'") for item in chain(node.op, node))
            return Typed(All(items) if node.op == "&&" else Any(items), BOOL, node.span)
        if node.op == "in":
            return self._in(node)
        left, right = self.value(node.left), self.value(node.right)
        combine = arithmetic if node.op in ARITHMETIC else compare
        return combine(node.op, left, right, node.span)

    def _in(self, node: Binary) -> Typed:
        if node.right == _TAGS:
            return self._tag(node.left)
        if not isinstance(node.right, ListLiteral):
            raise error_at(node.right.span, "this is no list", 'write "name" in tags, or x in [1, 2]')
        return one_of(self.value(node.left), [self.value(item) for item in node.right.items], node.span)

    def _tag(self, name: Node) -> Typed:
        if self._scope.kind == "row":
            raise error_at(name.span, "a row has no tags", _ROW)
        if not isinstance(name, Literal) or not isinstance(name.value, str):
            raise error_at(name.span, "this is no tag's name", 'write the name in quotes: "name" in tags')
        if name.value not in self._schema.tags:
            hint = suggest(name.value, self._schema.tags, "tag")
            raise error_at(name.span, f"tag '{name.value}' is not declared", hint)
        return Typed(TagHeld(name.value), BOOL, name.span)

    def _call(self, node: Call) -> Typed:
        if node.name == "has":
            if len(node.arguments) != 1:
                raise error_at(node.span, "has takes one value", "write has(x)")
            return Typed(known(self.value(node.arguments[0])), BOOL, node.span)
        if node.name not in FUNCTIONS:
            hint = suggest(node.name, (*FUNCTIONS, "has"), "function")
            raise error_at(node.span, f"there is no function '{node.name}'", hint)
        if self._scope.kind == "row":
            raise error_at(node.span, f"{node.name} looks at many rows, and this is a rule over one", _ROW)
        return _metric(self.metric(node), self._schema, node.span)

    def _name(self, node: Name) -> Typed:
        if self._scope.kind == "row":
            return self._column(node, node.parts, "bare")
        if self._scope.kind == "event" and node.parts[0] == "row":
            return self._column(node, node.parts[1:], "row.")
        if len(node.parts) == 1 and node.parts[0] in self._schema.metrics:
            return self._declared_metric(node)
        if len(node.parts) == 2 and node.parts[0] == "customer":
            return self._attribute(node)
        if len(node.parts) == 2 and node.parts[0] in self._schema.models:
            return self._rfm(node)
        raise _unknown(node, self._schema, self._scope)

    def _column(self, node: Name, parts: tuple[str, ...], form: str) -> Typed:
        source = self._scope.source
        columns = self._schema.sources[source].columns
        if len(parts) != 1 or parts[0] not in columns:
            if len(parts) == 1:
                hint = f"{suggest(parts[0], columns, 'column')} (a text stands in quotes)"
            else:
                hint = "write the column alone" if form == "bare" else "write row.COLUMN"
            raise error_at(node.span, f"'{node}' is no column of source '{source}'", hint)
        meaning = ColumnValue(source, parts[0])
        return Typed(meaning, column_type(columns[parts[0]], parts[0]), node.span)

    def _declared_metric(self, node: Name) -> Typed:
        name = node.parts[0]
        # the error's place inside the metric's own text would mislead in this one
        with about(f"metric '{name}'", node.span):
            value = Resolution(self._schema, CUSTOMER).declared(parse(self._schema.metrics[name]))
        return Typed(value.meaning, value.type, node.span)

    def _attribute(self, node: Name) -> Typed:
        spec = self._schema.attributes.get(node.parts[1])
        if spec is None:
            hint = suggest(node.parts[1], self._schema.attributes, "customer attribute")
            raise error_at(node.span, f"customer attribute '{node.parts[1]}' is not declared", hint)
        return _metric(spec, self._schema, node.span)

    def _rfm(self, node: Name) -> Typed:
        name, field = node.parts
        model = self._schema.models[name]
        if field in _SCORES:
            return Typed(RfmValue(name, _SCORES[field]), Type("number", 0, origin=str(node)), node.span)
        if field == "frequency":
            return Typed(RfmValue(name, opcodes.RFM_FREQUENCY), COUNT, node.span)
        if field == "member":
            return Typed(RfmValue(name, opcodes.RFM_MEMBER), BOOL, node.span)
        if field == "segment":
            kind = Type("segment", origin=str(node), model=name, segments=segment_names(model))
            return Typed(RfmValue(name, opcodes.RFM_SEGMENT), kind, node.span)
        if field not in _FIELDS:
            raise error_at(node.span, f"an RFM model has no '{field}'", suggest(field, _FIELDS, "field"))
        with about(f"RFM model '{name}'", node.span):
            plan = self.plan(model)
        if field == "monetary":
            return Typed(RfmValue(name, opcodes.RFM_MONETARY), plan.money, node.span)
        return Typed(in_population(plan), Type("recency", origin=str(node)), node.span, plan)


_ROW = "name only columns of the row itself"
_METRIC = 'write one metric such as count(orders, "30d"), or metrics joined by + - * / %'


def _literal(node: Literal) -> Typed:
    if isinstance(node.value, str):
        return Typed(Text(node.value), TEXT, node.span)
    return Typed(Constant(int(node.value)), BOOL if isinstance(node.value, bool) else NUMBER, node.span)


def _metric(spec: MetricSpec, schema: Schema, span: Span) -> Typed:
    meaning = MetricKnown(spec) if spec.function == "avg" else MetricValue(spec)
    return Typed(meaning, metric_type(spec, schema), span)


def _need_metric_form(node: Node) -> None:
    """A declared metric rests on rows alone, so that no metric rests on another, on a score or on a tag."""
    match node:
        case Call() if node.name in FUNCTIONS:
            return
        case Binary() if node.op in ARITHMETIC:
            _need_metric_form(node.left)
            _need_metric_form(node.right)
            return
        case Unary(op="-"):
            _need_metric_form(node.operand)
            return
        case DecimalLiteral():
            return
        case Literal() if type(node.value) is int:
            return
    raise error_at(node.span, "a metric is counted from rows, and this is not", _METRIC)


def _unknown(node: Name, schema: Schema, scope: Scope) -> RuleError:
    """The error of a name that means nothing where it stands, with the nearest that would."""
    first, name = node.parts[0], str(node)
    if name == "tags":
        return error_at(node.span, "'tags' stands alone", 'write "name" in tags')
    if first == "row":
        hint = "only the if of a trigger on an event has a row; take a metric, such as last(orders.amount)"
        return error_at(node.span, f"there is no row for '{name}'", hint)
    if first in schema.sources:
        hint = f'say which of its rows, such as count({first}, "30d")'
        if len(node.parts) > 1:
            hint = f"say what of its many rows, such as last({name})"
        return error_at(node.span, f"'{name}' is a source's, not a customer's", hint)
    if name in schema.tags:
        return error_at(node.span, f"'{name}' is a tag", f'write "{name}" in tags')
    if first in schema.models:
        return error_at(node.span, f"'{name}' is an RFM model", f"write {first}.r or {first}.segment")
    names = [*schema.metrics, *(f"customer.{attribute}" for attribute in schema.attributes)]
    names += [f"{model}.{field}" for model in schema.models for field in _FIELDS]
    if scope.kind == "event":
        names += [f"row.{column}" for column in schema.sources[scope.source].columns]
    return error_at(node.span, f"'{name}' is not declared", suggest(name, names, "metric"))
