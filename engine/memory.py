"""The arrays behind a partition's state: allocation, growth, report, and what a snapshot holds."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import kernel
from engine import state as s
from engine.batch import BATCH_COLUMNS, Batch
from engine.columns import COLUMNS, SCALARS, Column, stride
from engine.jit import CHECKED, COMPILED

Array = NDArray[Any]

FIRST = {
    "customer": 1024,
    "row": 4096,
    "entry": 4096,
    "list": 16384,
    "distinct": 4096,
    "fact": 1024,
    "timer": 1024,
    "transition": 16384,
    "decision": 16384,
}
NOT_SAVED = {
    "transition",
    "decision",
    "batch",
    "gathered",
    "old",
    "stack",
    "touched",
    "dirty",
    "due",
    "occasion",
    "length",
    "fault",
    "ahead",
}
HUGE_PAGES = 1 << 22  # bytes from which on memory is asked for in huge pages: fewer TLB misses
GROWING = {*FIRST, "customer_slot", "entry_slot", "touched", "dirty", "due"}
# columns that are made when first a value needs them, and their domains
WIDENING = {"wide_values": "row", "long_keys": "entry", "wide_keys": "entry", "wide_positions": "entry"}


class KernelFault(Exception):
    """The kernel reached past the end of a column: a bug of ours, found by the bounds checks."""


def zeros(size: int) -> Array:
    """Return so many zero bytes that begin at a cache line; they take memory only where they are written."""
    if size < HUGE_PAGES or not hasattr(mmap, "MADV_HUGEPAGE"):
        plain = np.zeros(size + 64, dtype=np.uint8)
        first = -plain.ctypes.data % 64
        return plain[first : first + size]
    # private: memory that Python shares by default is in the kernel's eyes a file, and gets no huge pages
    pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    pages.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(pages, dtype=np.uint8)


def _groups(domain: str) -> Iterator[list[Column]]:
    """Yield what is allocated at once: a record's columns, or one column."""
    held = [column for column in COLUMNS if column.domain == domain]
    for record, columns in groupby(held, key=lambda column: column.record or column.name):
        assert record
        yield list(columns)


