"""What the last record of a row of tags or consent says, so that it can be taken back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.identity.directory import Known
from streams.identity.partition import partitions_of
from streams.log.block import CONTROL
from streams.log.log import Log
from streams.log.read_back import read_back

_ABOUT: Mapping[str, tuple[str, ...]] = {"tags": ("tag",), "consent": ("channel", "purpose")}


@dataclass(frozen=True)
class Standing:
    """bodies: what stands now, by row, None where the key has no row; renamed: mask of rows that are now
    about another tag, channel or purpose.
    """

    bodies: list[dict[str, Any] | None]
    renamed: NDArray[np.bool_]


def standing_of(log: Log, kind: str, columns: pa.Table, known: Known) -> Standing:
    """Read the control records that known rows of a source of tags or consent made last."""
    alive = np.flatnonzero(known.alive)
    partition = partitions_of(known.customer_high[alive], known.customer_low[alive], log.partitions)
    places = zip(partition.tolist(), known.step[alive].tolist(), strict=True)
    bodies: list[dict[str, Any] | None] = [None] * len(known.alive)
    renamed = np.zeros(len(known.alive), dtype=bool)
    now = columns.select(list(_ABOUT[kind])).to_pylist()
    for row, (body,) in zip(alive.tolist(), read_back(log, CONTROL, places, ["body"]), strict=True):
        said: dict[str, Any] = json.loads(body)
        bodies[row] = said
        renamed[row] = any(said[name] != now[row][name] for name in _ABOUT[kind])
    return Standing(bodies, renamed)
