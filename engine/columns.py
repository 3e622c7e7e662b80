"""Columns of state, and how the kernel reaches them.

All state of a partition lies in flat NumPy arrays. The kernel gets one number: the address of a table of
their addresses. Each column is declared once (`engine.state`) and has two accessors, ``get(state, index)``
and ``set(state, index, value)``; every value is an int64 on the way. No array object enters compiled code,
so nothing is reference-counted there.

Columns that are read together may name a *record*: their elements i lie side by side in memory, so that a
step that needs all of them waits for one cache line and not for one each. To Python they are columns all the
same (strided views).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from engine.jit import CHECKED, COMPILED

Get = Callable[[Any, int], int]
Ask = Callable[[Any, int], None]
Set = Callable[[Any, int, int], None]
GetScalar = Callable[[Any], int]
SetScalar = Callable[[Any, int], None]


@dataclass(frozen=True)
class Column:
    """One declared column: ``width`` names a dimension of the plan by which the domain is multiplied.

    ``record``: the columns it lies together with ("" for none); ``offset``: its place there, in bytes.
    """

    name: str
    domain: str
    dtype: str
    width: str
    about: str
    record: str = ""
    offset: int = 0


BYTES, WORD = ir.IntType(8).as_pointer(), ir.IntType(32)
COLUMNS: list[Column] = []
RECORDS: dict[str, int] = {}  # bytes of each record so far, as its columns are declared
SCALARS: list[str] = []


def column(
    name: str, domain: str, dtype: str, about: str, width: str = "", record: str = ""
) -> tuple[Get, Set]:
    """Declare a column; return its accessors.

    dtype is i1, i2, i4 or i8. Element (i, j) of a column with a width stands at i * width + j. The columns of
    a record have one domain and one width, and lie close together, aligned or not.
    """
    number, size = len(COLUMNS), int(dtype[1:])
    offset = RECORDS.get(record, 0) if record else 0
    if record:
        RECORDS[record] = offset + size
    COLUMNS.append(Column(name, domain, dtype, width, about, record, offset))
    return _accessors(number, dtype)


def stride(column: Column) -> int:
    """Return the bytes from one element of a column to the next."""
    return RECORDS[column.record] if column.record else int(column.dtype[1:])


def scalar(name: str) -> tuple[GetScalar, SetScalar]:
    """Declare one whole number of state; return its accessors. Scalars live in column 0."""
    place = len(SCALARS)
    SCALARS.append(name)
    if COMPILED:
        return _scalar_access(place)
    get_at, set_at = SCALAR

    def get(state: Any) -> int:
        return get_at(state, place)

    def put(state: Any, value: int) -> None:
        set_at(state, place, value)

    return get, put


def ask(name: str) -> Ask:
    """Return ``ask(state, index)``: have an element brought into the cache, without waiting for it.

    Of a record it is enough to ask for one column, and of a column for one element in each 64 bytes.
    """
    number = next(number for number, column in enumerate(COLUMNS) if column.name == name)
    if not COMPILED:
        return _plain(number)[0]  # type: ignore[return-value]  # only the index is checked
    if CHECKED:
        return numba.njit(_fits(number))  # type: ignore[no-any-return]
    return _prefetch(number, int(COLUMNS[number].dtype[1:]) * 8)


def _accessors(number: int, dtype: str) -> tuple[Get, Set]:
    if not COMPILED:
        return _plain(number)
    bits = int(dtype[1:]) * 8
    if CHECKED:
        return _checked(number, bits)
    return _access(number, bits)


def _plain(number: int) -> tuple[Get, Set]:
    def get(state: Any, i: int) -> int:
        if i < 0:
            raise IndexError(f"{COLUMNS[number].name}[{i}]")
        return int(state[number][i])

    def put(state: Any, i: int, value: int) -> None:
        if i < 0:
            raise IndexError(f"{COLUMNS[number].name}[{i}]")
        state[number][i] = value

    return get, put


def _checked(number: int, bits: int) -> tuple[Get, Set]:
    """Accessors that note the first column overrun and go on."""
    load, store = _access(number, bits)
    fits = numba.njit(_fits(number))

    def get(state: int, i: int) -> int:
        return load(state, i) if fits(state, i) else 0

    def put(state: int, i: int, value: int) -> None:
        if fits(state, i):
            store(state, i, value)

    return numba.njit(get), numba.njit(put)


def _fits(number: int) -> Callable[[int, int], bool]:
    """Return the check of an index (column 1 holds lengths, 2 the first fault)."""
    length, _ = _access(LENGTHS_COLUMN, 64)
    fault, set_fault = _access(FAULT_COLUMN, 64)

    def fits(state: int, i: int) -> bool:
        if 0 <= i < length(state, number):
            return True
        if fault(state, 0) == 0:
            set_fault(state, 0, number + 1)
            set_fault(state, 1, i)
        return False

    return fits


def _element(builder: Any, state: Any, number: int, i: Any, bits: int) -> Any:
    """LLVM pointer to element i of a column, by way of the address table."""
    word = ir.IntType(64)
    table = builder.inttoptr(state, word.as_pointer())
    address = builder.load(builder.gep(table, [ir.Constant(word, number)]))
    # the table does not change while compiled code runs, so its loads may be shared and moved
    address.set_metadata("invariant.load", builder.module.add_metadata([]))
    if not COLUMNS[number].record:
        return builder.gep(builder.inttoptr(address, ir.IntType(bits).as_pointer()), [i])
    # the stride is known by now: code is generated when every column has been declared
    place = builder.mul(i, ir.Constant(word, stride(COLUMNS[number])))
    return builder.inttoptr(builder.add(address, place), ir.IntType(bits).as_pointer())


def _alignment(number: int, bits: int) -> int:
    """Columns of a record may lie anywhere."""
    return 1 if COLUMNS[number].record else bits // 8


def _load(builder: Any, state: Any, number: int, i: Any, bits: int) -> Any:
    value = builder.load(_element(builder, state, number, i, bits), align=_alignment(number, bits))
    return value if bits == 64 else builder.sext(value, ir.IntType(64))


def _store(builder: Any, state: Any, number: int, i: Any, value: Any, bits: int) -> None:
    narrow = value if bits == 64 else builder.trunc(value, ir.IntType(bits))
    builder.store(narrow, _element(builder, state, number, i, bits), align=_alignment(number, bits))


def _access(number: int, bits: int) -> tuple[Get, Set]:
    """Accessors as intrinsics: LLVM code at the place of the call, with nothing to compile on their own."""

    @intrinsic
    def get(typing_context, state, i):  # type: ignore[no-untyped-def]
        def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
            return _load(builder, args[0], number, args[1], bits)

        return types.int64(types.int64, types.int64), generate

    @intrinsic
    def put(typing_context, state, i, value):  # type: ignore[no-untyped-def]
        def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
            _store(builder, args[0], number, args[1], args[2], bits)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.int64), generate

    return get, put


def _prefetch(number: int, bits: int) -> Ask:
    """`ask` as an intrinsic."""

    @intrinsic
    def ask_for(typing_context, state, i):  # type: ignore[no-untyped-def]
        def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
            place = builder.bitcast(_element(builder, args[0], number, args[1], bits), BYTES)
            kind = ir.FunctionType(ir.VoidType(), [BYTES, WORD, WORD, WORD])
            prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
            # to be read, into every level of the cache, as data
            builder.call(prefetch, [place, WORD(0), WORD(3), WORD(1)])
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), generate

    return ask_for  # type: ignore[no-any-return]


def _scalar_access(place: int) -> tuple[GetScalar, SetScalar]:
    """The same for a scalar: an element of column 0."""

    @intrinsic
    def get(typing_context, state):  # type: ignore[no-untyped-def]
        def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
            return _load(builder, args[0], 0, ir.Constant(ir.IntType(64), place), 64)

        return types.int64(types.int64), generate

    @intrinsic
    def put(typing_context, state, value):  # type: ignore[no-untyped-def]
        def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
            _store(builder, args[0], 0, ir.Constant(ir.IntType(64), place), args[1], 64)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), generate

    return get, put


LENGTHS_COLUMN, FAULT_COLUMN = 1, 2
SCALAR = column("scalars", "scalar", "i8", "single whole numbers")
LENGTHS = column("lengths", "length", "i8", "length of every column, for bounds checks")
FAULT = column("fault", "fault", "i8", "first overrun: column + 1, index")
