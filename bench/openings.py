"""Opening minutes: silent, busy, with new cut points over everybody, and a year of empty ones."""

from __future__ import annotations

from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.shop import Shop
from bench.figures import Machine, cpu, figure
from bench.load import CLOCK, Loaded
from bench.workload import STEP
from engine.engine import IMPORT, Engine
from engine.plan import build
from rfm.cuts import exceeding, order_statistics, reaching

Values = NDArray[np.int64]
BARE_CUSTOMERS = 10_000_000
YEAR = 525_600
SORTS = 2.5  # an opening may take so many times the three bare sorts of its values


def silent_minute(loaded: Loaded, machine: Machine) -> dict[str, Any]:
    """Return what a minute costs at which no row meets an edge; rows lie on every tenth minute only."""
    loaded.advance()
    taken: list[float] = []
    while len(taken) < 40:
        if (loaded.engine.clock + 1) % STEP:
            taken.append(cpu(loaded.advance))
        else:
            loaded.advance()
    return machine.against_prototype("advance, a silent minute, 1 M customers", median(taken) * 1e6, 5.0)


def busy_minutes(loaded: Loaded, machine: Machine) -> dict[str, Any]:
    """Return what an edge costs that a row crosses, with the judging it leads to (a shop without RFM)."""
    crossed, taken = 0, 0.0
    for _ in range(20):
        while (loaded.engine.clock + 1) % STEP:
            loaded.advance()
        crossed += crossings(loaded, loaded.engine.clock + 1)
        taken += cpu(loaded.advance)
    return machine.against_prototype(
        "advance, a busy minute, each row that crosses an edge", taken / crossed * 1e6, 0.9
    )


def crossings(loaded: Loaded, minute: int) -> int:
    """Return how often a kept row meets an edge of a window when ``minute`` opens."""
    memory = loaded.engine.partitions[0].memory
    kept = slice(0, memory.scalar("rows_used"))
    source = memory["entry_source"][memory["row_entry"][kept]]
    found = 0
    for name, window in loaded.plan.metric.windows:
        rows = memory["row_minute"][kept][source == loaded.plan.metric.source_number[name]]
        leaves = minute - window.offset - window.length
        found += int((rows == leaves).sum()) + (
            int((rows == minute - window.offset).sum()) if window.offset else 0
        )
    return found


def cut_points_with_rows(loaded: Loaded, customers: str) -> dict[str, Any]:
    """Return an opening after changes, with new cut points over everybody, against three bare sorts."""
    taken, sorts = [], []
    for _ in range(5):
        loaded.engine.feed(0, loaded.workload.changes(1000), loaded.engine.steps[0])
        loaded.engine.run()
        taken.append(cpu(loaded.advance))
        partition = loaded.engine.partitions[0]
        columns = [
            partition.per_customer(name)[:, 0].astype(np.int64)
            for name in ("recent", "frequency", "monetary")
        ]
        sorts.append(three_sorts(columns))
    return _against_sorts(
        f"opening a minute with new cut points, {customers} customers with rows", taken, sorts
    )


def cut_points_bare(shop: Shop) -> dict[str, Any]:
    """Return the same for 10 M customers of whom only the RFM values are given."""
    bare = Bare(shop, BARE_CUSTOMERS)
    taken, sorts = [], []
    for _ in range(3):
        bare.change()
        taken.append(cpu(bare.open))
        sorts.append(three_sorts(bare.values))
    return _against_sorts("opening a minute with new cut points, 10 M customers, bare values", taken, sorts)


def three_sorts(columns: list[Values]) -> float:
    """Return the seconds of np.sort of each of three arrays."""
    return min(cpu(lambda: [np.sort(column) for column in columns]) for _ in range(2))


def _against_sorts(what: str, taken: list[float], sorts: list[float]) -> dict[str, Any]:
    value, peer = median(taken), median(sorts)
    return figure(what, value * 1e3, "ms", f"three bare sorts: {peer * 1e3:.1f} ms", value / peer, SORTS)


class Bare:
    """A partition whose customers have RFM values and nothing else, scored under the cuts of those values."""

    def __init__(self, shop: Shop, customers: int) -> None:
        self.engine = Engine(
            build(shop), 1, lambda _number, _effects: None, lambda _trigger, _clock, _last: 0
        )
        self.partition = self.engine.partitions[0]
        self.partition.memory.reserve(customer=customers)
        self.partition.begin(CLOCK)
        self.partition.memory.set_scalar("customers_used", customers)
        self.random = np.random.default_rng(3)
        self.values = [
            CLOCK - self.random.integers(0, YEAR, customers),
            self.random.geometric(0.2, customers).astype(np.int64),
            self.random.integers(0, 5_000_000, customers),
        ]
        for name, values in zip(("recent", "frequency", "monetary"), self.values, strict=True):
            self.partition.per_customer(name)[:, 0] = values
        self._score()
        self.change()
        self.open()

    def _score(self) -> None:
        """Give everybody the scores of the values' own cuts, so that an opening finds those that change."""
        recent, frequency, monetary = self.values
        latest_first = np.sort(recent)[::-1]
        reach = np.sort(reaching(order_statistics(latest_first, 5), 5))
        scores = [1 + np.searchsorted(reach, recent, "left")]
        for values in (frequency, monetary):
            scores.append(
                1 + np.searchsorted(exceeding(order_statistics(np.sort(values), 5), 5), values, "right")
            )
        for letter, score in zip("rfm", scores, strict=True):
            self.partition.per_customer(f"score_{letter}")[:, 0] = score
        cells = self.partition.plan.columns["model_segment"]
        place = (scores[0] - 1) * 100 + (scores[1] - 1) * 10 + scores[2] - 1
        self.partition.per_customer("segment")[:, 0] = cells[place]

    def change(self) -> None:
        """Give a thousand customers new values in all three measures."""
        who = self.random.integers(0, len(self.values[0]), 1000)
        self.values[0][who] = self.engine.clock
        self.values[1][who] += 1
        self.values[2][who] += 10_000
        for name, values in zip(("recent", "frequency", "monetary"), self.values, strict=True):
            self.partition.per_customer(name)[who, 0] = values[who]
        self.partition.memory["population_changed"][0] = 7

    def open(self) -> None:
        """Open the next minute."""
        self.engine.advance(self.engine.clock + 1, IMPORT)


def empty_year(shop: Shop) -> dict[str, Any]:
    """Return a year in one call, of 100,000 customers whose rows have all left their windows before."""
    loaded = Loaded(shop, 100_000, rows_kept=1)
    loaded.engine.advance(CLOCK + 10, IMPORT)
    emptied = cpu(lambda: loaded.engine.advance(CLOCK + 10 + YEAR, IMPORT))
    empty = cpu(lambda: loaded.engine.advance(CLOCK + 10 + 2 * YEAR, IMPORT))
    against = f"the year before, in which 100,000 rows leave: {emptied * 1e3:,.0f} ms"
    return figure(
        "a year of empty minutes in one call, 100,000 customers",
        empty * 1e3,
        "ms",
        against,
        empty / emptied,
        None,
    )
