"""What becomes of every message beside the repository: ``python -m tests.streams.cdc_outcomes`` writes it.

The table is checked in as ``cdc_outcomes.csv`` and read by eye: a refusal must be right, not convenient.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from streams.cdc.change import Counted, Decoded, Refused, RowChange
from streams.cdc.open import open_decoder
from streams.contract.numbers import ValueProblem
from streams.contract.source import Source
from streams.contract.values import column_reader
from tests.streams.cdc_declare import declare
from tests.streams.cdc_fixtures import Fixture, fixtures

TABLE = Path(__file__).with_name("cdc_outcomes.csv")
_MALFORMED = re.compile(r" \(.*\)(?=: check the converter)")
HEADINGS = ("file", "number", "form", "outcome", "table", "columns", "key", "position", "typed", "settled")
SETTLED: dict[str, Any] = {"decimal": {"round": "half_even", "scale": 6}, "time": {"zone": "Asia/Shanghai"}}


def outcome(fixture: Fixture) -> tuple[str, ...]:
    """Return one line: what the message becomes with all columns as text, and with typed ones.

    typed: with nothing said of zones and floating-point numbers. settled: with both said, and what the
    contract then says of the values.
    """
    plain = _told(fixture, declare(fixture.form, fixture.key, fixture.value, typed=False))
    typed = _told(fixture, declare(fixture.form, fixture.key, fixture.value, typed=True))
    settled = _told(
        fixture, declare(fixture.form, fixture.key, fixture.value, typed=True, **SETTLED), checked=True
    )
    shown = ["same" if told == plain else told[0] for told in (typed, settled)]
    return (fixture.file, str(fixture.number), fixture.form, *plain, *shown)


def _told(fixture: Fixture, source: Source, checked: bool = False) -> tuple[str, str, str, str, str]:
    try:
        decoded = open_decoder(source).decode(fixture.key, fixture.value)
    except Refused as refused:
        # What msgspec says of malformed JSON in brackets is not ours to fix.
        return f"refused: {_MALFORMED.sub('', str(refused))}", "", "", "", ""
    problem = _broken(source, decoded) if checked and isinstance(decoded, tuple) else None
    return (f"contract: {problem}", "", "", "", "") if problem else _short(decoded, source.key)


def _broken(source: Source, changes: tuple[RowChange, ...]) -> str | None:
    """Return what the contract says of the first value that breaks it."""
    for column in source.columns.values():
        for change in changes:
            text = change.values.get(column.source_name or "")
            if text is not None and column.type != "text":
                try:
                    column_reader(column, ZoneInfo("UTC"))(text)
                except ValueProblem as problem:
                    return f"{column.source_name}: {problem.problem}"
    return None


def _short(decoded: Decoded, keys: list[str]) -> tuple[str, str, str, str, str]:
    if isinstance(decoded, Counted):
        return f"counted: {decoded.kind}", "", "", "", ""
    first = decoded[0] if decoded else None
    return (
        " ".join(change.op for change in decoded) or "no row",
        first.table if first else "",
        str(len(first.values)) if first else "",
        " ".join(_key(change, keys) for change in decoded),
        _position(first) if first else "",
    )


def kind_of(decoded: Decoded) -> str:
    """Return what a message is counted as; ``rows`` where it holds some."""
    return decoded.kind if isinstance(decoded, Counted) else "rows"


def _key(change: RowChange, keys: list[str]) -> str:
    held = change.key_values or change.values
    return "/".join(str(held[name]) for name in keys)


def _position(change: RowChange) -> str:
    return "" if change.position is None else f"{change.position}{'' if change.exact else '~'}"


def lines() -> Iterator[tuple[str, ...]]:
    """Yield one line for each message."""
    for fixture in fixtures():
        yield outcome(fixture)


def main() -> None:
    """Write the table anew."""
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADINGS)
        writer.writerows(lines())


if __name__ == "__main__":
    main()
