"""Compile the scanner and keep its machine code in the checkout: at the installation, as `engine.warm`.

``python -m streams.scan.warm``. Otherwise the first batch of a change feed waits for it.
"""

from __future__ import annotations

import sys
import time
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from streams.contract.source import Source
from streams.scan.scanner import Buffer, Scanner

_SOURCE = {
    "name": "orders", "format": {"type": "debezium"}, "key": ["id"], "event_time": {"column": "at"},
    "references": [{"type": "member", "column": "member"}], "columns": {"status": {"type": "text"}},
}  # fmt: skip
_MESSAGE = {
    "before": None, "after": {"id": 1, "member": "M1", "status": "paid", "at": "2026-03-01T10:00:00Z"},
    "source": {
        "version": "3.7.0.Final", "connector": "postgresql", "name": "shop", "ts_ms": 1_772_000_000_000,
        "snapshot": "false", "db": "shop", "schema": "public", "table": "orders", "txId": 5,
        "lsn": 24_023_128,
    },
    "op": "c", "ts_ms": 1_772_000_000_001, "transaction": None,
}  # fmt: skip


def compile_scanner() -> int:
    """Scan one message, with arrays as those of a feed; return how many were read (1)."""
    scanner, message = Scanner(Source.model_validate(_SOURCE), ZoneInfo("UTC")), msgspec.json.encode(_MESSAGE)
    scanner.learn(message)
    scanned = scanner.scan(Buffer.of([message]), np.arange(1))
    return 0 if scanned is None else int((scanned.op > 0).sum())


def main() -> None:
    """Compile, or find it compiled, and say how long that took."""
    began = time.monotonic()
    if not compile_scanner():
        sys.exit("the scanner did not read its own message")
    sys.stdout.write(f"scanner compiled in {time.monotonic() - began:.0f} s\n")


if __name__ == "__main__":
    main()
