"""Rebuilds the index of references from the log's records (semantics I1)."""

from __future__ import annotations

import json

from streams.control import ERASE, REFERENCE
from streams.log.block import CONTROL
from streams.log.log import Log


def rebuild_references(log: Log) -> int:
    """Replace the index by what the ``reference`` records say; return how many references it has.

    The index is never recomputed from rows: who a reference belonged to was decided once, and the record
    of that decision is the truth.
    """
    found: dict[str, tuple[bytes, bool, str]] = {}
    for partition in range(log.partitions):
        for block in log.blocks(partition):
            table = block.tables([CONTROL]).get(CONTROL)
            if table is None:
                continue
            columns = (table[name].to_pylist() for name in ("kind", "customer", "body"))
            for kind, customer, body in zip(*columns, strict=True):
                if kind == ERASE:
                    found = {name: said for name, said in found.items() if said[0] != customer}
                if kind == REFERENCE:
                    said = json.loads(body)
                    found[said["reference"]] = customer, said["strong"], said["sealed"]
    with log.transaction():
        log.connection.execute("DELETE FROM reference")
        log.connection.executemany(
            "INSERT INTO reference VALUES (?, ?, ?, ?)",
            ((reference, *said) for reference, said in sorted(found.items())),
        )
    return len(found)
