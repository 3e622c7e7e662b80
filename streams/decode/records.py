"""Cuts CSV text at ends of records, so that no quoted field is torn."""

from __future__ import annotations

import re
from collections.abc import Iterator

from streams.errors import InputError


def cut_records(data: bytes, separator: str, size: int, where: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of blocks of about ``size`` bytes that end with a record.

    A quote opens a field only at the field's first byte (RFC 4180); within it line breaks are text.
    Raises InputError where a quoted field never ends.
    """
    quoted = _quoted_field(separator)
    start = 0
    while start < len(data):
        end = _end_of_block(data, start, size, quoted, where)
        yield start, end
        start = end


def _quoted_field(separator: str) -> re.Pattern[bytes]:
    before = re.escape(separator.encode())
    # The literal quote comes first so that the search skips to quotes; the look-behind then asks
    # whether the quote stands at the first byte of a field. The last group is empty if it never closes.
    return re.compile(rb'"(?<![^' + before + rb'\r\n]")[^"]*+(?:""[^"]*+)*+("|\Z)')


def _end_of_block(data: bytes, start: int, size: int, quoted: re.Pattern[bytes], where: str) -> int:
    """Return the end of the last whole record within ``size`` bytes, looking further if there is none."""
    while True:
        stop = start + size
        if stop >= len(data):
            _refuse_open_field(data, start, quoted, where)
            return len(data)
        end = _last_line_end(data, start, stop, quoted)
        if end > start:
            return end
        size *= 2


def _last_line_end(data: bytes, start: int, stop: int, quoted: re.Pattern[bytes]) -> int:
    """Return the place behind the last line break outside quotes in data[start:stop], or ``start``."""
    end, behind = start, start
    if data.find(b'"', start, stop) >= 0:
        for field in quoted.finditer(data[start:stop]):
            end = max(end, _line_end(data, behind, start + field.start()))
            behind = start + field.end()
            if behind == stop:  # may go on beyond, or be half of a doubled quote
                return end
    return max(end, _line_end(data, behind, stop))


def _line_end(data: bytes, low: int, high: int) -> int:
    """Return the place behind the last line break in data[low:high], or 0."""
    feed = data.rfind(b"\n", low, high)
    if feed >= 0:
        return feed + 1
    # A carriage return at the very end may be the first half of CR LF: leave it to the next block.
    return data.rfind(b"\r", low, high - 1) + 1


def _refuse_open_field(data: bytes, start: int, quoted: re.Pattern[bytes], where: str) -> None:
    if data.find(b'"', start) < 0:
        return
    for field in quoted.finditer(data[start:]):
        if not field[1]:
            line = count_lines(data[: start + field.start()]) + 1
            raise InputError(
                f"{where}:{line}",
                "a quoted field begins here and never ends",
                "close it with a quote, or double a quote that is text",
            )


def count_lines(data: bytes) -> int:
    """Return the number of line ends (LF, CR LF or CR) in the text."""
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")
