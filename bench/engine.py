"""`tintype bench engine`: the figures of the kernel, each against its peer or limit in the same run.

Times are process CPU. The kernel is compiled first, in processes of its own, as the installation does it;
memory is reserved, and every engine has gone through its whole history before anything is measured.
"""

from __future__ import annotations

import subprocess
import sys
from statistics import median
from typing import Any

from bench.figures import Machine
from bench.load import Loaded
from bench.memory import bytes_a_customer
from bench.openings import busy_minutes, cut_points_bare, cut_points_with_rows, empty_year, silent_minute
from bench.shops import large_shop, small_shop, without

PASSES = 3
SIZES = {1: 4_000, 100: 20_000, 1_000: 40_000, 5_000: 40_000}  # changes of one pass, by batch
# microseconds a change that the prototypes took: batch -> figure (of a range its upper end)
SMALL = {1: 8.0, 100: 1.9, 1_000: 1.4, 5_000: 1.36}
MILLION = {1: 8.5, 100: 3.0, 1_000: 2.6, 5_000: 2.1}
LARGE = {1_000: 3.0}


def measure() -> list[dict[str, Any]]:
    """Return the table: {what, value, unit, against, ratio, goal, reached} each. Takes two to three minutes.

    Raises CalledProcessError if the kernel does not compile.
    """
    subprocess.run([sys.executable, "-m", "engine.warm"], check=True, stdout=subprocess.DEVNULL)
    machine = Machine()
    return [
        *_small(machine),
        *changes(Loaded(large_shop(), 100_000), machine, "60 metrics, 100 tags, 100 k customers", LARGE),
        busy_minutes(Loaded(without(small_shop(), "rfm"), 100_000), machine),
        empty_year(small_shop()),
        *_million(machine),
        cut_points_bare(small_shop()),
    ]


def _small(machine: Machine) -> list[dict[str, Any]]:
    loaded = Loaded(small_shop(), 100_000)
    return changes(loaded, machine, "20 metrics, 20 tags, 100 k customers", SMALL)


def _million(machine: Machine) -> list[dict[str, Any]]:
    loaded = Loaded(small_shop(), 1_000_000)
    rows = [*bytes_a_customer(loaded), silent_minute(loaded, machine)]
    rows += changes(loaded, machine, "20 metrics, 20 tags, 1 M customers", MILLION)
    return [*rows, cut_points_with_rows(loaded, "1 M")]


def changes(loaded: Loaded, machine: Machine, of: str, prototype: dict[int, float]) -> list[dict[str, Any]]:
    """Return microseconds a change from columns for batches of several sizes; the median of some passes."""
    for size in prototype:
        loaded.pass_over(size, SIZES[size])
    return [
        machine.against_prototype(
            f"a change from columns, {of}, batch {size:,}",
            median(loaded.pass_over(size, SIZES[size]) for _ in range(PASSES)),
            figure,
        )
        for size, figure in prototype.items()
    ]
