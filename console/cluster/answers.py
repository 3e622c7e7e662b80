"""What only an engine knows, in a cluster: overviews that owners write with their commits, and questions to
them through the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from fastapi.concurrency import run_in_threadpool

from app.explained import Answer, Explained
from app.overviews import StoredOverview, read
from app.replay import canonical
from app.shop import Shop
from app.texts_read import AskedTexts
from console.form import Whole
from console.problems import Problem, refuse
from engine.overview import summed
from engine.plan import settings_hash
from sinks.store.questions import Questions, TooMany
from sinks.store.store import Head, Store
from streams.identity.partition import partition_of_customer


class ClusterAnswers:
    """A cluster's; a `console.form.Answers`. shop: the settings in force now."""

    def __init__(self, store: Store, questions: Questions, shop: Callable[[], Shop]) -> None:
        self._store, self._questions, self._shop = store, questions, shop

    async def whole(self) -> Whole:
        """Return the shop as a whole, from the partitions' last overviews, each exact at its step. Raises
        Problem."""
        return await run_in_threadpool(self._whole)

    def _whole(self) -> Whole:
        shop = self._shop()
        heads, stored = self._store.overviews(shop.settings.partitions)
        found = [read(raw) for raw in stored if raw is not None]
        if len(found) < len(heads):
            missing = stored.index(None)
            refuse("not-ready", f"partition {missing} has no overview yet",
                   "its worker writes one within a minute; start one where none runs")  # fmt: skip
        if {one.settings for one in found} != {settings_hash(canonical(shop))}:
            refuse("not-ready", "not every partition goes by the settings that were applied last",
                   "in a moment they do, if each has a worker")  # fmt: skip
        clock = min(_true_until(one, head) for one, head in zip(found, heads, strict=True))
        oldest_first = sorted(found, key=lambda one: one.clock)
        overview = summed([one.overview for one in oldest_first])
        return Whole(shop, clock, [one.step for one in found], overview)

    async def texts(self, asked: AskedTexts) -> list[dict[str, Any]]:
        """Refuse."""
        refuse("not-here", "a cluster's engines are not asked for texts",
               "read them in an embedded shop: tintype text SHOP CHANNEL/TEMPLATE")  # fmt: skip

    async def explained(self, customer: bytes) -> Explained | None:
        """Return a customer's profile with reasons, by the partition's owner. Raises Problem."""
        return await run_in_threadpool(self._explained, customer)

    def _explained(self, customer: bytes) -> Explained | None:
        count = self._shop().settings.partitions
        number = partition_of_customer(customer, count)
        try:
            raw = self._questions.ask(number, customer)
        except TooMany:
            hint = "try again in a moment; ask for profiles without reasons where many are wanted"
            raise Problem("busy", f"many questions wait for the owner of partition {number}", hint) from None
        if raw is None:
            refuse("busy", f"the owner of partition {number} did not answer in time",
                   "try again in a moment; profiles without reasons are in the store")  # fmt: skip
        answer = msgspec.json.decode(raw, type=Answer)
        heads = [self._store.head(one) for one in range(count)]
        if answer.epoch != heads[number].epoch:
            hint = "try again in a moment"
            raise Problem("busy", f"partition {number} goes to another worker just now", hint)
        if answer.explained is None:
            return None
        steps = [head.step for head in heads]
        steps[number] = answer.explained.steps[0]
        return Explained(answer.explained.document, answer.explained.clock, steps)


def _true_until(one: StoredOverview, head: Head) -> int:
    """Return the minute up to whose end an overview has everything: its own minute may have gone on since."""
    return one.clock if head.step == one.step else one.clock - 1
