"""Rows dated too far ahead: they would have to wait, with a mistyped year for ever (semantics W6)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from profiles.windows import parse_length
from streams.contract.check import Checked
from streams.contract.moments import MINUTE_US
from streams.contract.numbers import ValueProblem
from streams.contract.source import Source


def too_far_ahead(event_us: NDArray[np.int64], minute: int, max_future: str) -> NDArray[np.bool_]:
    """Return a mask of event times more than ``max_future`` after a minute."""
    ahead: NDArray[np.bool_] = event_us // MINUTE_US > minute + parse_length(max_future)
    return ahead


def not_too_far(checked: Checked, source: Source, minute: int) -> Checked:
    """Turn the rows dated more than the source's ``max_future`` after a minute into faults."""
    ahead = too_far_ahead(checked.changes.event_us, minute, source.max_future)
    if not ahead.any():
        return checked
    problem = ValueProblem(
        f"the event time lies more than {source.max_future} ahead", "correct the time or its zone"
    )
    faults = [*checked.faults, *((int(row), problem) for row in checked.rows[ahead])]
    return replace(checked, changes=checked.changes.take(~ahead), rows=checked.rows[~ahead], faults=faults)
