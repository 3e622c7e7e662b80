"""Payloads with and without the schema that JsonConverter writes beside them (schemas.enable)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw

from streams.cdc.fields import Field
from streams.cdc.message_key import read_schema
from streams.cdc.reading import read_tree
from streams.cdc.rows import Row

_BARE = (b'{"before":', b'{"after":', b'{"op":')  # envelopes as converters write them without a schema
_MOST_SCHEMAS = 256  # a stream has one for each version of its table; beyond it somebody else is writing


class _Wrapped(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    schema: Raw = Raw(b"")
    payload: Raw = Raw(b"")


class Readers:
    """How the rows of one schema (None: of no schema) are read."""

    def __init__(self, fields: Sequence[Field], keys: Sequence[Field], schema: Any) -> None:
        typed = read_schema(schema)
        if typed is not None and typed.child("op"):  # an envelope: the row's schema stands inside
            typed = typed.child("after") or typed.child("before")
        self.row = Row(fields, typed, base64_decimals=True)
        self.key = Row(keys, typed, base64_decimals=True)


class Payloads:
    """Takes payloads out of their wrapping. A stream repeats its schema: it is compared, not parsed."""

    def __init__(self, fields: Sequence[Field], keys: Sequence[Field]) -> None:
        self._fields, self._keys = fields, keys
        self._plain = Readers(fields, keys, None)
        self._of_schema: dict[bytes, Readers] = {}
        self._prefix, self._prefixed = b"", self._plain
        self._wrapped = msgspec.json.Decoder(_Wrapped)

    def unwrap(self, value: bytes) -> tuple[bytes | Raw, Readers]:
        """Return the payload, perhaps with what does not belong to it, and how its rows are read.

        Where the payload then turns out to be no JSON, ``parse`` tells. Raises Refused or msgspec's errors.
        """
        prefix = self._prefix
        # If what lies between the known beginning and the last brace is one JSON value, and the decoder
        # will see to that, then the whole is an object of that schema and that payload.
        if prefix and value.startswith(prefix) and value[-1] == ord("}"):
            return value[len(prefix) : -1], self._prefixed
        if value.startswith(_BARE):
            return value, self._plain
        return self.parse(value)

    def parse(self, value: bytes) -> tuple[bytes | Raw, Readers]:
        """Return the payload and how its rows are read. Raises Refused or msgspec's errors."""
        if b'"payload"' not in value:
            return value, self._plain
        try:
            both = self._wrapped.decode(value)
        except msgspec.ValidationError:  # a row with such a column, or no object at all
            return value, self._plain
        schema, payload = bytes(both.schema), bytes(both.payload)
        if not payload:
            return value, self._plain
        readers = self._readers(schema)
        if value.endswith(payload + b"}"):
            self._prefix, self._prefixed = value[: -len(payload) - 1], readers
        return both.payload, readers

    def _readers(self, schema: bytes) -> Readers:
        readers = self._of_schema.get(schema) if schema else self._plain
        if readers is None:
            if len(self._of_schema) >= _MOST_SCHEMAS:
                self._of_schema.clear()
            readers = self._of_schema[schema] = Readers(self._fields, self._keys, read_tree(schema))
        return readers
