"""A profile as the API shows it: from the store's document, with what moves by itself derived from as_of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from app.shop import Shop
from console.serving import moment
from streams.contract.source import Column

FIELDS = ("references", "attributes", "metrics", "rfm", "tags")
DAY = 1440
Document = Mapping[str, Any]
_READ: dict[str, Callable[[Any, ZoneInfo], Any]] = {
    "bool": lambda value, _: bool(value),
    "time": lambda value, _: moment(value),
    "date": lambda value, zone: moment(value).astimezone(zone).date(),
}


def portrait(
    shop: Shop, units: Document, document: Document, clock: int, fields: Collection[str]
) -> dict[str, Any]:
    """Return the fields asked for, of a store's document at a clock (epoch minute); units: of metrics."""
    shown: dict[str, Any] = {"id": document["id"]}
    if "attributes" in fields:
        zone, columns = ZoneInfo(shop.settings.zone), attribute_columns(shop)
        shown["attributes"] = {
            name: _attribute(columns.get(name), value, zone) for name, value in document["attributes"].items()
        }
    if "metrics" in fields:
        shown["metrics"] = {name: _metric(value) for name, value in document["metrics"].items()}
        shown["units"] = units
    if "rfm" in fields:
        recency_units = {model.name: model.recency_unit for model in shop.rfm}
        shown["rfm"] = {
            name: None if values is None else _model(values, recency_units.get(name, "minute"), clock)
            for name, values in document["rfm"].items()
        }
    if "tags" in fields:
        shown["tags"] = {name: _tag(held) for name, held in document["tags"].items()}
    return shown


def attribute_columns(shop: Shop) -> dict[str, Column]:
    """Return the column that each attribute comes from."""
    return {
        column.attribute: column
        for source in shop.sources.values() for column in source.columns.values() if column.attribute
    }  # fmt: skip


def _attribute(column: Column | None, value: Any, zone: ZoneInfo) -> Any:
    if column is None or value is None or column.type not in _READ:
        return value
    return _READ[column.type](value, zone)


def _metric(value: Any) -> Any:
    """An average is its sum and count: never a float (semantics M2)."""
    return {"sum": value[0], "count": value[1]} if isinstance(value, list | tuple) else value


def _model(values: Document, unit: str, clock: int) -> dict[str, Any]:
    """Recency moves by itself, so the store has the last order's minute (semantics R1, P4)."""
    # A commit in sub-steps (P4) writes documents before it moves the clock.
    minutes = max(0, clock - values["last_order"])
    recency = minutes // DAY if unit == "day" else minutes
    return {**values, "last_order": moment(values["last_order"]), "recency": recency, "recency_unit": unit}


def _tag(held: Document) -> dict[str, Any]:
    until = held["until"]
    shown = {"since": moment(held["since"]), "until": until and moment(until), "manual": held["manual"]}
    return {**shown, "why": _why(held["why"])} if "why" in held else shown


def _why(why: Document) -> dict[str, Any]:
    return {
        "rule": why["rule"],
        "values": {text: _metric(value) for text, value in why["values"].items()},
        "windows": {
            text: {"from": None if low is None else moment(low), "to": moment(high)}
            for text, (low, high) in why["edges"].items()
        },
        "tags": why["tags"],
        "rows": [{**row, "minute": moment(row["minute"])} for row in why["rows"]],
        "more_rows": why["more_rows"],
    }
