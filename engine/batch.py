"""A batch of one partition's records as NumPy columns, in step order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rfm.record import CutsRecord

DTYPES = {
    "kind": "i1", "op": "i1", "source": "i2", "minute": "i4", "mode": "i1", "customer_high": "i8",
    "customer_low": "i8", "key_high": "i8", "key_low": "i8", "epoch": "i4", "position": "i8", "offset": "i8",
    "event_us": "i8", "values": "i8", "nulls": "i8", "arg_a": "i8", "arg_b": "i8", "arg_c": "i8",
}  # fmt: skip
COLUMN = {"values": "value", "nulls": "null"}  # the kernel's names where they differ
TICK = 1  # of kind
STOPPED = 1  # arg_a of a tick: the process was stopped before it (T2)
BATCH_COLUMNS = [f"b_{COLUMN.get(name, name)}" for name in DTYPES]  # in the order of engine.state


@dataclass(frozen=True)
class Batch:
    """n records: all arrays have shape (n,), ``values`` (n, V) with V the plan's row width.

    kind 0 row, 1 tick, 2 tag by hand, 3 consent, 4 freshness, 5 erase, 6 cuts, 7 switch, 8 receipt; op 0
    upsert, 1 insert, 2 update, 3 delete, 4 snapshot read (sets off no event: also a row moved in, W7), 5 move
    out; minute: append minute; mode 0 import, 1 live (of cuts also 2, history); event_us: UTC microseconds;
    nulls: bit j where value j is null; arg_a, arg_b, arg_c: see engine.state, and ``STOPPED``; cuts: what the
    records of kind 6 say, by their places.
    """

    kind: NDArray[Any]
    op: NDArray[Any]
    source: NDArray[Any]
    minute: NDArray[Any]
    mode: NDArray[Any]
    customer_high: NDArray[Any]
    customer_low: NDArray[Any]
    key_high: NDArray[Any]
    key_low: NDArray[Any]
    epoch: NDArray[Any]
    position: NDArray[Any]
    offset: NDArray[Any]
    event_us: NDArray[Any]
    values: NDArray[Any]
    nulls: NDArray[Any]
    arg_a: NDArray[Any]
    arg_b: NDArray[Any]
    arg_c: NDArray[Any]
    cuts: Mapping[int, CutsRecord] = field(default_factory=dict, kw_only=True)

    def __len__(self) -> int:
        return len(self.kind)

    def resumes(self, i: int) -> bool:
        """Whether record i says that the process was stopped until its minute (T2)."""
        return bool(self.kind[i] == TICK and self.arg_a[i] == STOPPED)

    def next_cuts(self, i: int) -> int:
        """Return the place of the first cuts record from record i on, or the length."""
        places = self._cut_places
        at = bisect_left(places, i)
        return places[at] if at < len(places) else len(self)

    @cached_property
    def _cut_places(self) -> list[int]:
        return sorted(self.cuts)

    @classmethod
    def zeros(cls, count: int, width: int) -> Batch:
        """Return a batch of zeros, to be filled."""
        shapes = {name: (count, width) if name == "values" else (count,) for name in DTYPES}
        return cls(*[np.zeros(shapes[name], dtype=dtype) for name, dtype in DTYPES.items()])

    def slice(self, first: int, last: int) -> Batch:
        """Return records first .. last - 1, as views."""
        arrays = self.arrays
        cuts = {i - first: said for i, said in self.cuts.items() if first <= i < last}
        part = Batch(*[array[first:last] for array in arrays], cuts=cuts)
        part.__dict__["arrays"] = [getattr(part, name) for name in DTYPES]
        part.__dict__["addresses"] = self.addresses + first * self._steps
        return part

    @cached_property
    def arrays(self) -> list[NDArray[Any]]:
        """The arrays in the order of DTYPES: contiguous, of their dtypes."""
        return [np.ascontiguousarray(getattr(self, name), dtype=dtype) for name, dtype in DTYPES.items()]

    @cached_property
    def addresses(self) -> NDArray[np.int64]:
        """Where ``arrays`` lie, for compiled code; they live as long as the batch."""
        return np.array([array.__array_interface__["data"][0] for array in self.arrays], dtype=np.int64)

    @cached_property
    def _steps(self) -> NDArray[np.int64]:
        return np.array([array.strides[0] for array in self.arrays], dtype=np.int64)

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the kernel's columns by name, flat."""
        return {name: array.reshape(-1) for name, array in zip(BATCH_COLUMNS, self.arrays, strict=True)}
