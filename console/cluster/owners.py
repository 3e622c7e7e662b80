"""Questions to the owners of partitions, as the API puts them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from console.problems import Problem, refuse
from sinks.store.questions import WAIT_SECONDS, Questions, TooMany
from sinks.store.store import Head, Store

Said = TypeVar("Said")
_AGAIN = "try again in a moment; profiles without reasons are in the store"


class Owners:
    """A cluster's. Blocking."""

    def __init__(self, store: Store, questions: Questions) -> None:
        self._store, self._questions = store, questions

    def ask(
        self, kind: str, about: Mapping[int, bytes], partitions: int,
        read: Callable[[bytes], tuple[int, Said]], seconds: float = WAIT_SECONDS,
    ) -> tuple[dict[int, Said], list[Head]]:  # fmt: skip
        """Return what the owners of some partitions answer, and the heads of all.

        read: gives an answer's epoch, and the answer. Raises Problem where one does not answer in time.
        """
        try:
            raw = self._questions.ask(kind, about, seconds)
        except TooMany as error:
            problem = f"many questions wait for the owner of partition {error.partition}"
            raise Problem("busy", problem, _AGAIN) from None
        found: dict[int, Said] = {}
        heads = [self._store.head(one) for one in range(partitions)]
        for number, one in raw.items():
            if one is None:
                refuse("busy", f"the owner of partition {number} did not answer in time", _AGAIN)
            epoch, found[number] = read(one)
            if epoch != heads[number].epoch:
                hint = "try again in a moment"
                raise Problem("busy", f"partition {number} goes to another worker just now", hint)
        return found, heads
