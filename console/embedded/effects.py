"""Decisions from the ledger, which numbers them in the order in which they were committed."""

from __future__ import annotations

import re

from console.form import Concluded
from console.problems import refuse
from engine.outcome import Transition
from sinks.deliveries.ledger import Ledger

_CURSOR = re.compile(r"[0-9]{1,18}")


class LedgerEffects:
    """A ledger's; a `console.form.Effects`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def decisions(
        self, cursor: str | None, limit: int, customer: bytes | None
    ) -> tuple[list[Concluded], str]:
        """Return decisions behind a cursor, and the number of the last. Raises Problem."""
        cursor = cursor or "0"
        if not _CURSOR.fullmatch(cursor):
            refuse("invalid-request", f"query.cursor: '{cursor}' is none", "give `next` of the page before")
        found = self._ledger.after(int(cursor), limit, None if customer is None else customer.hex())
        last = str(found[-1].number) if found else cursor
        return [Concluded(one.decision, one.state, one.detail) for one in found], last

    def tag_changes(
        self, cursor: str | None, limit: int, customer: bytes | None
    ) -> tuple[list[Transition], str]:
        """Refuse: the outbox is drained at once here, and history keeps what was in it."""
        refuse("not-here", "the embedded form does not give tag changes by cursor",
               "ask history for them: tintype history SHOP")  # fmt: skip
