"""What becomes of deliveries, told to the topic ``deliveries``: each change once, in order."""

from __future__ import annotations

import logging

from sinks.deliveries.changes import Forgotten, changes_after
from sinks.deliveries.logged import LoggedLedger
from sinks.deliveries.records import reached
from sinks.topics.events import delivery_event
from sinks.topics.names import DELIVERIES

MOST = 1000  # events of one transaction
log = logging.getLogger(__name__)


class Telling:
    """One sender's. How far it is stands in the ledger, by a record in the events' own transaction."""

    def __init__(self, ledger: LoggedLedger, shop: str) -> None:
        self._ledger, self._shop = ledger, shop

    def step(self) -> int:
        """Tell of the next changes; return of how many. Raises Fenced."""
        number = self._ledger.reached(DELIVERIES).get(0, 0) or None
        try:
            found = changes_after(self._ledger.connection, number, MOST)
        except Forgotten as error:
            log.warning("deliveries: changes behind %s are forgotten, and were not told: %s", number, error)
            found = changes_after(self._ledger.connection, None, MOST)
        if found:
            events = [delivery_event(one, self._shop) for one in found]
            self._ledger.tell((), reached(DELIVERIES, {0: found[-1].number}), events=events)
        return len(found)
