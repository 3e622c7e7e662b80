"""Finds the separator of a CSV file from its first records."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection

from streams.errors import InputError

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SAMPLE_BYTES = 65536
_SAMPLE_ROWS = 50


def first_records(data: bytes, separator: str) -> list[list[str]]:
    """Return up to 50 records from the beginning of UTF-8 CSV text (the last may be cut short)."""
    text = data[:_SAMPLE_BYTES].decode("utf-8", errors="ignore")  # the sample may cut a letter in two
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=False)
    records: list[list[str]] = []
    for record in reader:
        records.append(record)
        if len(records) == _SAMPLE_ROWS:
            break
    return records


def check_separator(declared: str, where: str) -> str:
    """Return the sign that a declaration means. Raises InputError if it is no single ASCII character."""
    named = {name: sign for sign, name in SEPARATORS.items()} | {"\\t": "\t", "auto": ","}
    sign = named.get(declared, declared)
    if len(sign) != 1 or not sign.isascii() or sign in "\r\n\"\0":
        raise InputError(
            where, f"'{declared}' is no separator", "write one character, or comma, semicolon, tab"
        )
    return sign


def find_separator(data: bytes, declared: str, wanted: Collection[str], where: str) -> str:
    """Return the separator: the declared one, or the one under which the headings make most sense.

    The candidate that yields most of the ``wanted`` headings wins; then the one with the largest share
    of rows as long as the heading line; then the one with most columns. Raises InputError for a
    declared separator that is no single ASCII character.
    """
    if declared != "auto":
        return check_separator(declared, where)
    return max(SEPARATORS, key=lambda sign: _fit(first_records(data, sign), wanted))


def _fit(records: list[list[str]], wanted: Collection[str]) -> tuple[int, float, int]:
    if not records:
        return 0, 0.0, 0
    headings = records[0]
    rows = [record for record in records[1:-1] if record]
    even = sum(1 for row in rows if len(row) == len(headings))
    share = even / len(rows) if rows and len(headings) > 1 else 0.0
    return len(set(headings) & set(wanted)), share, len(headings)
