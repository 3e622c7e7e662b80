"""Steps of deliveries' lives, written to the ledger's tables as `sinks.deliveries.life` has them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from sinks.channels.outcome import Accepted
from sinks.deliveries.changes import Noted, note_changes
from sinks.deliveries.delivery import Step, attempt_fields
from sinks.deliveries.gone import note_gone
from sinks.deliveries.life import LIFE, Event, State

SETTLING = {Event.ACCEPT, Event.REFUSE, Event.GIVE_UP, Event.BREAK}


@dataclass(slots=True)
class _Row:
    """What of a delivery changes."""

    state: State
    attempts: int
    due: float
    expires: float
    turn: int
    parts: int
    changed: float
    reason: str
    changes: int
    caps: str
    provider: str


def take_steps(
    connection: sqlite3.Connection, steps: Sequence[Step]
) -> tuple[list[State | None], list[int]]:
    """Take steps in order, inside the caller's transaction; return the state behind each (None: the table
    has no such step, or there is no such delivery), and the numbers of those whose attempt has ended.
    """
    rows = _rows(connection, {step.number for step in steps})
    begun, ended, found = [], [], list[State | None]()
    gone: list[tuple[int, int]] = []
    settled: list[int] = []
    noted: list[Noted] = []
    for step in steps:
        row = rows.get(step.number)
        following = None if row is None else LIFE.get((row.state, step.event))
        found.append(following)
        if row is None or following is None:
            continue
        is_change = following is not row.state
        row.state, row.changed, row.reason = following, step.at, step.reason
        if step.event is Event.WAIT and step.due is not None:
            row.expires += step.due - step.at
        row.due = row.due if step.due is None else step.due
        row.turn = row.turn if step.turn is None else step.turn
        if step.event is Event.CLAIM:
            row.attempts += 1
            row.provider = step.provider
            begun.append((step.number, row.attempts, step.provider, step.at))
            if row.caps:
                gone.append((int(step.at // 60), step.number))
        elif step.event in SETTLING:
            ended.append(_ended(step, row))
            settled.append(step.number)
        if is_change:
            row.changes += 1
            noted.append((step.number, row.changes, following.value, step.at, row.attempts, row.provider,
                          step.reason))  # fmt: skip
    connection.executemany(
        "UPDATE delivery SET paused = iif(state = ?1, paused, NULL), state = ?1, attempts = ?2, due = ?3, "
        "expires = ?4, turn = ?5, parts = ?6, changed = ?7, reason = ?8, changes = ?9 WHERE number = ?10",
        [(row.state.value, row.attempts, row.due, row.expires, row.turn, row.parts, row.changed, row.reason,
          row.changes, number)
         for number, row in rows.items()],
    )  # fmt: skip
    connection.executemany(
        "INSERT INTO attempt (number, attempt, provider, claimed, outcome, code, reason) "
        "VALUES (?, ?, ?, ?, '', '', '')", begun,
    )  # fmt: skip
    connection.executemany(
        "UPDATE attempt SET ended = ?, outcome = ?, reference = ?, parts = ?, code = ?, reason = ? "
        "WHERE number = ? AND attempt = ?", ended,
    )  # fmt: skip
    note_changes(connection, noted)
    if gone:
        note_gone(connection, gone)
    return found, settled


def _rows(connection: sqlite3.Connection, numbers: set[int]) -> dict[int, _Row]:
    query = (
        "SELECT number, state, attempts, due, expires, turn, parts, changed, reason, changes, caps, "
        "coalesce((SELECT provider FROM attempt a WHERE a.number = d.number AND a.attempt = d.attempts), '') "
        "FROM delivery d "
        "WHERE number IN (SELECT value FROM json_each(?))"
    )
    found = connection.execute(query, (json.dumps(sorted(numbers)),))
    return {number: _Row(State(state), *rest) for number, state, *rest in found}


def _ended(step: Step, row: _Row) -> tuple[object, ...]:
    if step.outcome is None:  # after a crash
        return (step.at, "unknown", None, None, "", step.reason, step.number, row.attempts)
    if isinstance(step.outcome, Accepted):
        row.parts += step.outcome.parts
    return (step.at, *attempt_fields(step.outcome), step.number, row.attempts)
