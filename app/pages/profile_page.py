"""One customer on a terminal page.

A profile is a mapping: ``id`` (32 hex digits), ``references`` (list of ``type:value``), ``as_of`` (epoch
minute), ``metrics`` (name to value, null, or the pair (sum, count) of an average), ``rfm`` (model to
recency, frequency, monetary, r, f, m, score, segment; null outside the population), ``tags`` (name to
``since``, ``until`` (epoch minutes or null), ``manual`` and, when asked, ``why``: ``rule``, ``values`` (text
of a metric to its value) and ``rows`` (list of mappings)).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from app.moments import write_moment
from app.pages.amounts import metric_types, write_value
from app.pages.labels import labels
from app.shop import Shop
from rfm.model import RfmModel
from rules.types import Type

WIDEST = 100  # characters: a page is read, not scanned, so it does not fill a wide terminal


def profile_page(shop: Shop, profile: Mapping[str, Any]) -> RenderableType:
    """Return the page of one customer, in the shop's language and zone."""
    words = labels(shop.settings.language)
    parts: list[RenderableType] = [*_head(shop, profile, words)]
    if shop.rfm:
        parts += [_title(words["rfm"]), _rfm(shop, profile["rfm"], words)]
    parts += [_title(words["tags"]), *_tags(shop, profile["tags"], words)]
    if shop.metrics:
        parts += [_title(words["metrics"]), _metrics(profile["metrics"], metric_types(shop))]
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


def _rfm(shop: Shop, found: Mapping[str, Mapping[str, Any]], words: Mapping[str, str]) -> RenderableType:
    table = Table.grid(padding=(0, 3))
    types = {"count": Type("number", scale=0), "money": _money(shop)}
    for model in shop.rfm:
        values = found[model.name]
        name = Text(model.name, style="dim")
        if values["frequency"] is None:
            table.add_row(name, Text(words["outside"], style="dim"))
            continue
        scores = " ".join(write_value(values[letter]) for letter in "rfm")
        table.add_row(
            name,
            Text(scores, style="bold"),
            Text(values["segment"] or words["none"]),
            Text(f"{words['recency']} {_ago(model, values['recency'], words)}"),
            Text(f"{words['frequency']} {write_value(values['frequency'], types['count'])}"),
            Text(f"{words['monetary']} {write_value(values['monetary'], types['money'])}"),
        )
    return table


def _money(shop: Shop) -> Type:
    """Return the unit of money: that of the first money column, all of one currency (M1)."""
    for source in shop.sources.values():
        for column in source.columns.values():
            if column.type == "decimal" and column.currency:
                return Type("number", column.scale, column.currency)
    return Type("number", scale=0)


def _ago(model: RfmModel, recency: int, words: Mapping[str, str]) -> str:
    unit = "days_ago" if model.recency_unit == "day" else "minutes_ago"
    return words[unit].format(f"{recency:,}")


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
            yield Padding(_why(held["why"], words), (0, 0, 0, 4))


def _why(why: Mapping[str, Any], words: Mapping[str, str]) -> RenderableType:
    lines: list[RenderableType] = [Text.assemble((f"{words['why']} ", "dim"), why["rule"])]
    for text, value in why["values"].items():
        lines.append(Text.assemble((f"{text} = ", "dim"), write_value(value)))
    if why.get("rows"):
        lines.append(Text(words["rows"], style="dim"))
        lines.append(_rows(why["rows"]))
    return Group(*lines)


def _rows(rows: list[Mapping[str, Any]]) -> RenderableType:
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = Table(*names, box=None, padding=(0, 2, 0, 0), header_style="dim")
    for row in rows:
        table.add_row(*(write_value(row.get(name)) for name in names))
    return table


def _metrics(metrics: Mapping[str, Any], types: Mapping[str, Type]) -> RenderableType:
    width = max((len(name) for name in metrics), default=0)
    cells = []
    for name, value in metrics.items():
        cells.append(
            Text.assemble((f"{name:<{width}}  ", "dim"), f"{write_value(value, types.get(name)):>18}")
        )
    return Columns(cells, padding=(0, 4), equal=True)
