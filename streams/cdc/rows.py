"""A row inside a message: only the columns that the source reads, as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from streams.cdc.change import Refused
from streams.cdc.declared import Reader, declared_reader, name_of, text_of
from streams.cdc.fields import Field
from streams.cdc.schema import Schema, schema_reader
from streams.cdc.unavailable import TEXTS, is_unavailable
from streams.contract.numbers import ValueProblem

Values = dict[str, str | None]


def row_type(name: str, headings: Sequence[str]) -> type[msgspec.Struct]:
    """Return a struct that keeps these columns of a JSON object, each unset where it is absent."""
    fields = [(f"f{at}", Any, UNSET) for at in range(len(headings))]
    rename = {f"f{at}": heading for at, heading in enumerate(headings)}
    return msgspec.defstruct(name, fields, rename=rename, gc=False)


def readers_of(fields: Iterable[Field], schema: Schema | None, base64_decimals: bool) -> list[Reader]:
    """Return the reader of each field: by the message's schema where that tells, else by declaration."""
    readers = []
    for field in fields:
        typed = schema.child(field.heading) if schema is not None else None
        if typed is not None and typed.type is not None:
            readers.append(schema_reader(field, typed))
        else:
            readers.append(declared_reader(field, base64_decimals))
    return readers


class Row:
    """The columns of one kind of row (with or without a schema) and how each is read."""

    def __init__(
        self, fields: Sequence[Field], schema: Schema | None = None, base64_decimals: bool = False
    ) -> None:
        self._names = [field.heading for field in fields]
        self._readers = readers_of(fields, schema, base64_decimals)
        self._are_text = [reader in (text_of, name_of) for reader in self._readers]
        self._optional = frozenset(field.heading for field in fields if field.optional)

    def read(self, cells: Iterable[Any]) -> tuple[Values, list[str]]:
        """Return (values, missing) of the cells, one for each field. Raises Refused."""
        values: Values = {}
        missing: list[str] = []
        name = ""
        try:
            # zip may be longer on the side of the cells: a flattened row's metadata stand behind its columns.
            columns = zip(self._names, self._are_text, self._readers, cells, strict=False)
            for name, is_text, reader, cell in columns:
                if cell is None:
                    values[name] = None
                elif type(cell) is str:
                    if cell in TEXTS:
                        missing.append(name)
                    else:  # the commonest cases without a call
                        values[name] = (cell or None) if is_text else reader(cell)
                elif type(cell) is int:
                    values[name] = str(cell) if is_text else reader(cell)
                elif cell is UNSET or is_unavailable(cell):
                    missing.append(name)
                else:
                    values[name] = reader(cell)
        except ValueProblem as problem:
            raise Refused(f"column '{name}': {problem.problem}", problem.hint) from None
        if missing and self._optional:
            missing = [name for name in missing if name not in self._optional]
        return values, missing

    def read_object(self, cells: dict[str, Any]) -> tuple[Values, list[str]]:
        """Return (values, missing) of a JSON object. Raises Refused."""
        return self.read([cells.get(name, UNSET) for name in self._names])
