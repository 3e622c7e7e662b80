"""The key of a message: which row it is about, where its value does not say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from streams.cdc.change import Refused
from streams.cdc.fields import Field
from streams.cdc.reading import malformed, read_tree
from streams.cdc.rows import Row, Values
from streams.cdc.schema import Schema


def key_values(key: bytes, fields: Sequence[Field]) -> Values:
    """Return the declared key columns that a message key holds. Raises Refused.

    The key is an object of columns, with or without schema, or the bare value of a key of one column.
    """
    tree = read_tree(key)
    schema = None
    if isinstance(tree, dict) and tree.keys() == {"schema", "payload"}:
        schema, tree = read_schema(tree["schema"]), tree["payload"]
    if not isinstance(tree, dict):
        tree = {fields[0].heading: tree} if len(fields) == 1 else {}
    values, _ = Row(fields, schema, base64_decimals=True).read_object(tree)
    return values


def document_id(key: bytes) -> Any:
    """Return the ``_id`` in the key of a MongoDB message, as JSON. Raises Refused."""
    tree = read_tree(key)
    if isinstance(tree, dict) and tree.keys() == {"schema", "payload"}:
        tree = tree["payload"]
    if not isinstance(tree, dict) or not ({"id", "_id"} & tree.keys()):
        raise Refused("the message key holds no id", "keep the connector's own key")
    found = tree["id"] if "id" in tree else tree["_id"]
    if not isinstance(found, str):
        return found
    try:
        return read_tree(found.encode())
    except Refused:
        return found  # a bare text, as ExtractNewDocumentState writes it


def read_schema(tree: Any) -> Schema | None:
    """Return the schema that stands beside a payload; none where it was left out. Raises Refused."""
    if not tree:
        return None
    try:
        return msgspec.convert(tree, Schema)
    except (msgspec.ValidationError, RecursionError) as error:
        raise malformed(error) from None
