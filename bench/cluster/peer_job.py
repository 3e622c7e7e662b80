"""What the peers in Python do of a change: a generated customer, kept in the pieces of a peer's own state.

It needs nothing but the standard library, as one of them runs in an environment of its own.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from pathlib import Path
from typing import Any

PEERS = Path(__file__).resolve().parents[1] / "peers"
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


class Job:
    """folder: where the customer generated for the shop is, as ``customer.py``."""

    def __init__(self, folder: str) -> None:
        sys.path[:0] = [folder, str(PEERS)]
        from kept import Kept  # type: ignore[import-not-found]  # found by the line above

        self._kept = Kept

    def take(self, envelope: dict[str, Any], pieces: Any, minute: int | None = None) -> Any:
        """Bring a customer to the clock on the wall (or to a minute), apply a change, keep it; return it.

        pieces: of the state of the change's customer, as `kept.Pieces` says.
        """
        row, block = envelope["after"] or envelope["before"], envelope["source"]
        customer = self._kept(row["member_id"], pieces)
        now = max(int(time.time() // 60) if minute is None else minute, customer.minute)
        table = block["table"]
        columns = [_number(row[name]) if name == "amount" else row[name] for name in customer.COLUMNS[table]]
        event_us = (dt.datetime.fromisoformat(row["at"]) - _EPOCH) // _MICROSECOND
        customer.take(now, envelope["op"], table, row["id"], block["lsn"], event_us, columns)
        customer.keep()
        return customer


def _number(amount: str) -> int:
    return int(amount.replace(".", ""))  # two digits behind the point, always
