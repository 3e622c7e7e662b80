"""What triggers of a cluster have been through, as the settings say that were applied last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.life.gate import past_of_applied
from streams.changes.settings import Applied
from triggers.past import Past


class ClusterTriggers:
    """A cluster's; a `console.form.Triggers`. applied: the settings; set anew when others are applied."""

    def __init__(self, applied: Applied) -> None:
        self.applied = applied

    def past(self) -> Mapping[str, Past]:
        """Return the past of each, behind the settings in force."""
        return past_of_applied(self.applied)

    def shadow(self, trigger: str, versions: Sequence[str]) -> None:
        """Return None: the ledger has decisions to act only, history has all."""
