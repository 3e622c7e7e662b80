"""Every transition of a small log by brute force: each customer judged at each step and each minute."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from reference.customers import id_order
from reference.history import History
from reference.pieces import Pieces
from reference.replay import Life, Transition


def replay_small(
    pieces: Pieces, frames: Mapping[str, pd.DataFrame], control: pd.DataFrame, until: int | None = None
) -> list[Transition]:
    """Return all transitions of segments and tags up to just before advance(until + 1), in their order.

    Arguments as for `reference.recompute.recompute`. Each partition runs to its own last record, or to
    ``until``. Order: partition, minute, openings before steps, step, customer id (T3); inside one judgement
    segments, then units in dependency order, leaving before entering (G2). The cost grows with customers
    times minutes: for logs of some hundred minutes.
    """
    history = History(pieces, frames, control)
    found: list[tuple[tuple[int, ...], Transition]] = []
    for customer in history.customers.ids:
        last = history.clock_of(history.partition_of(history.customers.number[customer]))
        life = Life(history, customer, every_minute=True)
        for number, change in enumerate(life.run(last if until is None else until)):
            step = -1 if change.step is None else change.step
            place = (change.partition, change.minute, step, *id_order(customer), number)
            found.append((place, change))
    return [change for _, change in sorted(found, key=lambda pair: pair[0])]
