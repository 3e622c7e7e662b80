"""A person's rights, in a cluster: a copy of everything, and to be forgotten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.cluster.erase import TakenBack, erase
from app.cluster.person import export
from app.shop import Shop
from app.worker.place import ClusterPlace
from console.cluster.sender import away
from console.problems import Problem
from streams.errors import InputError
from streams.personal.erase import Erased
from streams.shared.index import Index


class ClusterRights:
    """A cluster's; a `console.form.Rights`. shop: the settings in force now."""

    def __init__(self, place: ClusterPlace, index: Index, shop: Callable[[], Shop]) -> None:
        self._place, self._index, self._shop = place, index, shop

    def erase(self, customer: bytes) -> Erased:
        """Erase a customer (id of 16 bytes), everywhere; done on return. Raises Problem."""
        try:
            return erase(self._place, self._shop(), customer)
        except TakenBack as error:
            raise Problem("busy", error.problem, error.hint) from error
        except InputError as error:
            raise away(error.problem) from error

    def export(self, customer: bytes) -> dict[str, Any]:
        """Return everything held on a customer, whose whole partition is read from Kafka. Raises Problem."""
        try:
            return export(self._place, self._shop(), self._index, customer)
        except InputError as error:
            raise away(error.problem) from error
