"""Names, types and limits: a syntax tree becomes what it means, or an error says what to mend."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rfm.model import RfmModel
from rules.meaning import AverageIs, ColumnValue, Meaning, MetricKnown, MetricValue, RfmValue, TagHeld, each
from rules.metric import MetricSpec
from rules.operators import need, truth
from rules.parse import parse
from rules.personal import personal_attribute, refuse_personal
from rules.resolve import Resolution
from rules.rfm_plan import RfmPlan
from rules.schema import Schema
from rules.scope import CUSTOMER, Scope, row_of
from rules.syntax import Node
from rules.typed import Typed
from rules.types import Type


@dataclass(frozen=True)
class Checked:
    """A rule that holds together.

    ``node`` is its syntax tree, ``type`` the type of its value, ``meaning`` the same with all names
    resolved. What it rests on, each once, in order of appearance: ``metrics`` (also those of declared
    metrics, attributes, recency and the dates of own years), ``tags``, ``models`` (RFM), and ``columns`` as
    (source, column), those of the metrics and their filters too.
    """

    node: Node
    type: Type
    meaning: Meaning
    metrics: tuple[MetricSpec, ...]
    tags: tuple[str, ...]
    models: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]


def check_rule(rule: str | Node, schema: Schema, scope: Scope = CUSTOMER) -> Checked:
    """Check a condition: the rule of a tag or trigger, a filter, a ``where``. Raises RuleError."""
    node = parse(rule) if isinstance(rule, str) else rule
    value = Resolution(schema, scope).value(node)
    refuse_personal(node, value.meaning, schema)
    return _checked(node, replace(value, meaning=truth(value, "a rule")), schema)


def check_value(rule: str | Node, schema: Schema, scope: Scope = CUSTOMER) -> Checked:
    """Check an expression of any type, such as a value that goes with an action; that may be a customer's
    personal attribute. Raises RuleError."""
    node = parse(rule) if isinstance(rule, str) else rule
    value = Resolution(schema, scope).value(node)
    refuse_personal(node, value.meaning, schema, personal_attribute(value.meaning, schema))
    if value.type.kind in ("average", "recency", "decimal"):
        need(value, "number", "a value")
    return _checked(node, value, schema)


def check_metric(rule: str | Node, schema: Schema) -> Checked:
    """Check the expression of a declared metric: one metric, or arithmetic over metrics and numbers.

    Its type may be ``average``; then it is one ``avg``, which can be read but not compiled (M4).
    Raises RuleError.
    """
    node = parse(rule) if isinstance(rule, str) else rule
    value = Resolution(schema, CUSTOMER).declared(node)
    refuse_personal(node, value.meaning, schema)
    return _checked(node, value, schema)


def check_filter(spec: MetricSpec, schema: Schema) -> Checked | None:
    """Return a metric's checked filter, or None when every row passes."""
    return None if spec.filter is None else check_rule(spec.filter, schema, row_of(spec.source))


def check_rfm(model: RfmModel, schema: Schema) -> RfmPlan:
    """Check an RFM model's frequency and monetary and return its metrics, over the model's window (R1).

    Raises RuleError; its message begins with the key that is wrong.
    """
    return Resolution(schema, CUSTOMER).plan(model)


def _checked(node: Node, value: Typed, schema: Schema) -> Checked:
    found = list(each(value.meaning))
    metrics: dict[MetricSpec, None] = {}
    for part in found:
        if isinstance(part, MetricValue | AverageIs | MetricKnown):
            metrics[part.metric] = None
            if part.metric.window.kind == "own":
                metrics[schema.attributes[part.metric.window.attribute]] = None
    columns = [(part.source, part.column) for part in found if isinstance(part, ColumnValue)]
    columns += [(spec.source, column) for spec in metrics for column in spec.columns]
    return Checked(
        node,
        value.type,
        value.meaning,
        tuple(metrics),
        tags=tuple(dict.fromkeys(part.tag for part in found if isinstance(part, TagHeld))),
        models=tuple(dict.fromkeys(part.model for part in found if isinstance(part, RfmValue))),
        columns=tuple(dict.fromkeys(columns)),
    )
