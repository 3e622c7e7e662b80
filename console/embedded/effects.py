"""Decisions, and changes of tags, from the ledger, which numbers each in the order of their commits."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path

from console.cursors import number_of, tag_changes_page
from console.form import Changed, Concluded
from console.problems import refuse
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.tables import connect

_LOOK_SECONDS = 0.1  # a look takes some ten microseconds
_NEWEST = "SELECT coalesce(max(number), 0) FROM decision"


class LedgerEffects:
    """A ledger's; a `console.form.Effects`. folder: where its file lies."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self._ledger, self._folder = ledger, folder

    def decisions(
        self, cursor: str | None, limit: int, customer: bytes | None
    ) -> tuple[list[Concluded], str]:
        """Return decisions behind a cursor, and the number of the last. Raises Problem."""
        number = number_of(cursor) or 0
        found = self._ledger.after(number, limit, None if customer is None else customer.hex())
        if not found and number > (newest := self._ledger.rows(_NEWEST)[0][0]):
            refuse("cursor-gone", f"the newest decision is {newest}: this ledger never had {number}",
                   "begin without a cursor; ids of events tell what you have had")  # fmt: skip
        last = str(found[-1].number) if found else str(number)
        return [Concluded(one.decision, str(one.number), one.state, one.detail) for one in found], last

    def tag_changes(
        self, cursor: str | None, limit: int, customer: bytes | None
    ) -> tuple[list[Changed], str]:
        """Return changes of tags and segments behind a cursor, and the number of the last that was looked
        through. Raises Problem."""
        return tag_changes_page(self._ledger.connection, cursor, limit, customer)

    def listen(self, ring: Callable[[], None], is_wanted: Callable[[], bool]) -> None:
        """Ring after each commit to the ledger, whichever process makes it, until nobody wants it.

        SQLite counts the commits of other connections; to ask for that number reads no page of the file.
        """
        pause, seen = threading.Event(), None
        with contextlib.closing(connect(self._folder, write=False)) as connection:
            while is_wanted():
                (version,) = connection.execute("PRAGMA data_version").fetchone()
                if version != seen:
                    seen = version
                    ring()
                pause.wait(_LOOK_SECONDS)
