"""Tables that the demo shows: segments, tags, triggers, and the followed customer's story."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from app.demo.tally import StoryLine
from app.pages.amounts import money_type, write_value
from app.shop import Shop
from engine.engine import Engine
from engine.overview import segment_sizes
from engine.readout import tag_bits


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(columns[0], no_wrap=True)
    for column in columns[1:]:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def money(shop: Shop, minor: int) -> str:
    """Write money of the shop's currency."""
    return write_value(minor, money_type(shop))


def segment_table(shop: Shop, engine: Engine, words: Mapping[str, str], model: int = 0) -> Table:
    """Return the segments of one RFM model with their customers and share of the money."""
    sizes = sorted(segment_sizes(engine, model), key=lambda size: -size[2])
    total = max(1, sum(value for _, _, value in sizes))
    table = _table(words["segments"], words["customers"], words["money_share"])
    for name, customers, value in sizes:
        table.add_row(name, f"{customers:,}", f"{value / total * 100:.1f}%")
    return table


def tag_sizes(engine: Engine) -> dict[str, int]:
    """Return how many customers hold each tag."""
    return {
        tag: int(sum(tag_bits(partition, "member", tag).sum() for partition in engine.partitions))
        for tag in engine.plan.tag.names
    }


def tag_table(
    engine: Engine,
    words: Mapping[str, str],
    gained: Counter[str] | None = None,
    lost: Counter[str] | None = None,
) -> Table:
    """Return the tags with their sizes and, where given, how many were gained and lost."""
    moved = () if gained is None else ("+", "-")
    table = _table(words["tags"], words["held_by"], *moved)
    for tag, size in sorted(tag_sizes(engine).items(), key=lambda item: -item[1]):
        cells = [] if gained is None or lost is None else [_signed(gained[tag], "+"), _signed(lost[tag], "-")]
        table.add_row(tag, f"{size:,}", *cells)
    return table


def _signed(count: int, sign: str) -> Text:
    return Text(
        f"{sign}{count}" if count else "·", style={"+": "green", "-": "red"}[sign] if count else "dim"
    )


def story_table(
    shop: Shop, lines: list[StoryLine], words: Mapping[str, str], teller_moment: list[str]
) -> Table:
    """Return the followed customer's figures at each moment of the story."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    letters = [("R", 1), ("F", 1), ("M", 1)]
    for heading, width in (("", 5), *letters, (words["segment"], 8), (words["money"], 12)):
        right = heading == words["money"]
        table.add_column(heading, no_wrap=True, min_width=width, justify="right" if right else "left")
    table.add_column(words["tags"], no_wrap=True)  # the one that is cut where there is no room
    model = shop.rfm[0].name
    for line, moment in zip(lines, teller_moment, strict=True):
        rfm = line.profile["rfm"][model]
        table.add_row(moment, *(Text(str(rfm[x]), style="bold") for x in "rfm"), rfm["segment"],
                      money(shop, rfm["monetary"]), " ".join(line.profile["tags"]))  # fmt: skip
    return table


def stacked(*parts: RenderableType) -> Group:
    """Return parts below each other, with a line between."""
    spaced: list[RenderableType] = []
    for part in parts:
        spaced += [part, Text("")] if part is not parts[-1] else [part]
    return Group(*spaced)
