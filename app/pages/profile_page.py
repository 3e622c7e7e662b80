"""One customer on a terminal page.

A profile is a mapping: ``id`` (32 hex digits), ``references`` (list of ``type:value``), ``as_of`` (epoch
minute), ``attributes`` (name to value or null), ``metrics`` (name to value, null, or the pair (sum, count) of
an average), ``rfm`` (model to recency, frequency, monetary, r, f, m, score, segment; null outside the
population), ``tags`` (name to ``since``, ``until`` (epoch minutes or null), ``manual`` and, when asked,
``why``: ``rule``, ``values`` (text of a metric to its value), ``edges`` (to its window: first
minute or null, end) and ``rows`` (list of mappings: ``source``,
``minute`` and the source's columns)).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from app.moments import write_moment
from app.pages.amounts import metric_types, money_type, write_value
from app.pages.labels import labels
from app.shop import Shop
from rfm.model import RfmModel
from rules.types import Type, column_type

WIDEST = 100  # characters: a page is read, not scanned, so it does not fill a wide terminal


def profile_page(shop: Shop, profile: Mapping[str, Any]) -> RenderableType:
    """Return the page of one customer, in the shop's language and zone."""
    words = labels(shop.settings.language)
    parts: list[RenderableType] = [*_head(shop, profile, words)]
    if shop.rfm:
        parts += [_title(words["rfm"]), _rfm(shop, profile["rfm"], words)]
    parts += [_title(words["tags"]), *_tags(shop, profile["tags"], words)]
    if shop.metrics:
        parts += [
            _title(words["metrics"]),
            _metrics({name: profile["metrics"][name] for name in shop.metrics}, metric_types(shop)),
        ]
    return Padding(Group(*parts), (1, 2))


def _title(text: str) -> RenderableType:
    return Padding(Rule(Text(text, style="bold"), align="left", style="dim"), (1, 0, 0, 0))


def _head(shop: Shop, profile: Mapping[str, Any], words: Mapping[str, str]) -> Iterator[RenderableType]:
    yield Text.assemble(
        (f"{words['customer']}  ", "dim"),
        (profile["references"][0] if profile["references"] else profile["id"], "bold"),
        (f"   {shop.settings.name}", "dim"),
    )
    moment = write_moment(profile["as_of"], shop.settings.zone)
    yield Text.assemble((f"{words['as_of']} ", "dim"), moment, (f" {shop.settings.zone}", "dim"))
    yield Text.assemble(("id ", "dim"), profile["id"])
    if len(profile["references"]) > 1:
        yield Text.assemble((f"{words['references']} ", "dim"), " · ".join(profile["references"]))
    known = {name: value for name, value in profile["attributes"].items() if value is not None}
    if known:
        told = " · ".join(f"{name} {write_attribute(shop, name, value)}" for name, value in known.items())
        yield Text.assemble((f"{words['attributes']} ", "dim"), told)


def write_attribute(shop: Shop, name: str, value: object) -> str:
    """Write a customer's attribute: dates as local days, everything else in its unit."""
    for source in shop.sources.values():
        for column_name, column in source.columns.items():
            if column.attribute == name:
                if column.type in ("time", "date") and isinstance(value, int):
                    local = write_moment(value, shop.settings.zone)
                    return local[:10] if column.type == "date" else local
                return write_value(value, column_type(column, column_name))
    return write_value(value)


def _rfm(shop: Shop, found: Mapping[str, Mapping[str, Any]], words: Mapping[str, str]) -> RenderableType:
    table = Table.grid(padding=(0, 3))
    money = money_type(shop)
    for model in shop.rfm:
        values = found[model.name]
        if values["frequency"] is None:
            table.add_row(Text(model.name, style="dim"), "", Text(words["outside"], style="dim"))
            continue
        scores = " ".join(write_value(values[letter]) for letter in "rfm")
        figures = (
            f"{words['recency']} {_ago(model, values['recency'], words)}",
            f"{words['frequency']} {write_value(values['frequency'])}",
            f"{words['monetary']} {write_value(values['monetary'], money)}",
        )
        segment = Text(values["segment"] or words["none"], style="bold")
        table.add_row(Text(model.name, style="dim"), Text(scores, style="bold"), segment)
        table.add_row("", "", Text(" · ".join(figures)))
    return table


def _ago(model: RfmModel, recency: int, words: Mapping[str, str]) -> str:
    unit = "days_ago" if model.recency_unit == "day" else "minutes_ago"
    return words["one_" + unit if recency == 1 else unit].format(f"{recency:,}")


def _tags(
    shop: Shop, tags: Mapping[str, Mapping[str, Any]], words: Mapping[str, str]
) -> Iterator[RenderableType]:
    if not tags:
        yield Text(words["no_tags"], style="dim")
        return
    zone = shop.settings.zone
    for name, held in tags.items():
        line = Text.assemble(
            (name, "bold"), (f"   {words['since']} {write_moment(held['since'], zone)}", "dim")
        )
        if held.get("until") is not None:
            line.append(f"   {words['until']} {write_moment(held['until'], zone)}", style="dim")
        if held.get("manual"):
            line.append(f"   {words['by_hand']}", style="dim")
        yield line
        if held.get("why"):
            yield Padding(_why(shop, held["why"], words), (0, 0, 0, 4))


def _why(shop: Shop, why: Mapping[str, Any], words: Mapping[str, str]) -> RenderableType:
    lines: list[RenderableType] = [Text.assemble((f"{words['why']} ", "dim"), why["rule"])]
    for text, value in why["values"].items():
        line = Text.assemble((f"{text} = ", "dim"), write_value(value))
        low, high = why["edges"][text]
        if low is not None:  # a window of everything has no edges
            zone = shop.settings.zone
            line.append(f"   {write_moment(low, zone)} – {write_moment(high - 1, zone)}", style="dim")
        lines.append(line)
    if why.get("rows"):
        sources = dict.fromkeys(row["source"] for row in why["rows"])
        lines.append(Text(f"{words['rows']}: {', '.join(sources)}", style="dim"))
        lines.append(_rows(shop, why["rows"]))
    return Group(*lines)


def _rows(shop: Shop, rows: list[Mapping[str, Any]]) -> RenderableType:
    names = list(dict.fromkeys(name for row in rows for name in row))
    if len({row["source"] for row in rows}) == 1:
        names.remove("source")  # the line above says it
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in names:
        table.add_column(name, no_wrap=True)
    for row in rows:
        table.add_row(*(_cell(shop, row, name) for name in names))
    return table


def _cell(shop: Shop, row: Mapping[str, Any], name: str) -> str:
    """Write one value of a row that counted: its ``source``, its event ``minute``, or a declared column."""
    value = row.get(name)
    column = shop.sources[row["source"]].columns.get(name)
    if value is not None and (name == "minute" or (column is not None and column.type in ("time", "date"))):
        return write_moment(value, shop.settings.zone)
    unit = None if column is None else replace(column_type(column, name), currency=None)
    return write_value(value, unit)


def _metrics(metrics: Mapping[str, Any], types: Mapping[str, Type]) -> RenderableType:
    width = max((len(name) for name in metrics), default=0)
    cells = []
    for name, value in metrics.items():
        cells.append(
            Text.assemble((f"{name:<{width}}  ", "dim"), f"{write_value(value, types.get(name)):>18}")
        )
    return Columns(cells, padding=(0, 4), equal=True)
