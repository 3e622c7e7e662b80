"""Messages that are no row: what a feed sends beside its rows, and what is of another format."""

from __future__ import annotations

from collections.abc import Collection, Set
from typing import Any, Literal

from streams.cdc.change import Counted, Refused

TOMBSTONE = Counted("tombstone")
HEARTBEAT = Counted("heartbeat")
TRANSACTION = Counted("transaction")
SCHEMA_CHANGE = Counted("schema change")
MESSAGE = Counted("message")
NOTIFICATION = Counted("notification")
SIGNAL = Counted("signal")
BOOTSTRAP = Counted("bootstrap")
OTHER_TABLE = Counted("other table")

# Names at whose sight a flattened row is looked at twice: they stand in messages that are no row.
TELLTALES = (
    "event_count", "aggregate_type", "ddl", "op_type", "metadata", "specversion", "isDdl", "xid", "op",
)  # fmt: skip
_CLOCKS = {"ts_ms", "ts_us", "ts_ns"}
_TRANSACTION = {"status", "id", "event_count", "data_collections"}
_NOTIFICATION = {"id", "aggregate_type", "type", "additional_data", "timestamp"}
_UNMISTAKABLE = (HEARTBEAT, TRANSACTION, SCHEMA_CHANGE)


def truncated(table: str) -> Refused:
    """Return the refusal of a truncate: which rows are gone is not in the message."""
    return Refused(
        f"table {table or '(unnamed)'} was truncated, which rows it held is not in the message",
        "send their deletes, or begin the source anew with a snapshot (docs/feeds.md)",
    )


def debezium_form(
    tree: Any, keys: Collection[str], columns: Collection[str]
) -> Literal["envelope", "row"] | Counted:
    """Say what a Debezium message is. Raises Refused for one of another format.

    What holds all columns that the source reads is a row, whatever else it looks like: a table may have
    the columns of a notification.
    """
    if not isinstance(tree, dict):
        raise Refused("the message is JSON, but no object", "check the converter and the topic")
    names = tree.keys()
    if "op" in names and names & {"before", "after", "source"}:
        return "envelope"
    counted = _beside_rows(names)
    if names >= set(columns) and counted not in _UNMISTAKABLE:
        return "row"
    if counted is not None:
        return counted
    if names >= set(keys):
        hint = foreign_hint(tree)
        if hint is None:
            return "row"
    raise unknown(tree, "debezium", f"a row must hold its key: {', '.join(sorted(keys))}")


def _beside_rows(names: Set[str]) -> Counted | None:
    if "ts_ms" in names and names <= _CLOCKS:
        return HEARTBEAT
    if names >= _TRANSACTION and names <= _TRANSACTION | _CLOCKS:
        return TRANSACTION
    if "ddl" in names and names & {"databaseName", "schemaName", "tableChanges"}:
        return SCHEMA_CHANGE
    if names >= {"aggregate_type", "type", "id"} and names <= _NOTIFICATION:
        return NOTIFICATION
    if names >= {"type", "data"} and names <= {"id", "type", "data"}:
        return SIGNAL
    return None


def unknown(tree: dict[str, Any], expected: str, missing: str) -> Refused:
    """Return the refusal of a message that is not of the declared format."""
    hint = foreign_hint(tree, expected)
    if hint is not None:
        return Refused("the message is of another format", hint)
    shown = ", ".join(sorted(tree)[:8]) or "nothing"
    return Refused(f"no {expected} message: it holds {shown}", missing)


def foreign_hint(tree: dict[str, Any], expected: str = "debezium") -> str | None:
    """Return what to do about a message of a format that is known by its looks, or None."""
    names = tree.keys()
    if names >= {"op_type", "table"}:
        return "Oracle GoldenGate is not read; feed the table through Debezium"
    metadata, payload = tree.get("metadata"), tree.get("payload")
    if isinstance(metadata, dict) and "record-type" in metadata:
        return "AWS DMS is not read; feed the table through Debezium"
    if isinstance(payload, dict) and "sequenceId" in payload:
        return "the export of Aliyun DTS is not read; feed the table through Debezium, Canal or Maxwell"
    if "specversion" in names:
        return "CloudEvents are not read; set the connector's converter to JsonConverter"
    if expected != "canal" and "data" in names and names & {"isDdl", "mysqlType", "pkNames"}:
        return "this is a Canal message: declare format.type: canal"
    if expected != "maxwell" and names >= {"database", "table", "type", "data"} and "mysqlType" not in names:
        return "this may be a Maxwell message: declare format.type: maxwell"
    if expected != "debezium" and (("op" in names and "source" in names) or names == {"schema", "payload"}):
        return "this is a Debezium message: declare format.type: debezium"
    return None
