"""A person's rights are not carried out by the API of a cluster: it says so."""

from __future__ import annotations

from typing import Any

from console.problems import refuse
from streams.personal.erase import Erased


class NoRights:
    """A `console.form.Rights` that refuses: both need the log, which is the workers'."""

    def erase(self, customer: bytes) -> Erased:
        """Raise Problem."""
        refuse("not-here", "the API of a cluster does not erase customers yet",
               "whoever runs the cluster has to: the workers' log has what is to be erased")  # fmt: skip

    def export(self, customer: bytes) -> dict[str, Any]:
        """Raise Problem."""
        refuse("not-here", "the API of a cluster does not export customers yet",
               "/v1/profiles gives a key of scope personal references, attributes and tags")  # fmt: skip
