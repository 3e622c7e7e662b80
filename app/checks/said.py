"""Checks of what messages say of their triggers' values: each text once more, with what the values are."""

from __future__ import annotations

from app.checks.channels import LABEL, parts, place_of
from app.documents.document import Place
from app.folder import Folder
from app.problems import Problems
from rules.check import Checked, check_value
from rules.meaning import MetricValue
from rules.schema import Schema
from rules.scope import CUSTOMER, event_of
from sinks.coupons.pool import SAID
from sinks.texts.kinds import MOMENT, TEXT, Kind
from sinks.texts.words import Template, spoken
from triggers.trigger import Trigger

_KEEP_TYPE = ("first", "last", "min", "max")  # metrics whose value is one of the column's


def check_said(folder: Folder, problems: Problems) -> None:
    """A filter must fit its value. Needs rules without errors."""
    shop = folder.shop
    schema = Schema.build(shop.sources, shop.metrics, shop.rfm, shop.tags)
    for trigger in shop.triggers.values():
        template = shop.channels[trigger.action.channel].templates.get(trigger.action.template)
        if template is not None:
            place = (trigger.action.channel, "templates", trigger.action.template)
            _check_words(folder, place, template, kinds_of(trigger, schema), problems)


def kinds_of(trigger: Trigger, schema: Schema) -> dict[str, Kind]:
    """Return what the values of a trigger's action are, by name, and of its coupon. Raises RuleError for a
    wrong rule."""
    scope = event_of(trigger.when.event.source) if trigger.when.event else CUSTOMER
    values = trigger.action.values.items()
    kinds = {name: _kind_of(check_value(text, schema, scope), schema) for name, text in values}
    return kinds | (SAID if trigger.action.coupon else {})


def _kind_of(checked: Checked, schema: Schema) -> Kind:
    meaning = checked.meaning
    metric = meaning.metric if isinstance(meaning, MetricValue) else None
    if metric is not None and metric.column is not None and metric.function in _KEEP_TYPE:
        column = schema.column(metric.source, metric.column)
        if column.type in ("time", "date"):
            return MOMENT
    if checked.type.kind == "text":
        return TEXT
    return Kind("number", checked.type.scale, checked.type.currency)


def _check_words(
    folder: Folder, place: Place, template: Template, kinds: dict[str, Kind], problems: Problems
) -> None:
    from sinks.texts.template import check  # loads Jinja2 and Babel

    for language, words in spoken(template).items():
        for part, source in parts(words):
            at = place_of(template, place, language, part)
            for fault in check(source, kinds, folder.shop.settings.currency).faults:
                where = folder.documents[LABEL].where_in_text(at, fault.line)
                problems.add(where, fault.problem, fault.hint)
