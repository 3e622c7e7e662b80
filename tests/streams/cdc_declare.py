"""Declares a source for a message by looking at it with another reader, as its owner would."""

from __future__ import annotations

import json
from typing import Any

from streams.contract.source import Source

_KEYS = ("id", "_id", "ID", "order_id", "order_number", "k", "k1", "k2", "v1", "account_id", "L_ORDERKEY")
_BY_SCHEMA = {"Decimal": "decimal", "VariableScaleDecimal": "decimal", "Date": "date"}
_TIMES = ("Timestamp",)
_MYSQL = (
    ("tinyint(1)", "bool"), ("boolean", "bool"), ("decimal", "decimal"), ("numeric", "decimal"),
    ("float", "decimal"), ("double", "decimal"), ("datetime", "time"), ("timestamp", "time"),
    ("date", "date"), ("bigint", "int"), ("int", "int"),
)  # fmt: skip


def parsed(value: bytes | None) -> Any:
    """Return the JSON of a message, None where it is none."""
    try:
        return json.loads(value or b"null")
    except (ValueError, RecursionError):
        return None


def _payload(message: bytes | None) -> Any:
    tree = parsed(message)
    if isinstance(tree, dict) and "payload" in tree and tree.keys() <= {"schema", "payload"}:
        return tree["payload"]
    return tree


def row_of(form: str, key: bytes | None, value: bytes | None) -> dict[str, Any]:
    """Return a row that the message is about: new, else old, else its key, else the message itself."""
    tree = _payload(value)
    if not isinstance(tree, dict):
        keyed = _payload(key)
        return keyed if isinstance(keyed, dict) else {}
    if (
        form == "debezium"
        and not (tree.get("after") or tree.get("before"))
        and "collection" in (tree.get("source") or {})
    ):
        return {"_id": None}
    if form in ("canal", "maxwell"):
        found = tree.get("data")
        found = found[0] if isinstance(found, list) and found else found
    else:
        found = tree.get("after") or tree.get("before") or (tree if "op" not in tree else None)
    found = parsed(found.encode()) if isinstance(found, str) else found
    return found if isinstance(found, dict) else {}


def _types(form: str, value: bytes | None) -> dict[str, str]:
    """Return the type that the message gives each column, as far as it does."""
    tree = parsed(value)
    if form == "canal":
        types = tree.get("mysqlType") or {} if isinstance(tree, dict) else {}
        return {name: _mysql_type(kind) for name, kind in types.items()}
    schema = tree.get("schema") if isinstance(tree, dict) else None
    fields = (schema or {}).get("fields", []) if isinstance(schema, dict) else []
    inner = [
        field["fields"] for field in fields if field.get("field") in ("after", "before") and "fields" in field
    ]
    return {
        field["field"]: kind
        for field in (inner[-1] if inner else fields)
        if "field" in field and (kind := _schema_type(field)) is not None
    }


def _mysql_type(kind: Any) -> str:
    return next((ours for theirs, ours in _MYSQL if str(kind).lower().startswith(theirs)), "text")


def _schema_type(field: dict[str, Any]) -> str | None:
    name = str(field.get("name") or "").rpartition(".")[2]
    if name in _BY_SCHEMA:
        return _BY_SCHEMA[name]
    if name.endswith(_TIMES):
        return "time"
    return {"boolean": "bool", "double": "decimal", "float": "decimal", "string": "text"}.get(
        str(field.get("type"))
    )


def _json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return {int: "int", float: "decimal"}.get(type(value), "text")


def declare(form: str, key: bytes | None, value: bytes | None, typed: bool, **more: Any) -> Source:
    """Return a source with all columns of the message, as text or with the types it shows.

    more: type to what else its columns declare.
    """
    row = row_of(form, key, value)
    keys = [name for name in _KEYS if name in row][:1] or list(row)[:1] or ["id"]
    types = _types(form, value) if typed else {}
    columns: dict[str, Any] = {}
    for at, (name, cell) in enumerate(row.items()):
        kind = (types.get(name) or _json_type(cell)) if typed and name not in keys else "text"
        columns[f"c{at}"] = {"type": kind, "from": name, **more.get(kind, {})}
        if kind == "decimal":
            columns[f"c{at}"].setdefault("scale", 2)
    return Source.model_validate(
        {
            "name": "fixture", "format": {"type": form}, "key": keys, "columns": columns,
            "event_time": {"column": "no_such_time"}, "references": [{"type": "id", "column": keys[0]}],
        }
    )  # fmt: skip
