"""Sealing a customer's data anew, under a newer key: so that the older one can be forgotten.

Needed where sealed rows of theirs moved to somebody who is erased: the log still holds those rows' older
records, under this customer's key. Their living rows are read again (which sets nothing off, W7).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from streams.change import NO_POSITION
from streams.compose import write
from streams.contract.source import Source
from streams.control import REFERENCE, Control, canonical
from streams.identity.arrivals import Arrivals
from streams.identity.directory import look_up
from streams.identity.parked import changes_of, unsealed
from streams.identity.references import Resolved
from streams.live import place_controls
from streams.log.log import Log
from streams.personal.held import Held, held_rows
from streams.personal.seal import REFERENCE as ABOUT_REFERENCE
from streams.personal.seal import personal_columns, seal, unseal
from streams.placing import Placed


def reseal(log: Log, sources: Mapping[str, Source], customer: bytes, minute: int, mode: str) -> None:
    """Write a customer's references and living rows again, inside the caller's transaction, under the newest
    key."""
    _references(log, customer, minute, mode)
    arrivals = []
    for source in sources.values():
        if source.kind == "rows" and personal_columns(source):
            held = held_rows(log, source, customer)
            if held.bodies:
                arrivals.append(_arrivals(log, held, customer))
    if arrivals:
        each = [np.arange(len(one)) for one in arrivals]
        zeros = [np.zeros(len(one), dtype=np.int64) for one in arrivals]
        write(log, Placed(arrivals, zeros, zeros, each, Resolved([], [], []), []), mode, minute)


def _references(log: Log, customer: bytes, minute: int, mode: str) -> None:
    query = "SELECT reference, strong, sealed FROM reference WHERE customer = ? ORDER BY reference"
    rows = log.connection.execute(query, (customer,)).fetchall()
    whose = [customer] * len(rows)
    plain = unseal(log.vault, ABOUT_REFERENCE, whose, [sealed for _, _, sealed in rows])
    sealed = seal(log.vault, ABOUT_REFERENCE, whose, plain)
    bodies = [
        {"reference": reference, "sealed": text, "strong": bool(strong)}
        for (reference, strong, _), text in zip(rows, sealed, strict=True)
    ]
    place_controls(log, [Control(REFERENCE, customer, canonical(body)) for body in bodies], minute, mode)
    log.connection.executemany(
        "UPDATE reference SET sealed = ? WHERE reference = ?",
        [(body["sealed"], body["reference"]) for body in bodies],
    )


def _arrivals(log: Log, held: Held, customer: bytes) -> Arrivals:
    """Return living rows as rows that are read again: they stand where they stood, only later."""
    numbers = held.numbers[:, :8].copy()
    numbers[:, 7] = NO_POSITION  # a new offset
    known = look_up(log, held.source.name, numbers[:, 0], numbers[:, 1])
    whose = [customer] * len(numbers)
    changes = unsealed(log, held.source, changes_of(held.source, numbers, held.bodies), whose)
    arrivals = Arrivals(held.source, changes, known, np.full(len(changes), -1, dtype=np.int64))
    reference = pa.array([body[1] for body in held.bodies], pa.utf8())
    everybody = np.ones(len(changes), dtype=bool)
    arrivals.place(known.customer_high, known.customer_low, everybody, reference)
    return arrivals
