"""Reads a column's text into typed values, once for each different text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from streams.contract.moments import MINUTE_US, date_minute, moment_reader, parse_date
from streams.contract.numbers import Exact, ValueProblem, parse_number, quoted, scaled
from streams.contract.source import Column

_TRUE = {"true", "t", "yes", "y", "1", "on", "是"}
_FALSE = {"false", "f", "no", "n", "0", "off", "否"}


@dataclass(frozen=True)
class Codes:
    """A column as codes: ``texts[codes[i]]`` is row i's text; -1 is null. codes: int64, shape (rows,)."""

    codes: NDArray[np.int64]
    texts: list[str]


@dataclass(frozen=True)
class Parsed:
    """Values by code. numbers: int64; problems: code to what is wrong with it (its number means nothing)."""

    numbers: NDArray[np.int64]
    problems: dict[int, ValueProblem]


def encode(column: pa.ChunkedArray) -> Codes:
    """Return a text column as codes, numbered by first occurrence."""
    encoded = pc.dictionary_encode(column.combine_chunks())
    array = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    codes = pc.fill_null(array.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    return Codes(codes, array.dictionary.to_pylist())


def parse_each(texts: list[str], read: Callable[[str], int]) -> Parsed:
    """Apply ``read`` to each text, gathering the ValueProblems it raises."""
    numbers = np.zeros(len(texts), dtype=np.int64)
    problems: dict[int, ValueProblem] = {}
    for code, text in enumerate(texts):
        try:
            numbers[code] = read(text)
        except ValueProblem as problem:
            problems[code] = problem
    return Parsed(numbers, problems)


def column_reader(column: Column, zone: ZoneInfo) -> Callable[[str], int]:
    """Return the function from text to the column's whole number (not for ``text``), limits included."""
    read = _type_reader(column, ZoneInfo(column.zone) if column.zone else zone)

    def checked(text: str) -> int:
        value = read(text)
        check_limits(value, column)
        return value

    return checked


def _type_reader(column: Column, zone: ZoneInfo) -> Callable[[str], int]:
    if column.type == "bool":
        return parse_bool
    if column.type == "time":
        moment = moment_reader(column.format, zone)
        return lambda text: moment(text).us // MINUTE_US
    if column.type == "date":
        return lambda text: date_minute(parse_date(text, column.format), zone)
    scale = column.scale if column.type == "decimal" else 0
    return lambda text: scaled(parse_number(text), scale)


def parse_bool(text: str) -> int:
    """Return 1 or 0. Raises ValueProblem."""
    word = text.strip().lower()
    if word in _TRUE:
        return 1
    if word in _FALSE:
        return 0
    raise ValueProblem(f"{quoted(text)} is neither true nor false", "write true or false")


def check_limits(value: int, column: Column) -> None:
    """Raise ValueProblem if the value lies outside the column's minimum, maximum or allowed values."""
    if column.minimum is not None and value < column.minimum:
        raise ValueProblem(
            f"{value} is below the minimum {column.minimum}", "correct the value or the contract"
        )
    if column.maximum is not None and value > column.maximum:
        raise ValueProblem(
            f"{value} is above the maximum {column.maximum}", "correct the value or the contract"
        )
    if column.allowed is not None and value not in column.allowed:
        raise _not_allowed(str(value), column)


def check_text(text: str, column: Column) -> None:
    """Raise ValueProblem if a text is not among the allowed ones."""
    if column.allowed is not None and text not in [str(word) for word in column.allowed]:
        raise _not_allowed(quoted(text), column)


def _not_allowed(shown: str, column: Column) -> ValueProblem:
    allowed = ", ".join(str(word) for word in column.allowed or [])
    return ValueProblem(f"{shown} is not allowed", f"allowed: {allowed}")


def multiply(factors: list[list[Exact | None]], rows: NDArray[np.int64], column: Column) -> Parsed:
    """Return the exact products of distinct combinations of factors.

    factors[f][code] is None where that text is no number (reported with its own column); rows: int64,
    shape (combinations, factors), codes. The product is computed exactly first and must then fit the
    column's scale (semantics M1).
    """
    numbers = np.zeros(len(rows), dtype=np.int64)
    problems: dict[int, ValueProblem] = {}
    for at, codes in enumerate(rows.tolist()):
        product = Exact(1, 0)
        for factor, code in zip(factors, codes, strict=True):
            number = factor[code]
            product = product.times(number) if number is not None else Exact(0, 0)
        try:
            numbers[at] = scaled(product, column.scale)
            check_limits(int(numbers[at]), column)
        except ValueProblem as problem:
            problems[at] = problem
    return Parsed(numbers, problems)
