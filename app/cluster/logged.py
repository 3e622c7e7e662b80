"""The log of a cluster as frames: each partition up to the step at which the store has it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from app.replay import version_before
from app.shop import Shop
from streams.changes.copies import Copies
from streams.errors import InputError
from streams.log.rows import read_control, read_rows

_CATCH_SECONDS = 30.0


@dataclass(frozen=True)
class Logged:
    """The frames of all partitions (`streams.log.rows`); rows: by source."""

    rows: dict[str, pd.DataFrame]
    control: pd.DataFrame


def version_of(copies: Copies, steps: Sequence[int] | None = None) -> Shop:
    """Return the settings in force at these steps of the partitions, or at the log's end.

    Raises Between where they differ, as they do for a moment after they are applied, and InputError where
    there are none.
    """
    found = set()
    for number, copy in copies.copies.items():
        step = copy.log.next_step(0) if steps is None else steps[number]
        found.add(version_before(copy.log, 0, step))
    if None in found:
        hint = "start a worker; it writes the settings that were applied into the log"
        raise InputError(str(copies.folder), "the log has no settings yet", hint)
    if len(found) > 1:
        raise Between("partitions go by different settings")
    return Shop.model_validate_json(found.pop() or "")


class Between(Exception):
    """The cluster is between two states; in a moment it is not."""


def catch_up(copies: Copies, steps: Sequence[int], now: Callable[[], float] = time.monotonic) -> None:
    """Read the log up to these steps at least. Raises InputError where it does not have them."""
    until = now() + _CATCH_SECONDS
    while True:
        copies.catch_up()
        ends = {number: copy.log.next_step(0) for number, copy in copies.copies.items()}
        lacking = [number for number, end in ends.items() if end < steps[number]]
        if not lacking:
            return
        if now() > until:
            one = lacking[0]
            raise InputError(
                f"partition {one}", f"the log ends at step {ends[one]}, but the store has seen {steps[one]}",
                "is the store another shop's? else restore the topic, or empty the store",
            )  # fmt: skip


def frames(copies: Copies, shop: Shop, steps: Mapping[int, int] | None = None) -> Logged:
    """Return the records below these steps of the partitions, or all."""
    rows: dict[str, list[pd.DataFrame]] = {
        name: [] for name, source in shop.sources.items() if source.kind == "rows"
    }
    control = []
    for number, copy in copies.copies.items():
        until = None if steps is None else [steps[number]]
        for name, parts in rows.items():
            found = read_rows(copy.log, shop.sources[name], until)
            parts.append(found.assign(partition=number))
        control.append(read_control(copy.log, until).assign(partition=number))
    return Logged(
        {name: pd.concat(parts, ignore_index=True) for name, parts in rows.items()},
        pd.concat(control, ignore_index=True),
    )
