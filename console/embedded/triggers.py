"""What is known of triggers' lives, from this process's own log and ledger."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from app.embedded import Embedded
from app.life.gate import past_of_log
from app.life.known import Known
from app.log_folder import open_log
from console.form import Sending
from sinks.deliveries.ledger import Ledger
from triggers.past import Past


class EmbeddedTriggers:
    """An opened shop's; a `console.form.Triggers`. ledger: to read from."""

    def __init__(self, opened: Embedded, ledger: Ledger, sending: Sending) -> None:
        self._opened, self._ledger, self._sending = opened, ledger, sending

    @cached_property
    def _past(self) -> Mapping[str, Past]:
        """Of the log: as long as this process runs no other settings come into force."""
        with open_log(self._opened.folder, self._opened.shop) as log:
            return past_of_log(log)

    def known(self) -> Known:
        """Return the past of each behind the settings in force, what is off, and what decided."""
        return Known(self._past, self._sending.stopped().off, self._ledger.connection)
