"""Deliveries of a former shop, brought into the ledger of the new one's sender.

The order of things, and why a kill between any two of them loses and doubles nothing:
1. the former ledger is left: it gives nothing out any more, and what it says stays as it is;
2. its rows are written into the new ledger, some in one transaction with how many are;
3. inboxes are copied, which may be done twice;
4. with the end of the migration: what was decided and not in the former ledger yet, what its sender was
   asked, and which short links lead on.
Workers of the new shop start only behind that, since settings are applied last.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import islice

import redis

from app.migrating.places import Places
from app.shop import Shop
from app.worker.place import ClusterPlace
from engine.outcome import Decision
from sinks.channels.courier import Courier
from sinks.deliveries.carrying import ROWS, carried
from sinks.deliveries.delivery import Way
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.left import left_to
from sinks.deliveries.records import Carried, Left, Record, Recovered, Taken, encoded, reached
from sinks.deliveries.shadow import SHADOW
from sinks.deliveries.shadowed import counted
from sinks.inbox.moving import Home, move
from sinks.topics.names import DELIVERIES
from streams.control import Control
from streams.errors import InputError
from streams.migrate.send import Progress, Sender

_TOGETHER = 20  # records of one transaction
Watch = Callable[[str, int, int], None]


@dataclass(frozen=True)
class FormerDeliveries:
    """What a former shop has of deliveries; ledger: read to its end, and nobody else writes it.

    name, partitions: of the shop; taken: for each partition how many effects are in the ledger, or on their
    way in ``unread``; told: the last change of a delivery that others were told of; asked: messages that its
    sender has not read; switches: turned, and not in its log yet; link_key: what its short links are signed
    with, wrapped, "" where that follows from the shop's secret, None where there are none; store: opens the
    store of its inboxes.
    """

    ledger: Ledger
    name: str
    partitions: int
    taken: Sequence[int]
    told: int
    store: Callable[[], AbstractContextManager[redis.Redis | None]]
    unread: Sequence[Decision] = ()
    asked: Sequence[bytes] = ()
    switches: Sequence[Control] = ()
    link_key: str | None = None

    def leave(self, to: str) -> None:
        """Let it give nothing out any more; durable on return. Raises InputError where it was left already,
        to another shop."""
        before = left_to(self.ledger.connection)
        if before is None:
            now = time.time()
            self.ledger.do(Recovered(now), Left(to, now))
        elif before != to:
            hint = "go on with that one, or take them back first: tintype switch FORMER everything --on"
            raise InputError(self.name, f"its deliveries were carried over to {before} already", hint)


class Carrying:
    """One former shop's on their way. untaken: what its ledger was not given, by a replay of its log."""

    def __init__(
        self, former: FormerDeliveries, place: ClusterPlace, shop: Shop, places: Places,
        untaken: Sequence[Decision],
    ) -> None:  # fmt: skip
        self._former, self._place, self._shop, self._places = former, place, shop, places
        self._untaken = [*former.unread, *untaken]

    def carry(self, sender: Sender, progress: Progress, watch: Watch) -> Progress:
        """Leave the former ledger, and write its rows and inboxes where the new shop has them; return how far
        it is. Raises InputError."""
        self._former.leave(self._place.topics.shop)
        records = carried(self._former.ledger.connection, self._places.placed)
        messages = map(encoded, ([one] for one in records))
        for _ in islice(messages, progress.carried):
            pass  # a run that was killed has written them
        while some := list(islice(messages, _TOGETHER)):
            progress = replace(progress, carried=progress.carried + len(some))
            with sender.transaction():
                for one in some:
                    sender.message(self._place.topics.ledger, one, partition=0)
                sender.progress(progress)
            watch("deliveries", progress.carried, progress.carried)
        self._move_inboxes()
        return progress

    def finish(self, sender: Sender) -> None:
        """Write the rest, in the transaction that ends the migration."""
        topics = self._place.topics
        for record in self._rest():
            sender.message(topics.ledger, encoded([record]), partition=0)
        for message in self._former.asked:
            sender.message(topics.asked, message, partition=0)

    def _rest(self) -> Iterator[Record]:
        courier = Courier(self._shop, lambda _customer, _kind: None)
        every = {(one.id, one.outcome): one for one in map(self._places.placed, self._untaken)}.values()
        made: list[tuple[Decision, Way]] = [
            (one, route) for one in every if (route := courier.route(one)) is not None
        ]
        shadow = counted(self._former.ledger.connection, [one for one in every if one.status == SHADOW])
        if shadow is not None:
            yield shadow
        for first in range(0, len(made), ROWS):
            yield Taken(made[first : first + ROWS])
        if self._former.link_key is not None:
            yield Carried("linked", ["shop", "key"], [[self._former.name, self._former.link_key]])
        if self._former.told:
            yield reached(DELIVERIES, {0: self._former.told})

    def _move_inboxes(self) -> None:
        channels = [
            name for name, one in self._shop.channels.items()
            if any(provider.kind == "inbox" for provider in one.providers)
        ]  # fmt: skip
        found = self._former.ledger.rows(
            "SELECT DISTINCT customer FROM decision JOIN delivery USING (number) WHERE attempts > 0 "
            "AND channel IN (SELECT value FROM json_each(?)) ORDER BY customer", (json.dumps(channels),),
        )  # fmt: skip
        if not found:
            return
        customers, here = [bytes.fromhex(one) for (one,) in found], self._place.client()
        try:
            with self._former.store() as there:
                if there is not None:
                    home = Home(there, self._former.name, self._former.partitions)
                    move(home, Home(here, self._place.topics.shop, self._shop.settings.partitions), customers)
        except redis.RedisError as error:
            hint = "start it; the same command goes on"
            raise InputError("store", f"inboxes cannot be copied ({error})", hint) from error
        finally:
            here.close()
