"""The RFM grid: recency by frequency, coloured by the share of the money."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from rich.text import Text

from engine import overview
from engine.engine import Engine

# From little money to much: dark slate to a clear green; the text on it is light, then dark.
COLD, WARM = (38, 50, 56), (102, 187, 106)
FULL_SHARE = 0.25  # of all money: the warmest colour


@dataclass(frozen=True)
class Grid:
    """Customers and money (minor units) of one RFM model; both int64 (bins, bins), [r - 1, f - 1]."""

    customers: NDArray[np.int64]
    money: NDArray[np.int64]

    @property
    def share(self) -> NDArray[np.float64]:
        """Each cell's share of all money, for showing."""
        total = int(self.money.sum())
        return self.money / total if total else np.zeros(self.money.shape)


def grid_of(engine: Engine, model: int = 0) -> Grid:
    """Count the scored customers of all partitions by R and F, and sum their monetary value."""
    return Grid(*overview.grid(engine, model))


def grid_table(grid: Grid, before: Grid | None = None) -> Table:
    """Return the grid, the most recent at the top; ``before``: changes of the counts since then are shown."""
    bins = len(grid.customers)
    table = Table(box=None, padding=(0, 0), show_header=True, header_style="dim")
    table.add_column("", style="dim", width=3)
    for f in range(bins):
        table.add_column(f"   F{f + 1}", width=15)
    share = grid.share
    for r in range(bins - 1, -1, -1):
        moved = None if before is None else grid.customers[r] - before.customers[r]
        cells = [
            _cell(share[r, f], int(grid.customers[r, f]), 0 if moved is None else int(moved[f]))
            for f in range(bins)
        ]
        table.add_row(f"R{r + 1}", *cells)
    return table


def _cell(share: float, customers: int, moved: int) -> Text:
    heat = min(max(share / FULL_SHARE, 0.0), 1.0) ** 0.6
    red, green, blue = (round(c + (w - c) * heat) for c, w in zip(COLD, WARM, strict=True))
    ink = "black" if heat > 0.55 else "white"
    text = f"{share * 100:5.1f}%{customers:>4}" + (f"{moved:+4}" if moved else "    ")
    return Text(f"{text} ", style=f"{ink} on rgb({red},{green},{blue})")
