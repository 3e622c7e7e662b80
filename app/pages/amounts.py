"""Whole numbers as people read them: money in its units, thousands apart."""

from __future__ import annotations

from app.shop import Shop
from rules.check import check_metric
from rules.schema import Schema
from rules.types import Type


def metric_types(shop: Shop) -> dict[str, Type]:
    """Return the type (unit and currency) of every declared metric of a checked shop."""
    schema = Schema.build(shop.sources, shop.metrics, shop.rfm, shop.tags)
    return {name: check_metric(text, schema).type for name, text in shop.metrics.items()}


def money_type(shop: Shop) -> Type:
    """Return the unit of money: that of the first money column, all of one currency (M1)."""
    for source in shop.sources.values():
        for column in source.columns.values():
            if column.type == "decimal" and column.currency:
                return Type("number", column.scale, column.currency)
    return Type("number", scale=0)


def write_value(value: object, kind: Type | None = None) -> str:
    """Write a value for a person; null is a dash.

    An average comes as the pair (sum, count), since it is never a float (semantics M2), and is written
    rounded to its unit.

    >>> write_value(123456, Type("number", scale=2, currency="GBP")), write_value(None), write_value("鞋")
    ('1,234.56 GBP', '–', '鞋')
    >>> write_value((10, 4), Type("average", scale=0))
    '≈ 2.5'
    """
    if value is None:
        return "–"
    if isinstance(value, (tuple, list)):
        total, count = value
        return (
            "–"
            if not count
            else f"≈ {_average(total, count, (kind.scale or 0) if kind else 0)}{_currency(kind)}"
        )
    if not isinstance(value, int) or isinstance(value, bool):
        return str(value)
    return f"{_decimal(value, (kind.scale or 0) if kind else 0)}{_currency(kind)}"


def _currency(kind: Type | None) -> str:
    return f" {kind.currency}" if kind and kind.currency else ""


def _decimal(value: int, scale: int) -> str:
    if scale == 0:
        return f"{value:,}"
    whole, rest = divmod(abs(value), 10**scale)
    return f"{'-' if value < 0 else ''}{whole:,}.{rest:0{scale}d}"


def _average(total: int, count: int, scale: int) -> str:
    """Round half up at one digit below the unit, in whole numbers."""
    tenths = (2 * 10 * abs(total) + count) // (2 * count)
    return _decimal(-tenths if total < 0 else tenths, scale + 1)
