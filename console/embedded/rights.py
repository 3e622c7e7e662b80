"""Erasing and exporting a customer, in this process's own log."""

from __future__ import annotations

import contextlib
from typing import Any

from app.embedded import Embedded
from app.person import whole_export
from sinks.deliveries.ledger import Ledger
from streams.log.log import Log
from streams.personal.erase import Erased


class EmbeddedRights:
    """An opened shop's; a `console.form.Rights`."""

    def __init__(self, opened: Embedded, ledger: Ledger) -> None:
        self._opened, self._ledger = opened, ledger

    def erase(self, customer: bytes) -> Erased:
        """Erase a customer (id of 16 bytes), everywhere; done on return."""
        return self._opened.erase(customer)

    def export(self, customer: bytes) -> dict[str, Any]:
        """Return everything held on a customer, readable."""
        with contextlib.closing(Log.open(self._opened.data)) as log:
            return whole_export(log, self._opened.shop, self._ledger, customer)
