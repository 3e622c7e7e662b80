"""What another ledger says, carried over into a new one: its tables, row by row, as records.

Numbers of deliveries stay, so that clicks, codes and receipts of before find them. How far topics are read
is the new one's own, and so are changes of tags.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from engine.outcome import Decision
from sinks.deliveries.records import Carried

# Tables in the order in which they are carried, each by the columns that order it.
_DECISION, _DELIVERY = "decision", "delivery"
CARRIED = {
    _DECISION: "number", _DELIVERY: "number", "attempt": "number, attempt", "receipt": "id", "by_hand": "id",
    "click": "number", "answer": "id", "delivery_change": "number", "ended": "number",
    "arrived": "number", "pause": "what", "gone": "customer, minute, number", "place": "trigger, first",
    "coupon": "place", "redemption": "place, mark", "linked": "shop, key",
    "shadow_count": "trigger, version, outcome, guard",
    "shadow_minute": "trigger, version, minute", "shadow_customer": "trigger, version, customer",
}  # fmt: skip
_TRIGGER, _VERSION, _GUARD, _MINUTE = (
    f"json_extract(CAST(body AS TEXT), '$.{name}')" for name in ("trigger", "version", "guard", "minute")
)
_IN_SHADOW = "FROM decision WHERE json_extract(CAST(body AS TEXT), '$.status') = 'shadow'"
# Of decisions those with a delivery: the others stand in their topic, and in history. Those in shadow become
# counts, where a ledger has them one by one.
_READ = {
    _DECISION: "SELECT * FROM decision WHERE number IN (SELECT number FROM delivery)",
    "shadow_count": "SELECT trigger, version, outcome, guard, sum(decisions) AS decisions "  # noqa: S608
    f"FROM (SELECT * FROM shadow_count UNION ALL SELECT {_TRIGGER}, {_VERSION}, outcome, {_GUARD}, 1 "
    f"{_IN_SHADOW}) GROUP BY 1, 2, 3, 4",
    "shadow_minute": "SELECT trigger, version, minute, sum(acts) AS acts "  # noqa: S608 - constants
    f"FROM (SELECT * FROM shadow_minute UNION ALL SELECT {_TRIGGER}, {_VERSION}, {_MINUTE}, 1 "
    f"{_IN_SHADOW} AND outcome = 'act') GROUP BY 1, 2, 3",
    "shadow_customer": "SELECT * FROM (SELECT * FROM shadow_customer "  # noqa: S608 - constants
    f"UNION SELECT {_TRIGGER}, {_VERSION}, customer {_IN_SHADOW} AND outcome = 'act')",
}
ROWS = 500  # of one record: some 300 KB
Placed = Callable[[Decision], Decision]


def carried(connection: sqlite3.Connection, placed: Placed) -> Iterator[Carried]:
    """Yield what a ledger says, as records that make another one say it.

    placed: gives a decision as the new one is to have it: partitions and steps of its log are other ones.
    """
    for table, order in CARRIED.items():
        read = _READ.get(table, f"SELECT * FROM {table}")  # noqa: S608 - constants
        cursor = connection.execute(f"{read} ORDER BY {order}")
        columns = [name for name, *_ in cursor.description]
        while rows := cursor.fetchmany(ROWS):
            if table == _DECISION:
                rows = [_placed(dict(zip(columns, row, strict=True)), placed) for row in rows]
            yield Carried(table, columns, rows)


def post_carried(connection: sqlite3.Connection, one: Carried) -> None:
    """Put rows into a table, inside the caller's transaction; what is there already stays."""
    if one.table not in CARRIED:
        raise ValueError(f"a ledger has no table '{one.table}' that is carried over")
    there = {name for _, name, *_ in connection.execute(f"PRAGMA table_info({one.table})")}
    if not there.issuperset(one.columns):
        raise ValueError(f"'{one.table}' of a ledger lacks columns of {one.columns}")
    marks = ", ".join("CAST(? AS BLOB)" if name == "body" else "?" for name in one.columns)
    names = ", ".join(one.columns)
    query = f"INSERT OR IGNORE INTO {one.table} ({names}) VALUES ({marks})"  # noqa: S608 - checked above
    connection.executemany(query, one.rows)
    if one.table == _DELIVERY:  # whether the log was told of their ends is carried over behind them
        numbers = json.dumps([row[one.columns.index("number")] for row in one.rows])
        connection.execute("DELETE FROM ended WHERE number IN (SELECT value FROM json_each(?))", (numbers,))


def _placed(row: dict[str, Any], placed: Placed) -> tuple[Any, ...]:
    """Return a row of a decision as it is in the new log."""
    made = placed(msgspec.json.decode(row["body"], type=Decision))
    row |= {"partition": made.partition, "seq": made.seq, "body": msgspec.json.encode(made).decode()}
    return tuple(row.values())
