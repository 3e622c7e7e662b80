"""Personal columns stay sealed: rules cannot read them, only ask whether they are known (semantics P7)."""

from __future__ import annotations

from rules.error import error_at
from rules.meaning import AverageIs, ColumnValue, Meaning, MetricKnown, MetricValue, each
from rules.metric import MetricSpec
from rules.schema import Schema
from rules.syntax import Node


def refuse_personal(node: Node, meaning: Meaning, schema: Schema, but: MetricSpec | None = None) -> None:
    """Raise RuleError if a rule reads a personal column; but: a metric that it may read (an attribute's)."""
    for part in each(meaning):
        read: list[tuple[str, str]] = []
        if isinstance(part, ColumnValue):
            read = [(part.source, part.column)]
        elif isinstance(part, MetricValue | AverageIs | MetricKnown) and part.metric != but:
            known_only = part.metric.column if isinstance(part, MetricKnown) else None
            read = [(part.metric.source, column) for column in part.metric.columns if column != known_only]
        for source, column in read:
            if is_personal(schema, source, column):
                problem = f"{source}.{column} is personal: it is sealed, and a rule cannot read it"
                hint = "ask has(...) of a customer attribute, or use another column"
                raise error_at(node.span, problem, hint)


def personal_attribute(meaning: Meaning, schema: Schema) -> MetricSpec | None:
    """Return the metric of the customer attribute that a value is, if that comes from a personal column."""
    if not isinstance(meaning, MetricValue) or meaning.metric not in schema.attributes.values():
        return None
    spec = meaning.metric
    return spec if is_personal(schema, spec.source, spec.column or "") else None


def is_personal(schema: Schema, source: str, column: str) -> bool:
    """Say whether a column is declared as personal."""
    declared = schema.sources[source].columns.get(column)
    return declared is not None and declared.personal
