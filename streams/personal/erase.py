"""Erasing a customer: the log says so, and what could tell who they were is gone (semantics P7).

The order is such that a crash at any point leaves either the customer whole, to be erased again, or the rest
to be done at the next start:

1. lists of rejected rows lose the rows that tell of the customer;
2. whoever once had rows of the customer gets a newer key (`streams.personal.reseal`);
3. in one transaction of the log: the record ``erase``; rows, references and dead letters go from its tables;
4. the keys are forgotten, and the log's file is freed of what it held before.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from streams.contract.source import Source
from streams.control import ERASE, Control
from streams.identity.partition import id_pairs
from streams.live import place_controls
from streams.log.log import Log
from streams.personal.find import references_of
from streams.personal.held import is_held, personal_values
from streams.personal.reseal import reseal
from streams.personal.traces import Traces, telling_headings

ERASED_STEP = -2  # of a row that lived when its customer was erased; other steps below 0 say nothing
_CHECKPOINTS = 5  # tries of five seconds: whoever reads the log meanwhile holds the former state


@dataclass(frozen=True)
class Erased:
    """What was erased of a customer. customer: id, 32 hex digits; rows: that counted until now; profile_gone:
    False while the profile store still has the profile, until a worker of the cluster comes to it."""

    customer: str
    references: list[str]
    rows: int
    dead_letters: int
    rejected_rows: int
    profile_gone: bool = True


def erase(log: Log, sources: Mapping[str, Source], customer: bytes, minute: int, mode: str) -> Erased:
    """Erase a customer (id of 16 bytes) at an append minute, or the log's clock where that is later."""
    references = references_of(log, customer)
    names = [reference.partition(":")[2] for reference in references]
    traces = Traces([*names, *personal_values(log, sources, customer)], telling_headings(sources))
    rejected = sum(_free_list(path, traces) for path in sorted(log.folder.glob("*.rejected.csv")))
    formers = log.vault.formers(customer)
    others = [former for former in formers if is_held(log, former)]
    gone = [customer, *(former for former in formers if former not in others)]
    log.vault.renew(others)
    with log.transaction():
        for former in others:
            reseal(log, sources, former, minute, mode)
        place_controls(log, [Control(ERASE, customer, "{}")], minute, mode)
        rows = forget_rows(log, customer)
        letters = _forget_messages(log, traces)
        log.connection.execute("DELETE FROM reference WHERE customer = ?", (customer,))
        log.connection.executemany(
            "INSERT OR REPLACE INTO erasing VALUES (?, ?)",
            [*((one, 0) for one in gone), *((one, 1) for one in others)],
        )
    log.names.forget()
    finish(log)
    return Erased(customer.hex(), references, rows, letters, rejected)


def finish(log: Log) -> None:
    """Do what is left of erasures whose record is in the log: at their end, and when it is opened again."""
    waiting = log.connection.execute("SELECT customer, but_newest FROM erasing").fetchall()
    if not waiting:
        return
    for but_newest in (False, True):
        log.vault.forget([one for one, newest in waiting if bool(newest) is but_newest], but_newest)
    with log.transaction():
        log.connection.execute("DELETE FROM erasing")
    for _ in range(_CHECKPOINTS):  # where all fail, the write-ahead file goes when the log is closed
        (busy, _, _) = log.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not busy:
            return


def forget_rows(log: Log, customer: bytes) -> int:
    """Let the row directory know of no row of the customer; keys and positions stay (W3). Returns how many
    living rows there were."""
    (high,), (low,) = (half.tolist() for half in id_pairs([customer]))
    alive = "SELECT count(*) FROM row WHERE customer_high = ? AND customer_low = ? AND alive"
    (rows,) = log.connection.execute(alive, (high, low)).fetchone()
    log.connection.execute(
        "UPDATE row SET alive = 0, content = 0, customer_high = 0, customer_low = 0, parent_high = 0, "
        "parent_low = 0, step = CASE WHEN alive THEN ? ELSE -1 END "
        "WHERE customer_high = ? AND customer_low = ?",
        (ERASED_STEP, high, low),
    )  # fmt: skip
    return int(rows)


def _forget_messages(log: Log, traces: Traces) -> int:
    """Drop dead letters, and remembered answers to requests, that tell of the customer; return how many."""
    connection = log.connection
    letters = [
        number
        for number, *told in connection.execute("SELECT id, key, value, fixed, problem, hint FROM dead")
        if any(map(traces.in_message, told[:3])) or any(map(traces.in_text, told[3:]))
    ]
    connection.executemany("DELETE FROM dead WHERE id = ?", ((number,) for number in letters))
    answers = [
        (name,)
        for name, answer in connection.execute("SELECT name, answer FROM request")
        if traces.in_text(answer) or traces.in_text(name)
    ]
    connection.executemany("DELETE FROM request WHERE name = ?", answers)
    return len(letters)


def _free_list(path: Path, traces: Traces) -> int:
    """Take the rows that tell of the customer out of a list of rejected rows; return how many."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    kept = [row for row in rows if not traces.in_row({name: text for name, text in row.items() if name})]
    if len(kept) == len(rows):
        return 0
    fresh = path.with_suffix(".new")
    with fresh.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(kept)
    fresh.replace(path)
    return len(rows) - len(kept)
