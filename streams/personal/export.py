"""Everything that the log has of one customer, readable (a person's right to a copy)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from streams.contract.columns import carried_columns
from streams.contract.source import Source
from streams.control import CONFLICT, CONSENT, ERASE, MANUAL, REFERENCE
from streams.identity.partition import partition_of_customer
from streams.log.block import CONTROL, Block
from streams.log.log import Log
from streams.personal.find import references_of
from streams.personal.seal import REFERENCE as ABOUT_REFERENCE
from streams.personal.seal import unseal, unseal_columns
from streams.personal.vault import Vault

OPERATIONS = ("upsert", "insert", "update", "delete", "read", "moved out")
_PERSONAL = (MANUAL, CONSENT, REFERENCE, CONFLICT, ERASE)  # kinds of control records that are somebody's


def export(log: Log, sources: Mapping[str, Source], customer: bytes) -> dict[str, Any]:
    """Return ``customer`` (id), ``references``, ``rows`` (by source, every record in order) and ``records``
    (tags by hand, consents, references, as they were told); times in UTC, ISO 8601, amounts as the log has
    them: in units of 10**-scale.
    """
    partition = partition_of_customer(customer, log.partitions)
    rows, records = records_of(log.vault, log.blocks(partition), sources, customer)
    return {
        "customer": customer.hex(),
        "references": references_of(log, customer),
        "rows": rows,
        "records": records,
    }


def records_of(
    vault: Vault, blocks: Iterable[Block], sources: Mapping[str, Source], customer: bytes
) -> tuple[dict[str, list[dict[str, Any]]], list[dict[str, Any]]]:
    """Return ``rows`` and ``records`` of `export` from the blocks of the customer's partition, in order."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in sources}
    records: list[dict[str, Any]] = []
    for block in blocks:
        for name, table in block.tables().items():
            own = table.filter(pc.equal(table["customer"], pa.scalar(customer, pa.binary(16))))
            if name == CONTROL:
                records += _records(vault, own, customer)
            elif name in sources and own.num_rows:
                rows[name] += _rows(vault, sources[name], own, customer)
    return {name: found for name, found in rows.items() if found}, records


def _rows(vault: Vault, source: Source, table: pa.Table, customer: bytes) -> Iterator[dict[str, Any]]:
    whose = [customer] * table.num_rows
    there = [name for name in carried_columns(source) if name in table.column_names]
    for row in unseal_columns(vault, source, table, whose).to_pylist():
        recorded = dt.datetime.fromtimestamp(row["minute"] * 60, dt.UTC)
        event = dt.datetime.fromtimestamp(row["event_us"] / 1_000_000, dt.UTC)
        told = {"recorded": recorded.isoformat(), "time": event.isoformat()}
        yield {**told, "operation": OPERATIONS[row["op"]], **{name: row[name] for name in there}}


def _records(vault: Vault, table: pa.Table, customer: bytes) -> Iterator[dict[str, Any]]:
    for row in table.to_pylist():
        said = json.loads(row["body"])
        if row["kind"] == REFERENCE:
            said = {"reference": unseal(vault, ABOUT_REFERENCE, [customer], [said["sealed"]])[0]}
        elif row["kind"] == CONFLICT:
            said = {}
        if row["kind"] in _PERSONAL:
            recorded = dt.datetime.fromtimestamp(row["minute"] * 60, dt.UTC)
            yield {"recorded": recorded.isoformat(), "kind": row["kind"], **said}
