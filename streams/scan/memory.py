"""Bytes and words of memory as compiled code reaches them: by addresses, so that nothing is
reference-counted.

`streams.scan.uncompiled` has the same accessors for plain Python, where an array stands for its address.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from streams.scan.jit import inlined

_QUOTE, _BACKSLASH = 0x22, 0x5C
_ONES = 0x0101010101010101
_HIGHS = -0x7F7F7F7F7F7F7F80  # 0x80 in each byte, as int64
_SPACES = 0x20 * _ONES
_QUOTES = _QUOTE * _ONES
_BACKSLASHES = _BACKSLASH * _ONES
_int64: Any = np.int64  # of its results mypy would say that they are no int
_FACTOR = -0x61C8864680B583EB  # 2**64 / golden ratio, as int64 (Knuth 6.4)


@intrinsic  # type: ignore[untyped-decorator]  # numba publishes no types
def address_of(typing: Any, array: Any) -> Any:
    """Return where an array's elements lie."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        held = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.ptrtoint(held.data, ir.IntType(64))

    return types.int64(array), code


def _loader(bits: int) -> Any:
    @intrinsic  # type: ignore[untyped-decorator]  # see above
    def load(typing: Any, base: Any, offset: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            place = builder.add(arguments[0], arguments[1])
            pointer = builder.inttoptr(place, ir.IntType(bits).as_pointer())
            return builder.zext(builder.load(pointer, align=1), ir.IntType(64))

        return types.int64(types.int64, types.int64), code

    return load


def _storer(bits: int) -> Any:
    @intrinsic  # type: ignore[untyped-decorator]  # see above
    def store(typing: Any, base: Any, offset: Any, value: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            place = builder.add(arguments[0], arguments[1])
            pointer = builder.inttoptr(place, ir.IntType(bits).as_pointer())
            builder.store(builder.trunc(arguments[2], ir.IntType(bits)), pointer, align=1)
            return arguments[2]

        return types.int64(types.int64, types.int64, types.int64), code

    return store


byte, word_at, put_byte = _loader(8), _loader(64), _storer(8)
_load_word, _store_word = word_at, _storer(64)


@intrinsic  # type: ignore[untyped-decorator]  # see above
def ask(typing: Any, base: Any, offset: Any) -> Any:
    """Have the cache line of a byte brought in, without waiting for it."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word, pointer = ir.IntType(32), ir.IntType(8).as_pointer()
        place = builder.inttoptr(builder.add(arguments[0], arguments[1]), pointer)
        kind = ir.FunctionType(ir.VoidType(), [pointer, word, word, word])
        prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        builder.call(prefetch, [place, word(0), word(3), word(1)])  # to be read, into every level, data
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), code


@inlined
def get(array: Any, at: int) -> int:
    """Return an int64 array's element."""
    word: int = _load_word(array, at << 3)
    return word


@inlined
def put(array: Any, at: int, value: int) -> None:
    """Set an int64 array's element."""
    _store_word(array, at << 3, value)


@intrinsic  # type: ignore[untyped-decorator]  # see above
def _zero_bits(typing: Any, word: Any) -> Any:
    """Return the number of zeros below a word's lowest bit that is set (64: none is)."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.int64), code


@inlined
def mixed(hashed: int, word: int) -> int:
    """Return a hash with one more word in it; its upper bits are the good ones."""
    number: int = (hashed ^ word) * _int64(_FACTOR)
    return number


@inlined
def plain_end(text: Any, at: int) -> int:
    """Return the first place from ``at`` on that holds a quote, a backslash or a byte below 0x20."""
    while True:
        word = word_at(text, at)
        quotes = word ^ _int64(_QUOTES)
        slashes = word ^ _int64(_BACKSLASHES)
        # A byte below n borrows from its upper bit; false hits lie above the first true one only
        # (Anderson, Bit Twiddling Hacks, "Determine if a word has a byte less than n").
        found = (quotes - _int64(_ONES)) & ~quotes
        found |= (slashes - _int64(_ONES)) & ~slashes
        found |= (word - _int64(_SPACES)) & ~word
        found &= _int64(_HIGHS)
        if found != 0:
            place: int = at + (_zero_bits(found) >> 3)
            return place
        at += 8
