"""What the catalogue says of items, from a file or from the newest rows of a source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import numpy as np

from sinks.recommendations.declaration import Catalogue
from sinks.recommendations.model import UNKNOWN_MARGIN, Facts
from sinks.recommendations.reading import Reading
from streams.contract.source import FileFormat, Source
from streams.decode.open import open_file
from streams.errors import InputError

_LARGEST = 100_000_00  # hundredths of a percent, of a margin
_NONE = ("", "0", "false", "no", "否")
Row = Mapping[str, str]  # column to text, "" where there is nothing


def columns_of(catalogue: Catalogue) -> list[str]:
    """Return the columns that a catalogue names besides the item's, each once."""
    named = [*catalogue.title.values()]
    named += [getattr(catalogue, one) for one in ("category", "price", "stock", "margin", "image", "link")]
    return list(dict.fromkeys(name for name in named if name))


def read_file(path: Path, catalogue: Catalogue) -> dict[str, Row]:
    """Return item to its row; of rows of one item the last counts. Raises InputError."""
    names = columns_of(catalogue)
    decoder = open_file(path, FileFormat(), [catalogue.item, *names], [catalogue.item])
    found: dict[str, Row] = {}
    for chunk in decoder.chunks():
        if chunk.malformed:
            wrong = chunk.malformed[0]
            raise InputError(f"{path}:{wrong.line}", wrong.problem, wrong.hint)
        items = chunk.table[catalogue.item].to_pylist()
        columns = [chunk.table[name].to_pylist() for name in names]
        for line, item, *values in zip(chunk.lines.tolist(), items, *columns, strict=True):
            if item is None:
                raise InputError(f"{path}:{line}", f"'{catalogue.item}' is empty", "fill it")
            found[item] = {name: value or "" for name, value in zip(names, values, strict=True)}
    return found


def read_source(reading: Reading, catalogue: Catalogue, source: Source) -> dict[str, Row]:
    """Return item to the newest values of its columns, as they are written."""
    names = columns_of(catalogue)
    write = [_writer(source.columns[name].type == "decimal", source.columns[name].scale) for name in names]
    return {
        item: {name: how(value) for name, how, value in zip(names, write, values, strict=True)}
        for item, values in reading.newest_of_items(catalogue.source, catalogue.item, names).items()
    }


def facts_of(rows: Mapping[str, Row], catalogue: Catalogue, items: Sequence[str], where: str) -> Facts:
    """Return what a catalogue says of a model's items. Raises InputError for a margin that is no number."""
    mine = [rows.get(item, {}) for item in items]
    named = [row.get(catalogue.category, "") for row in mine]
    categories = sorted({name for name in named if name})
    place = {name: at for at, name in enumerate(categories)}
    return Facts(
        np.array([item in rows for item in items], np.bool_),
        [{language: row[column] for language, column in catalogue.title.items() if row.get(column)}
         for row in mine],
        categories, np.array([place.get(name, -1) for name in named], np.int32),
        np.array([_stock(row.get(catalogue.stock, "")) for row in mine], np.int32),
        np.array([_margin(row.get(catalogue.margin, ""), where, item)
                  for item, row in zip(items, mine, strict=True)], np.int32),
        *([row.get(getattr(catalogue, one), "") for row in mine] for one in ("price", "image", "link")),
    )  # fmt: skip


def _writer(is_decimal: bool, scale: int) -> Callable[[Any], str]:
    """Return what writes a stored value as text: money in its units, None as nothing."""
    if is_decimal:
        return lambda value: "" if value is None else str(Decimal(value).scaleb(-scale))
    return lambda value: "" if value is None else str(value)


def _stock(text: str) -> int:
    """Return 1 for some, 0 for none, -1 where it is not known.

    >>> _stock("12"), _stock("0"), _stock("-3"), _stock("false"), _stock("")
    (1, 0, 0, 0, -1)
    """
    said = text.strip().lower()
    if not said:
        return -1
    try:
        return int(Decimal(said) > 0)
    except InvalidOperation:
        return int(said not in _NONE)


def _margin(text: str, where: str, item: str) -> int:
    if not text.strip():
        return UNKNOWN_MARGIN
    try:
        margin = int(Decimal(text.strip().removesuffix("%")) * 100)
    except (InvalidOperation, ValueError, OverflowError):
        margin = _LARGEST + 1
    if abs(margin) > _LARGEST:
        problem = f"the margin of '{item}', '{text[:40]}', is no percent"
        raise InputError(where, problem, "write a number, such as 12.5")
    return margin
