"""What triggers have been through, from this process's own log and ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from app.embedded import Embedded
from app.life.gate import past_of_log
from app.log_folder import open_log
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.shadow import Shadow, shadow_of
from triggers.past import Past


class EmbeddedTriggers:
    """An opened shop's; a `console.form.Triggers`. ledger: to read from."""

    def __init__(self, opened: Embedded, ledger: Ledger) -> None:
        self._opened, self._ledger = opened, ledger

    @cached_property
    def _past(self) -> Mapping[str, Past]:
        """Of the log: as long as this process runs no other settings come into force."""
        with open_log(self._opened.folder, self._opened.shop) as log:
            return past_of_log(log)

    def past(self) -> Mapping[str, Past]:
        """Return the past of each, behind the settings in force."""
        return self._past

    def shadow(self, trigger: str, versions: Sequence[str]) -> Shadow:
        """Return what some versions decided in shadow."""
        return shadow_of(self._ledger.connection, trigger, versions)
