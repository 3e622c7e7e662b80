"""What exact cut points over partitions cost: ``python -m bench.cuts [customers] [partitions]``.

10 M customers in 16 partitions when absent, as in `bench.openings`: last orders over a year, orders
geometric, money of a wide range. Printed for each measure: the bytes of one partition's report; then the
milliseconds of process CPU that one partition takes to sort and write it, and that whoever merges takes to
read all reports and to find the cuts. The cuts are compared with those of everybody sorted at once.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from statistics import median

import numpy as np

from bench.figures import cpu
from rfm.cuts import Values
from rfm.merge import merged
from rfm.model import RfmModel
from rfm.numbers import numbers_of
from rfm.report import Report, Runs, decoded

CUSTOMERS, PARTITIONS = 10_000_000, 16
NOW, YEAR = 29_539_320, 525_600
MODELS = [
    RfmModel(frequency="count(orders)", monetary="sum(orders.amount)"),
    RfmModel(frequency="count(orders)", monetary="sum(orders.amount)", method="mean", recency_unit="day"),
]


def report_of(values: list[Values]) -> Report:
    """Sort three measures and write them down."""
    report = Report(*(Runs.of(np.sort(column)) for column in values))
    assert report.encoded
    return report


def people(customers: int, prices: int) -> list[Values]:
    """Return last orders, orders and money of so many customers; ``prices``: how many sums of money occur."""
    random = np.random.default_rng(3)
    return [
        NOW - random.integers(0, YEAR, customers),
        random.geometric(0.2, customers).astype(np.int64),
        random.integers(0, prices, customers) * (5_000_000 // prices),
    ]


def measure(customers: int, partitions: int, prices: int) -> None:
    """Print one table."""
    values = people(customers, prices)
    parts = [[column[number::partitions] for column in values] for number in range(partitions)]
    reports = [report_of(part) for part in parts]
    there = median(cpu(lambda: report_of(parts[0])) for _ in range(5))
    measures = {name: getattr(reports[0], name) for name in ("recent", "frequency", "monetary")}
    sizes = [f"{name} {len(runs.encoded()) / 1000:,.1f} KB" for name, runs in measures.items()]
    data = [report.encoded for report in reports]
    reading = median(cpu(lambda: [decoded(one) for one in data]) for _ in range(3))
    read = [decoded(one) for one in data]
    print(f"{customers:,} customers, {partitions} partitions, {prices:,} different sums of money")
    print(f"  a partition's report: {', '.join(sizes)}")
    print(f"  there: {there * 1e3:.1f} ms to sort and write it")
    print(f"  where they merge: {reading * 1e3:.1f} ms to read all")
    for model in MODELS:
        fresh = [replace(one) for one in read]
        taken = cpu(lambda model=model, fresh=fresh: merged(model, fresh))  # type: ignore[misc]  # bound at once
        recent, frequency, monetary = (np.sort(column) for column in values)
        same = merged(model, read).said("") == numbers_of(model, recent, frequency, monetary).said("")
        told = "the numbers of everybody sorted at once" if same else "OTHER NUMBERS than everybody's"
        print(f"  {model.method}: {taken * 1e3:.1f} ms to merge; {told}")


def main() -> None:
    """Print what money of a wide range costs, and of few prices."""
    given = [int(text) for text in sys.argv[1:]]
    customers, partitions = (*given, CUSTOMERS, PARTITIONS)[:1] + (*given[1:], PARTITIONS)[:1]
    for prices in (5_000_000, 200_000):
        measure(customers, partitions, prices)


if __name__ == "__main__":
    main()