class Memory:
    """All columns of one partition.

    ``dimensions``: widths by name. ``plan``: the plan's columns by name (int64 arrays). ``fixed``: sizes of
    domains that never grow.
    """

    def __init__(
        self, dimensions: Mapping[str, int], plan: Mapping[str, Array], fixed: Mapping[str, int]
    ) -> None:
        self.dimensions = dict(dimensions) | {"narrow_values": dimensions["row_values"]}
        self.dimensions |= dict.fromkeys(WIDENING, 0)
        self.capacity = dict(fixed) | FIRST | {"entry_slot": FIRST["entry"]}
        for domain in ("transition", "decision"):  # what one record may emit must fit
            self.capacity[domain] = max(self.capacity[domain], 8 * dimensions["judged"])
        self.capacity |= dict.fromkeys(WIDENING, 0)
        self.capacity |= {"scalar": len(SCALARS), "length": len(COLUMNS), "fault": 2}
        self.arrays: dict[str, Array] = {}
        self._numbers = {column.name: i for i, column in enumerate(COLUMNS)}
        self._scalars = {name: i for i, name in enumerate(SCALARS)}
        self._single: memoryview[int] = np.zeros(0, dtype=np.int64).data
        self._table = np.zeros(len(COLUMNS), dtype=np.int64)
        self._address = int(self._table.ctypes.data)
        self._plain: list[Array] = [np.zeros(0, dtype=np.int64)] * len(COLUMNS)
        first = self._numbers[BATCH_COLUMNS[0]]
        self._batch = slice(first, first + len(BATCH_COLUMNS))
        assert [column.name for column in COLUMNS[self._batch]] == BATCH_COLUMNS
        self._derive_sizes()
        for domain in dict.fromkeys(column.domain for column in COLUMNS):
            self._make(domain)
        for column in COLUMNS:
            if column.name in plan:
                self._bind(column.name, np.ascontiguousarray(plan[column.name], dtype=column.dtype))
        self.mirror()

    @property
    def handle(self) -> Any:
        """What compiled code gets: the table's address (or the arrays themselves, uncompiled)."""
        return self._address if COMPILED else self._plain

    def __getitem__(self, name: str) -> Array:
        return self.arrays[name]

    def scalar(self, name: str) -> int:
        return self._single[self._scalars[name]]

    def set_scalar(self, name: str, value: int) -> None:
        self._single[self._scalars[name]] = value

    def bind(self, name: str, array: Array) -> None:
        """Let a column be the caller's array for the next calls; it must be contiguous and of the dtype."""
        self._bind(name, array)

    def bind_batch(self, batch: Batch) -> None:
        """Let the batch's columns be those of a batch of records; the caller keeps it alive meanwhile."""
        if COMPILED and not CHECKED:  # its addresses all at once: what a batch of one record pays for
            self._table[self._batch] = batch.addresses
            return
        for name, array in batch.columns().items():
            self._bind(name, array)

    @property
    def row_values(self) -> Array:
        """The values of rows, flat: element row * row_values + place."""
        return self.arrays["wide_value" if self.dimensions["wide_values"] else "narrow_value"]

    def grow(self, domain: str) -> None:
        """Double a domain, and whatever hangs on it; or widen columns that a value does not fit."""
        if domain in WIDENING:
            self._widen(domain)
            return
        if domain in ("entry", "entry_slot") and self._forget_entries():
            return
        self._grow_to(domain, self.capacity[domain] * 2)

    def reserve(self, **sizes: int) -> None:
        """Make room at once for so many customers, rows, entries ... (untouched pages cost nothing)."""
        for domain, size in sizes.items():
            capacity = self.capacity[domain]
            while capacity < size:
                capacity *= 2
            if capacity > self.capacity[domain]:
                self._grow_to(domain, capacity)

    def _grow_to(self, domain: str, capacity: int) -> None:
        if domain in ("distinct", "fact"):
            self._grow_table(domain, capacity)
            return
        if domain == "entry_slot":
            self._refill(domain, capacity)
            return
        self._enlarge(domain, capacity)
        if domain == "customer":
            self._refill("customer_slot", 2 * capacity)
        if domain == "entry":  # its places hold as many bits of a number as entries need
            self._refill("entry_slot", self.capacity["entry_slot"])
        if domain in ("customer", "timer"):
            self._derive_sizes()
            for name in ("touched", "dirty", "due"):
                self._enlarge(name, self.capacity[name])
        self.mirror()

    def check_faults(self) -> None:
        """Raise KernelFault if the bounds checks found an overrun."""
        if CHECKED and self.arrays["fault"][0]:
            column = COLUMNS[int(self.arrays["fault"][0]) - 1]
            raise KernelFault(
                f"{column.name}[{int(self.arrays['fault'][1])}] of {len(self.arrays[column.name])}"
            )

    def report(self) -> dict[str, int]:
        """Return bytes in use by domain (filled part, hash tables whole)."""
        used = {
            "customer": "customers_used",
            "row": "rows_used",
            "entry": "entries_used",
            "list": "list_used",
            "timer": "timers_live",
        }
        total: dict[str, int] = {}
        for column in COLUMNS:
            array = self.arrays[column.name]
            count = len(array)
            if column.domain in used:
                count = self.scalar(used[column.domain]) * self.dimensions.get(column.width, 1)
            size = count * array.itemsize
            total[column.domain] = total.get(column.domain, 0) + size
        return total

    def save(self, plan: Mapping[str, Array]) -> dict[Column, Array]:
        """Return the columns that make a snapshot (views), without those that the plan gives."""
        return {
            column: self.arrays[column.name]
            for column in COLUMNS
            if column.domain not in NOT_SAVED and (column.name not in plan)
        }

    def _widen(self, what: str) -> None:
        """Let rows' values, keys or positions take more bits; what is there is kept."""
        values = self.row_values
        self._set_width(what)
        self._enlarge(WIDENING[what], self.capacity[WIDENING[what]])
        used = self.scalar("entries_used")
        if what == "wide_values":
            self.arrays["wide_value"][:] = values
        elif what == "long_keys":
            self.arrays["entry_rest"][:used] = self.arrays["entry_low"][:used] >> 31  # the sign
        elif what == "wide_keys":
            self.arrays["entry_high"][:used] = s.WHOLE_KEY
        else:
            self.arrays["entry_offset_rest"][:used] = self.arrays["entry_offset"][:used] >> 31
        self.mirror()

    def _set_width(self, what: str) -> None:
        self.capacity[what] = 1
        self.dimensions[what] = self.dimensions["row_values"] if what == "wide_values" else 1
        if what == "wide_values":
            self.dimensions["narrow_values"] = 0

    def set_capacity(self, capacity: Mapping[str, int]) -> None:
        """Make every domain as large as a snapshot's was, and empty."""
        self.capacity |= dict(capacity)
        for what in WIDENING:
            if self.capacity[what]:
                self._set_width(what)
        for domain in capacity:
            if domain in GROWING:
                self._make(domain)

    def _make(self, domain: str) -> None:
        """Bind zeros to every column of a domain."""
        for columns in _groups(domain):
            size = stride(columns[0])
            count = self._size(domain, columns[0].width)
            block = zeros(max(1, count) * size)
            for column in columns:
                self._bind(column.name, np.ndarray(count, column.dtype, block, column.offset, (size,)))

    def _size(self, domain: str, width: str) -> int:
        return self.capacity.get(domain, 0) * self.dimensions.get(width, 1)

    def _derive_sizes(self) -> None:
        customers = self.capacity["customer"]
        self.capacity["customer_slot"] = customers * 2
        self.capacity["touched"] = customers
        self.capacity["dirty"] = customers * max(1, self.dimensions["extremes"])
        self.capacity["due"] = customers * self.dimensions["schedules"] + self.capacity["timer"]

    def _bind(self, name: str, array: Array) -> None:
        number = self._numbers[name]
        self.arrays[name] = array
        self._table[number] = array.ctypes.data
        self._plain[number] = array
        if name == "scalars":
            self._single = array.data  # several times faster from Python than the array
        if "lengths" in self.arrays:
            self.arrays["lengths"][number] = len(array)
        if name == "lengths":
            for other, held in self.arrays.items():
                array[self._numbers[other]] = len(held)

    def _enlarge(self, domain: str, capacity: int) -> None:
        self.capacity[domain] = capacity
        old = {column.name: self.arrays[column.name] for column in COLUMNS if column.domain == domain}
        self._make(domain)
        for name, array in old.items():
            kept = min(len(array), len(self.arrays[name]))
            self.arrays[name][:kept] = array[:kept]

    def _refill(self, table: str, capacity: int) -> None:
        """Make a hash table anew."""
        self.capacity[table] = capacity
        self._make(table)
        self.mirror()
        (kernel.place_customers if table == "customer_slot" else kernel.place_entries)(self.handle)

    def _forget_entries(self) -> bool:
        """Free what is beyond its horizon; return whether that was enough to go on without growth."""
        freed = kernel.forget_entries(self.handle)
        if freed:
            self._refill("entry_slot", self.capacity["entry_slot"])
        return freed * 4 > self.scalar("entries_used")

    def _grow_table(self, domain: str, capacity: int) -> None:
        kinds = {"distinct": "distinct_metric", "fact": "fact_kind"}
        kept = np.flatnonzero(self.arrays["distinct_count" if domain == "distinct" else "fact_kind"])
        self._bind("old_customer", self.arrays[f"{domain}_customer"][kept].astype(np.int32))
        self._bind("old_kind", self.arrays[kinds[domain]][kept].astype(np.int32))
        values = self.arrays[f"{domain}_value"].reshape(self.capacity[domain], -1)[kept]
        self._bind("old_value", np.ascontiguousarray(values).reshape(-1))
        if domain == "distinct":
            self._bind("old_count", self.arrays["distinct_count"][kept].astype(np.int32))
        self.capacity[domain] = capacity
        self._make(domain)
        self.mirror()
        (kernel.refill_distinct if domain == "distinct" else kernel.refill_facts)(self.handle, len(kept))
        for column in COLUMNS:
            if column.domain == "old":  # what was read from has been entered: let its memory go
                self._bind(column.name, np.zeros(0, dtype=column.dtype))

    def mirror(self) -> None:
        """Tell the kernel the capacities."""
        for domain in (*FIRST, "touched", "dirty", "due"):
            self.set_scalar(f"{domain}_capacity", self.capacity[domain])
        for what in WIDENING:
            self.set_scalar(what, self.capacity[what])
        self.set_scalar("customer_mask", self.capacity["customer_slot"] - 1)
        self.set_scalar("entry_mask", self.capacity["entry_slot"] - 1)
