"""Bytes a customer: what the prototype held, and the whole."""

from __future__ import annotations

from typing import Any

from bench.figures import figure
from bench.load import ROWS_KEPT, Loaded
from engine.columns import COLUMNS

HELD = ("row", "list", "entry", "entry_slot", "customer", "customer_slot", "distinct", "minute", "list_class")
POSITION = ("entry_offset", "entry_offset_rest", "entry_position", "entry_epoch")  # the prototype kept none
HELD_GOAL, WHOLE_GOAL = 2000, 3200


def bytes_a_customer(loaded: Loaded) -> list[dict[str, Any]]:
    """Return both figures, at about 28 kept rows and 20 metrics a customer."""
    partition = loaded.engine.partitions[0]
    memory, report = partition.memory, partition.memory.report()
    customers = partition.customers
    held_now = [column for column in COLUMNS if column.name in POSITION and len(memory[column.name])]
    position = sum(memory[column.name].itemsize for column in held_now)
    held = sum(report[domain] for domain in HELD) - position * memory.scalar("entries_used")
    rows = memory.scalar("rows_kept") / customers
    what = f"bytes a customer at {rows:.0f} kept rows and {len(loaded.plan.metric.specs)} metrics"
    assert abs(rows - ROWS_KEPT) < 2, f"{rows:.1f} rows a customer are kept, not {ROWS_KEPT}"
    return [
        _against(f"{what}: rows, masks, lists, accumulators, tags, indexes", held / customers, HELD_GOAL),
        _against(
            f"{what}: the whole, with positions, triggers, work lists",
            sum(report.values()) / customers,
            WHOLE_GOAL,
        ),
    ]


def _against(what: str, value: float, goal: int) -> dict[str, Any]:
    return figure(what, value, "bytes", f"limit: {goal:,} bytes", value / goal, 1.0)
