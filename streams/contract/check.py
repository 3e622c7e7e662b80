"""Checks raw rows against their source's declaration and types them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from streams.change import UPSERT, Changes, column_type, no_position, nothing
from streams.contract.columns import carried_columns, is_optional, names_customer
from streams.contract.faults import Faults
from streams.contract.keys import is_whole_key, text_keys, whole_keys
from streams.contract.moments import CLEAR, DOUBLED, EARLIEST_US, LATEST_US, SKIPPED, Moment, moment_reader
from streams.contract.names import check_names
from streams.contract.numbers import Exact, ValueProblem, parse_number, quoted
from streams.contract.source import Column, Source
from streams.contract.values import Codes, check_text, column_reader, encode, multiply, parse_each

Int64s = NDArray[np.int64]
TEXT = pa.large_string()


@dataclass(frozen=True)
class Checked:
    """What became of the rows: ``changes`` of the good ones, which came from ``rows`` (int64 places).

    faults: (row, fault) of the rejected ones; without_customer: rows left out because they name nobody and
    the source allows it; skipped_times, doubled_times: kept rows whose local time did not exist or
    occurred twice (see ``moments.moment_reader``).
    """

    changes: Changes
    rows: Int64s
    faults: list[tuple[int, ValueProblem]]
    without_customer: int
    skipped_times: int
    doubled_times: int


def check_rows(
    source: Source, sources: Mapping[str, Source], table: pa.Table, zone: ZoneInfo,
    lacking: Collection[str] = (),
) -> Checked:  # fmt: skip
    """Check and type all rows of a file (occurrences are counted within it).

    table: text columns by heading; sources: all of the shop's (a key through another source is read as
    that source reads it); zone: the shop's; lacking: headings that these rows do not carry, of which nothing
    is asked here (see ``partial``). Rows with a fault are in no change.
    """
    faults = Faults(table.num_rows)
    event_us, oddities = _event_times(source, table, zone, faults, lacking)
    columns = _typed_columns(source, table, zone, faults, lacking)
    key_high, key_low = check_keys(source, table, faults)
    references, parent, (parent_high, parent_low) = _customers(source, sources, table, faults)
    nameless = parent.is_null().to_numpy() if source.via else _all_null(references)
    if names_customer(source) & set(lacking):
        nameless = np.zeros(table.num_rows, dtype=bool)
    elif not source.skip_without_customer:
        asked = ", ".join(
            [ref.column for ref in source.references] or [source.via.column if source.via else ""]
        )
        faults.add_rows(nameless, "the row names no customer", f"fill {asked}, or set skip_without_customer")
    rows = np.flatnonzero(faults.clear & ~nameless)
    op, content = np.full(table.num_rows, UPSERT, dtype=np.int8), np.zeros(table.num_rows, dtype=np.int64)
    everything = Changes(
        source.name, op, *no_position(table.num_rows), key_high, key_low, event_us, content, references,
        parent_high, parent_low, parent, columns,
    )  # fmt: skip
    return Checked(
        everything.take(rows), rows, faults.found(), int((nameless & faults.clear).sum()),
        int((oddities[rows] == SKIPPED).sum()), int((oddities[rows] == DOUBLED).sum()),
    )  # fmt: skip


def _all_null(columns: list[pa.ChunkedArray]) -> NDArray[np.bool_]:
    null: NDArray[np.bool_] = np.ones(len(columns[0]), dtype=bool)
    for column in columns:
        null &= column.is_null().to_numpy()
    return null


def _event_times(
    source: Source, table: pa.Table, zone: ZoneInfo, faults: Faults, lacking: Collection[str]
) -> tuple[Int64s, Int64s]:
    """Return the event times (UTC microseconds; 0 where another row's counts) and each one's oddity."""
    declared = source.event_time
    if declared.column is None or declared.column in lacking:  # its parent's, or its own last record's
        return np.zeros(table.num_rows, dtype=np.int64), np.full(table.num_rows, CLEAR, dtype=np.int64)
    read = event_time_reader(source, zone)
    encoded = encode(table[declared.column])
    oddity: dict[str, int] = {}

    def microseconds(text: str) -> int:
        moment = read(text)
        oddity[text] = moment.oddity
        return moment.us

    parsed = parse_each(encoded.texts, microseconds)
    faults.add_codes(declared.column, encoded.codes, parsed.problems, len(encoded.texts))
    faults.add_rows(encoded.codes < 0, f"{declared.column}: the event time is missing", "fill it")
    oddities = np.array([*(oddity.get(text, CLEAR) for text in encoded.texts), CLEAR], dtype=np.int64)
    return np.append(parsed.numbers, 0)[encoded.codes], oddities[encoded.codes]


def event_time_reader(source: Source, zone: ZoneInfo) -> Callable[[str], Moment]:
    """Return the function from the text of a source's event time to its moment; it raises ValueProblem."""
    declared = source.event_time
    read = moment_reader(declared.format, ZoneInfo(declared.zone) if declared.zone else zone)

    def in_range(text: str) -> Moment:
        moment = read(text)
        if not EARLIEST_US <= moment.us < LATEST_US:
            raise ValueProblem(f"{quoted(text)} lies outside 1970 to 2199", "correct the time or its format")
        return moment

    return in_range


def _typed_columns(
    source: Source, table: pa.Table, zone: ZoneInfo, faults: Faults, lacking: Collection[str]
) -> pa.Table:
    typed: dict[str, pa.ChunkedArray] = {}
    for name, column in carried_columns(source).items():
        heading = column.source_name or name
        if set(column.product or [heading]) & set(lacking):
            typed[name] = pa.chunked_array([pa.nulls(table.num_rows, column_type(column))])
            continue
        if column.product:
            typed[name] = _product(name, column, table, faults)
        elif heading not in table.column_names and is_optional(source, name):
            typed[name] = pa.chunked_array([pa.nulls(table.num_rows, column_type(column))])
        else:
            typed[name] = _column(name, column, table[heading], zone, faults)
        if column.required:
            missing = typed[name].is_null().to_numpy()
            faults.add_rows(missing, f"{name}: a required value is missing", "fill it")
    return pa.table(typed)


def _column(
    name: str, column: Column, raw: pa.ChunkedArray, zone: ZoneInfo, faults: Faults
) -> pa.ChunkedArray:
    if column.type == "text":
        if column.allowed is not None:
            _check_texts(name, column, encode(raw), faults)
        return raw
    encoded = encode(raw)
    parsed = parse_each(encoded.texts, column_reader(column, zone))
    faults.add_codes(name, encoded.codes, parsed.problems, len(encoded.texts))
    return _with_nulls(np.append(parsed.numbers, 0)[encoded.codes], encoded.codes < 0)


def _check_texts(name: str, column: Column, encoded: Codes, faults: Faults) -> None:
    def allowed(text: str) -> int:
        check_text(text, column)
        return 0

    problems = parse_each(encoded.texts, allowed).problems
    faults.add_codes(name, encoded.codes, problems, len(encoded.texts))


def _with_nulls(numbers: Int64s, null: NDArray[np.bool_]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(numbers, type=pa.int64(), mask=null)])


