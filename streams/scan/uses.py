"""What a source wants of each cell: its key, its references, its event time and its columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from streams.cdc.declared import declared_reader
from streams.cdc.fields import Field, wanted_fields
from streams.contract.check import event_time_reader
from streams.contract.columns import carried_columns
from streams.contract.keys import is_whole_key, whole_key
from streams.contract.moments import CLEAR, MINUTE_US
from streams.contract.names import check_name
from streams.contract.numbers import LIMIT, ValueProblem
from streams.contract.source import Column, Source
from streams.contract.values import check_text, column_reader
from streams.scan.envelope import DIGITS, MOMENT, NUMBER, SPAN, TOKEN
from streams.scan.settle import COLUMN, KEY, MOST_USES, REFERENCE

EVENT_TIME, ROW_KEY = "!event time", "!key"  # names of uses beside columns and "!reference 0", ...
_WIDEST = 2**63 - 1


@dataclass(frozen=True)
class Use:
    """One use of a cell. meaning: from the cell's text to a whole number, None where the text itself is
    meant.

    unit: what a moment of the cell (UTC microseconds) is divided by. form, scale, low, high: which texts the
    scanner may turn into numbers by itself (`streams.scan.envelope`).
    """

    name: str
    field: Field
    purpose: int
    meaning: Callable[[str], int] | None
    form: int = TOKEN
    scale: int = 0
    low: int = -_WIDEST
    high: int = _WIDEST
    unit: int = 1
    required: bool = False
    check: Callable[[str], None] | None = None

    def reader(self) -> Callable[[Any], str | None]:
        """Return the reader of the cell's JSON values, which are not null."""
        return declared_reader(self.field, base64_decimals=True)


def uses_of(source: Source, zone: ZoneInfo) -> list[Use] | None:
    """Return the uses; None for a source whose messages only the general decoder reads."""
    simple = source.kind == "rows" and source.via is None and not source.occurrence and len(source.key) == 1
    if source.format.type != "debezium" or not simple or source.event_time.column is None:
        return None
    if any(column.product for column in source.columns.values()):
        return None
    fields = {field.heading: field for field in wanted_fields(source)}
    if fields.keys() & {"op", "before", "after", "source"} or len(fields) > MOST_USES // 2:
        return None  # the first: a flattened row of it might look like an envelope
    uses = [_event_time(source, fields[source.event_time.column], zone)]
    if is_whole_key(source):
        field = fields[source.key[0]]
        uses.append(Use(ROW_KEY, field, KEY, whole_key, _digits_form(field), required=True))
    only = len(source.references) == 1 and not source.skip_without_customer
    for at, reference in enumerate(source.references):
        field = fields[reference.column]
        uses.append(Use(f"!reference {at}", field, REFERENCE, None, required=only, check=check_name))
    for name, column in carried_columns(source).items():
        uses.append(_column(name, column, fields[column.source_name or name], zone))
    return uses


def _event_time(source: Source, field: Field, zone: ZoneInfo) -> Use:
    read = event_time_reader(source, zone)

    def clear(text: str) -> int:
        moment = read(text)
        if moment.oddity != CLEAR:  # such times are counted
            raise ValueProblem("an unclear local time", "see the general decoder")
        return moment.us

    return Use(EVENT_TIME, field, COLUMN, clear, _moment_form(field), required=True)


def _column(name: str, column: Column, field: Field, zone: ZoneInfo) -> Use:
    if column.type == "text":
        return Use(name, field, COLUMN, None, required=column.required,
                   check=lambda text: check_text(text, column))  # fmt: skip
    meaning = column_reader(column, zone)
    if column.type in ("int", "decimal") and column.allowed is None:
        low = -LIMIT if column.minimum is None else max(column.minimum, -LIMIT)
        high = LIMIT if column.maximum is None else min(column.maximum, LIMIT)
        scale = column.scale if column.type == "decimal" else 0
        return Use(name, field, COLUMN, meaning, _digits_form(field), scale, low, high, 1, column.required)
    if column.type == "time" and not (column.allowed or column.minimum or column.maximum):
        form = _moment_form(field) if column.format is None else TOKEN
        return Use(name, field, COLUMN, meaning, form, unit=MINUTE_US, required=column.required)
    return Use(name, field, COLUMN, meaning, required=column.required)


def _digits_form(field: Field) -> int:
    if field.kind != "number":
        return TOKEN
    return {None: NUMBER, "text": DIGITS, "number": DIGITS}.get(field.wire, TOKEN)


def _moment_form(field: Field) -> int:
    plain = field.kind == "time" and field.format is None and field.wire in (None, "text")
    return MOMENT if plain else TOKEN


def cells_of(headings: Sequence[str], uses: Sequence[Use], keys: Sequence[str]) -> list[list[int]]:
    """Return one line of ``cells`` for each heading: as all of its uses allow it."""
    cells = []
    for heading in headings:
        own = [use for use in uses if use.field.heading == heading]
        agreed = {(use.form, use.scale) for use in own}
        form, scale = agreed.pop() if len(agreed) == 1 else (TOKEN, 0)
        low, high = max((use.low for use in own), default=0), min((use.high for use in own), default=0)
        if not own:  # a key that is hashed: where it stands is all
            form = SPAN
        required = any(use.required for use in own)
        cells.append([form, scale, low, high, heading in keys, required])
    return cells
