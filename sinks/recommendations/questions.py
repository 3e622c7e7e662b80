"""The questions that recommendations put to history: the newest state of rows, by SQL of any of its tiers."""

from __future__ import annotations

from collections.abc import Sequence

from sinks.history.asking import ERASED, newest_rows
from sinks.history.history import CHANGES
from sinks.history.schema import quoted


def among(customers: Sequence[str] | None) -> str:
    """Return the condition that a row is one of these customers' (ids, 32 hex digits); of everybody: None."""
    if customers is None:
        return "1"
    assert all(len(one) == 32 and one.isalnum() for one in customers)
    return "customer IN ({})".format(", ".join(f"'{one}'" for one in customers) or "''")


def touches(source: str, item: str, where: str, customers: Sequence[str] | None) -> str:
    """Return the question for ``customer, item, times, last`` (epoch minute): how often, and when last.

    item: a column; where: a condition over columns.
    """
    told, counts = f"toString(assumeNotNull({quoted(item)}))", f"isNotNull({quoted(item)}) AND told != ''"
    rows = newest_rows(source, told, f"{counts} AND ({where})", among(customers))
    return (
        "SELECT customer, told AS item, count() AS times, max(intDiv(event_us, 60000000)) AS last "
        f"FROM ({rows}) GROUP BY customer, told ORDER BY customer, told"
    )


def newest_of_items(source: str, item: str, columns: Sequence[str]) -> str:
    """Return the question for the item and the columns' values in the newest row of it that has one."""
    values = "".join(
        f", argMax({quoted(one)}, tuple(event_us, partition, step)) AS {quoted(f'c{at}')}"
        for at, one in enumerate(columns)
    )
    return (
        f"SELECT toString(assumeNotNull({quoted(item)})) AS told_item{values} "
        f"FROM {quoted(CHANGES + source)} "
        f"WHERE op != 'delete' AND op != 'move out' AND isNotNull({quoted(item)}) "
        "GROUP BY told_item ORDER BY told_item"
    )


def consents(customers: Sequence[str] | None) -> str:
    """Return the question for ``customer, newest``: the body of the newest record of each consent."""
    return (
        "SELECT customer, newest FROM ("
        "SELECT customer, argMax(body, step) AS newest, max(step) AS newest_step FROM ("
        "SELECT customer, step, body, visitParamExtractRaw(body, 'channel') AS channel, "
        "visitParamExtractRaw(body, 'purpose') AS purpose FROM controls "
        f"WHERE kind = 'consent' AND {among(customers)}"
        ") GROUP BY customer, channel, purpose"
        f") AS told ANY LEFT JOIN ({ERASED}) AS gone USING customer "
        "WHERE newest_step >= erased ORDER BY customer, newest"
    )


def members(kind: str) -> str:
    """Return the question for ``customer, what, now`` of the newest transitions: of segments the model and
    the segment, of tags the tag and 'enter' or 'leave'."""
    value = "ifNull(after, '')" if kind == "segment" else "change"
    changes = "change = 'segment'" if kind == "segment" else "change IN ('enter', 'leave')"
    return (
        f"SELECT customer, what, argMax({value}, seq) AS now FROM transitions WHERE {changes} "
        "GROUP BY customer, what ORDER BY customer, what"
    )


def ends(table: str) -> str:
    """Return the question for ``partition, last``: the last step of each partition that a table has."""
    return f"SELECT partition, max(step) AS last FROM {quoted(table)} GROUP BY partition ORDER BY partition"


def changed(table: str, seen: Sequence[tuple[int, int]]) -> str:
    """Return the question for the customers of rows behind the (partition, step) pairs that were seen."""
    known = " OR ".join(f"(partition = {partition} AND step > {step})" for partition, step in seen)
    others = ", ".join(str(partition) for partition, _ in seen)
    condition = f"({known} OR partition NOT IN ({others}))" if seen else "1"
    select = f"SELECT DISTINCT customer FROM {quoted(table)}"
    return f"{select} WHERE {condition} AND customer != '' ORDER BY customer"
