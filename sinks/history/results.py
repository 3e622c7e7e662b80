"""Reads from history what the results of a trigger are counted from (semantics D8)."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pyarrow as pa

from profiles.windows import parse_length
from rules.schema import Schema
from sinks.history.asking import ERASED, clock_of, has_table, newest_rows
from sinks.history.condition import condition
from sinks.history.history import CHANGES, History
from sinks.history.schema import quoted
from triggers.results import Results, results
from triggers.trigger import Goal

# What hold-out lets pass, and what it and the guards behind it refuse (triggers.guards).
_EXPOSED = "(outcome IN ('act', 'held') OR guard IN ('hold_out', 'quiet_hours', 'cool_down', 'once', 'cap'))"
_ALWAYS = 1 << 40


def read_results(
    history: History, schema: Schema, trigger: str, goal: Goal, since: int | None, until: int | None
) -> Results:
    """Return what a trigger has brought, of its decisions from epoch minute ``since`` on, before ``until``.

    Raises InputError where history cannot answer.
    """
    asked = {"trigger": trigger, "since": since or 0, "until": _ALWAYS if until is None else until}
    clock = clock_of(history)
    return results(
        _exposed(history, asked), _acts(history, asked), _rows(history, schema, trigger, goal),
        parse_length(goal.within), -1 if clock is None else clock - 1,
    )  # fmt: skip


def _exposed(history: History, asked: Mapping[str, object]) -> pd.DataFrame:
    answer = history.query(
        "SELECT customer, argMin(minute, seq) AS first, argMin(guard = 'hold_out', seq) AS held_out "
        f"FROM ({_DECIDED}) WHERE {_EXPOSED} GROUP BY customer ORDER BY customer", asked,
    )  # fmt: skip
    return _frame(answer, minute="first", held_out="held_out").astype({"held_out": bool})


def _acts(history: History, asked: Mapping[str, object]) -> pd.DataFrame:
    question = f"SELECT customer, minute AS at FROM ({_DECIDED}) WHERE outcome = 'act' ORDER BY customer, seq"
    return _frame(history.query(question, asked), minute="at")


def _rows(history: History, schema: Schema, trigger: str, goal: Goal) -> pd.DataFrame:
    """Return the goal's rows, of customers for whom the trigger has decided."""
    if not has_table(history, CHANGES + goal.source):
        return _frame(_NOTHING, minute="at", value="told")
    where = "1" if goal.where is None else condition(goal.where, schema, goal.source)
    told = "0" if goal.value is None else f"ifNull({quoted(goal.value)}, 0)"
    rows = newest_rows(goal.source, told, where, _WHO)
    question = f"SELECT customer, intDiv(event_us, 60000000) AS at, told FROM ({rows}) ORDER BY customer, at"
    return _frame(history.query(question, {"trigger": trigger}), minute="at", value="told")


_WHO = "customer IN (SELECT customer FROM decisions WHERE trigger = {trigger:String})"
_DECIDED = (
    "SELECT customer, minute, seq, outcome, guard FROM (SELECT * FROM decisions WHERE "
    "trigger = {trigger:String} AND status = 'live' AND minute >= {since:Int64} AND minute < {until:Int64}"
    f") AS told ANY LEFT JOIN ({ERASED}) AS gone USING customer WHERE step >= erased"
)
_NOTHING = pa.table({"customer": pa.array([], pa.utf8()), "at": [], "told": []})


def _frame(table: pa.Table, **columns: str) -> pd.DataFrame:
    """Return columns of an answer as int64, by their new names, beside the customer."""
    found = {name: table[column].cast(pa.int64()).to_pandas() for name, column in columns.items()}
    return pd.DataFrame({"customer": table["customer"].cast(pa.utf8()).to_pandas().astype(object), **found})
