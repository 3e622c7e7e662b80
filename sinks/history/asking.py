"""What questions to history share."""

from __future__ import annotations

from sinks.history.history import CHANGES, CONTROLS, History
from sinks.history.schema import quoted

NEWEST = (
    "ORDER BY epoch DESC, position DESC, offset DESC, minute DESC, step DESC "
    "LIMIT 1 BY key_high, key_low, customer"
)
# Rows from before somebody was erased are nobody's. Who has none of these records gets 0.
ERASED = "SELECT customer, max(step) + 1 AS erased FROM controls WHERE kind = 'erase' GROUP BY customer"


def newest_rows(source: str, told: str, where: str, who: str = "1") -> str:
    """Return the question for ``customer, told, event_us`` of the rows of a source as they are by now.

    told: an expression; where: a condition over columns and ``told``; who: one over changes. A row that has
    moved to another customer, or is deleted, counts for nobody (semantics W1).
    """
    return (
        f"SELECT customer, told, event_us FROM (SELECT customer, {told} AS told, event_us, step FROM ("
        f"SELECT * FROM {quoted(CHANGES + source)} WHERE {who} {NEWEST}"
        f") WHERE op != 'delete' AND op != 'move out' AND ({where})"
        f") AS told_rows ANY LEFT JOIN ({ERASED}) AS gone USING customer WHERE step >= erased"
    )


def clock_of(history: History) -> int | None:
    """Return the epoch minute that every partition has reached, by what was copied; None before anything was.
    """
    answer = history.query(f"SELECT max(minute) AS clock FROM {CONTROLS} GROUP BY partition")
    return min(answer["clock"].to_pylist(), default=None)


def has_table(history: History, table: str) -> bool:
    """Say whether a table is there: each is made with its first row."""
    answer = history.query(
        "SELECT count() AS tables FROM system.tables "
        "WHERE database = currentDatabase() AND name = {table:String}", {"table": table},
    )  # fmt: skip
    return bool(answer["tables"][0].as_py())
