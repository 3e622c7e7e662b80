"""What only an engine knows, in a cluster: overviews that owners write with their commits, and questions to
them through the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from fastapi.concurrency import run_in_threadpool

from app.explained import Answer, Explained
from app.life.reach import Reach
from app.overviews import StoredOverview, read
from app.replay import canonical
from app.shop import Shop
from app.texts_read import AskedTexts
from console.cluster.owners import Owners
from console.cluster.reach import reach_there
from console.cluster.texts import ClusterTexts
from console.form import Whole
from console.problems import refuse
from engine.overview import summed
from engine.plan import settings_hash
from sinks.store.questions import EXPLAIN
from sinks.store.store import Head, Store
from streams.identity.partition import partition_of_customer


class ClusterAnswers:
    """A cluster's; a `console.form.Answers`. shop: the settings in force now."""

    def __init__(self, store: Store, owners: Owners, shop: Callable[[], Shop], texts: ClusterTexts) -> None:
        self._store, self._owners, self._shop, self._texts = store, owners, shop, texts

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
        """Return how a template reads for real customers. Raises InputError and Problem."""
        return await run_in_threadpool(self._texts.read, asked)

    async def explained(self, customer: bytes) -> Explained | None:
        """Return a customer's profile with reasons, by the partition's owner. Raises Problem."""
        return await run_in_threadpool(self._explained, customer)

    async def reach(self, broadcast: str) -> Reach:
        """Return how many a broadcast would reach now, by the owners of all partitions. Raises InputError and
        Problem."""
        return await run_in_threadpool(reach_there, self._owners, self._shop(), broadcast)

    def _explained(self, customer: bytes) -> Explained | None:
        count = self._shop().settings.partitions
        number = partition_of_customer(customer, count)
        found, heads = self._owners.ask(EXPLAIN, {number: customer}, count, _read)
        explained = found[number]
        if explained is None:
            return None
        steps = [head.step for head in heads]
        steps[number] = explained.steps[0]
        return Explained(explained.document, explained.clock, steps)


def _read(raw: bytes) -> tuple[int, Explained | None]:
    answer = msgspec.json.decode(raw, type=Answer)
    return answer.epoch, answer.explained


def _true_until(one: StoredOverview, head: Head) -> int:
    """Return the minute up to whose end an overview has everything: its own minute may have gone on since."""
    return one.clock if head.step == one.step else one.clock - 1