def _product(name: str, column: Column, table: pa.Table, faults: Faults) -> pa.ChunkedArray:
    """Multiply file columns exactly, once for each different combination; null if a factor is null."""
    factors: list[list[Exact | None]] = []
    columns: list[Int64s] = []
    combined = np.zeros(table.num_rows, dtype=np.int64)
    null = np.zeros(table.num_rows, dtype=bool)
    for heading in column.product or []:
        encoded = encode(table[heading])
        exact, problems = _exact(encoded.texts)
        faults.add_codes(heading, encoded.codes, problems, len(encoded.texts))
        factors.append([*exact, None])
        columns.append(encoded.codes)
        null |= encoded.codes < 0
        # Numbered anew after each factor, so that the combined code stays below rows x texts.
        combined = combined * (len(encoded.texts) + 1) + encoded.codes + 1
        combined = np.unique(combined, return_inverse=True)[1].astype(np.int64)
    _, first, code = np.unique(combined, return_index=True, return_inverse=True)
    rows = np.stack([codes[first] for codes in columns], axis=1)
    parsed = multiply(factors, rows, column)
    faults.add_codes(name, code, parsed.problems, len(first))
    return _with_nulls(parsed.numbers[code], null)


def _exact(texts: list[str]) -> tuple[list[Exact | None], dict[int, ValueProblem]]:
    exact: list[Exact | None] = []
    problems: dict[int, ValueProblem] = {}
    for code, text in enumerate(texts):
        try:
            exact.append(parse_number(text))
        except ValueProblem as problem:
            exact.append(None)
            problems[code] = problem
    return exact, problems


def check_keys(source: Source, table: pa.Table, faults: Faults) -> tuple[Int64s, Int64s]:
    """Return the keys as (high, low), marking rows whose key is missing or unreadable."""
    parts = [table[heading] for heading in source.key]
    named = ", ".join(source.key)
    faults.add_rows(_all_null(parts), f"{named}: the key is missing", "fill it")
    if not is_whole_key(source):
        for heading, column in zip(source.key, parts, strict=True):
            if not source.occurrence:  # there a key is what a line says, whatever that is
                check_names(heading, column, faults)
        return text_keys(parts, source.occurrence)
    high, low, codes, problems = whole_keys(parts[0])
    faults.add_codes(named, codes, problems, int(codes.max(initial=-1)) + 1)
    return high, low


def _customers(
    source: Source, sources: Mapping[str, Source], table: pa.Table, faults: Faults
) -> tuple[list[pa.ChunkedArray], pa.ChunkedArray, tuple[Int64s, Int64s]]:
    """Return the references as "type:value", or the parent as "source:key" with its key."""
    rows = table.num_rows
    none = np.zeros(rows, dtype=np.int64)
    if source.via is None:
        for heading in dict.fromkeys(ref.column for ref in source.references):
            check_names(heading, table[heading], faults)
        return (
            [_prefixed(ref.type, table[ref.column]) for ref in source.references],
            nothing(rows),
            (none, none),
        )
    column = table[source.via.column]
    if not is_whole_key(sources[source.via.source]):
        check_names(source.via.column, column, faults)
    high, low, codes, problems = parent_keys(sources[source.via.source], column)
    faults.add_codes(source.via.column, codes, problems, int(codes.max(initial=-1)) + 1)
    return [], _prefixed(source.via.source, column), (high, low)


def parent_keys(
    parent: Source, column: pa.ChunkedArray
) -> tuple[Int64s, Int64s, Int64s, dict[int, ValueProblem]]:
    """Return (high, low, codes, problems by code) of the keys by which rows name their parent."""
    if is_whole_key(parent):
        return whole_keys(column)
    high, low = text_keys([column], occurrence=False)
    return high, low, np.zeros(len(column), dtype=np.int64), {}


def _prefixed(kind: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    joined = pc.binary_join_element_wise(pa.scalar(kind, TEXT), column, pa.scalar(":", TEXT))
    return joined if isinstance(joined, pa.ChunkedArray) else pa.chunked_array([joined])
