"""How texts read in a cluster: the values are the owners', the texts are made here (`app.texts_read`)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import msgspec

from app.replay import canonical
from app.shop import Shop
from app.texts_now import AnsweredNow, AskedNow, Now, choose
from app.texts_read import AskedTexts, as_asked, as_json, read_chosen, senders_of
from app.worker.addresses import Addresses
from console.cluster.owners import Owners
from console.problems import Problem, refuse
from engine.plan import settings_hash
from sinks.deliveries.delivery import Away
from sinks.store.questions import TEXTS
from streams.identity.partition import id_pairs, partitions_of


class ClusterTexts:
    """A cluster's. Blocking. shop: the settings in force, with this process's own places; addresses: made for
    each reading, under settings."""

    def __init__(
        self, owners: Owners, shop: Callable[[], Shop], addresses: Callable[[Shop], Addresses]
    ) -> None:
        self._owners, self._shop, self._addresses = owners, shop, addresses

    def read(self, asked: AskedTexts) -> list[dict[str, Any]]:
        """Return how a template reads (`as_json`). Raises InputError and Problem."""
        declared = self._shop()
        shop = as_asked(declared, asked)
        triggers = senders_of(shop, asked.channel, asked.template)
        found = self._now(declared, [one.name for one in triggers], asked)
        chosen = choose(triggers, asked.customers, found)
        with contextlib.closing(self._addresses(shop)) as addresses:
            try:
                addresses.prepare_for([one.customer for one in chosen])
            except Away as error:
                raise Problem("not-ready", str(error), "try again in a moment") from error
            texts = read_chosen(
                shop, asked.channel, asked.template, chosen, addresses.address, addresses.readable
            )
            return [as_json(one, addresses.name(one.customer)) for one in texts]

    def _now(self, declared: Shop, triggers: list[str], asked: AskedTexts) -> list[Now]:
        """Return what the partitions say, in their order: those of the customers that are named, or all."""
        count, settings = declared.settings.partitions, settings_hash(canonical(declared))
        whose: dict[int, list[str]] = {} if asked.customers else {number: [] for number in range(count)}
        for customer in asked.customers:
            number = int(partitions_of(*id_pairs([bytes.fromhex(customer)]), count)[0])
            whose.setdefault(number, []).append(customer)
        about = {
            number: msgspec.json.encode(AskedNow(settings, triggers, customers))
            for number, customers in sorted(whose.items())
        }
        answers, _ = self._owners.ask(TEXTS, about, count, _read)
        found: list[Now] = []
        for number, one in answers.items():
            if one.found is None:
                refuse("not-ready", f"partition {number} does not go by the settings that were applied last",
                       "in a moment it does, if it has a worker")  # fmt: skip
            found += one.found
        return found


def _read(raw: bytes) -> tuple[int, AnsweredNow]:
    answer = msgspec.json.decode(raw, type=AnsweredNow)
    return answer.epoch, answer
