"""Rows of a timeline as a file would hold them: every column of the source, as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from app.timelines.timeline import Cell, Row
from streams.contract.columns import carried_columns, file_columns, is_optional
from streams.contract.source import EventTime, Source

TextRow = dict[str, str | None]
_PER_MINUTE = {"epoch_s": 60, "epoch_ms": 60_000, "epoch_us": 60_000_000}


def known_columns(source: Source) -> list[str]:
    """Return the columns that a file of this source may have, each once.

    >>> known_columns(Source(key=["id"], event_time=EventTime(column="at")))
    ['id', 'at']
    """
    optional = [name for name in carried_columns(source) if is_optional(source, name)]
    return [*file_columns(source), *optional]


def unknown_columns(source: Source, row: Row) -> list[str]:
    """Return the columns of a timeline's row that no file of this source has."""
    known = set(known_columns(source))
    return [name for name in row if name not in known]


def file_row(source: Source, row: Row, minute: int, zone: str) -> TextRow:
    """Return the whole row: cells that are not given are empty, the event time is the step's minute
    (the parent's where that dates the rows).

    minute: epoch minute of the step; zone: the shop's zone, in which local times of a file are meant.
    """
    cells = {name: _text(row.get(name)) for name in known_columns(source)}
    event_time = source.event_time
    if event_time.column is not None and event_time.column not in row:
        cells[event_time.column] = write_event_time(event_time, minute, zone)
    return cells


def write_event_time(event_time: EventTime, minute: int, zone: str) -> str:
    """Write an epoch minute in the form in which the source's file holds event times.

    >>> write_event_time(EventTime(column="at"), 2890, "Asia/Shanghai")
    '1970-01-03 08:10:00'
    >>> write_event_time(EventTime(column="at", format="epoch_s"), 2890, "UTC")
    '173400'
    """
    if event_time.format in _PER_MINUTE:
        return str(minute * _PER_MINUTE[event_time.format])
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    local = moment.astimezone(ZoneInfo(event_time.zone or zone))
    return local.strftime(event_time.format or "%Y-%m-%d %H:%M:%S")


def _text(cell: Cell) -> str | None:
    if cell is None:
        return None
    return str(cell).lower() if isinstance(cell, bool) else str(cell)
