"""What is known of a cluster's triggers' lives, as far as the settings and the ledger are read here."""

from __future__ import annotations

from app.life.gate import past_of_applied
from app.life.known import Known
from console.cluster.ledger import FollowedLedger
from sinks.deliveries.listing import off
from streams.changes.settings import Applied


class ClusterTriggers:
    """A cluster's; a `console.form.Triggers`. applied: the settings; set anew when others are applied."""

    def __init__(self, applied: Applied, ledger: FollowedLedger) -> None:
        self.applied, self._ledger = applied, ledger

    def known(self) -> Known:
        """Return the past of each behind the settings in force, what is off, and what decided. Raises
        Problem."""
        connection = self._ledger.seen.connection
        return Known(past_of_applied(self.applied), off(connection), connection)
