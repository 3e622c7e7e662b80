"""Deliveries of a cluster: from a copy of the ledger; what is asked goes to the sender through Kafka."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastapi.concurrency import run_in_threadpool

from app.shop import Shop
from console.cluster.ledger import FollowedLedger
from console.cluster.links import FollowedLinks
from console.cluster.sender import Sender
from console.cluster.view import SharedView
from console.cursors import changes_page
from console.problems import refuse
from sinks.channels.provider import Receipt
from sinks.deliveries import asked
from sinks.deliveries.by_hand import check_by_hand
from sinks.deliveries.life import Event, State
from sinks.deliveries.listing import Act, Attempt, Count, Listed, Wanted, counts, life_of, listed, off
from sinks.deliveries.records import Position, bare
from sinks.deliveries.standing import Standing
from sinks.deliveries.switches import Stopped, pauses
from sinks.events.deliveries import DeliveryChange

WAIT_SECONDS = 5.0  # for the sender, so that the answer shows what was asked; it is durable all the same


class ClusterDeliveries:
    """A cluster's; a `console.form.Deliveries`."""

    def __init__(self, ledger: FollowedLedger, sender: Sender, topic: str) -> None:
        """topic: of what is asked."""
        self._ledger, self._sender, self._topic = ledger, sender, topic

    def listed(self, wanted: Wanted, limit: int, after: int, newest: bool) -> list[Listed]:
        """Return deliveries behind a number, in order or the newest first."""
        return listed(self._ledger.seen.connection, wanted, limit, after, newest)

    def life(self, delivery: str) -> tuple[Listed, Sequence[Attempt], Sequence[Act]] | None:
        """Return a delivery with its attempts and acts by hand; None where there is none."""
        return life_of(self._ledger.seen.connection, delivery)

    def counts(self, wanted: Wanted) -> list[Count]:
        """Return deliveries counted by trigger, day, channel and state."""
        return counts(self._ledger.seen.connection, wanted)

    def changes(self, cursor: str | None, limit: int) -> tuple[list[DeliveryChange], str]:
        """Return changes of state behind a cursor, and the number of the last. Raises Problem."""
        return changes_page(self._ledger.seen.connection, cursor, limit)

    def act(self, delivery: str, event: Event, reason: str, now: float) -> None:
        """Let a person settle a delivery or send it again. Raises KeyError, Impossible and Problem."""
        found = self.life(delivery)
        if found is None:
            raise KeyError(delivery)
        one = found[0]
        check_by_hand(State(one.state), one.channel, one.reason, event)
        message = asked.encoded(asked.Act(delivery, event, reason, now))
        [offset] = self._sender.send(self._topic, [(None, message)])
        self._ledger.wait(offset, WAIT_SECONDS)


class ClusterSending:
    """A cluster's; a `console.form.Sending`."""

    def __init__(
        self, ledger: FollowedLedger, sender: Sender, topic: str, view: SharedView, standing: Standing,
        shop: Callable[[], Shop], now: Callable[[], float], links: FollowedLinks,
    ) -> None:  # fmt: skip
        """topic: of what is asked; shop: the settings in force."""
        self._links = links
        self._ledger, self._sender, self._topic = ledger, sender, topic
        self._view, self._standing, self._shop, self._now = view, standing, shop, now

    def providers(self) -> list[dict[str, Any]]:
        """Return how each provider stands. Raises Problem where no worker has told it lately."""
        found = self._standing.get()
        if found is None:
            refuse("not-ready", "no worker sends at present", "start one: tintype worker; or try again")
        return found

    async def receive(self, provider: str, receipts: Sequence[Receipt]) -> None:
        """Take receipts; in Kafka on return. Raises Problem."""
        await run_in_threadpool(self._receive, provider, receipts)

    def _receive(self, provider: str, receipts: Sequence[Receipt]) -> None:
        kind = self._shop().channels[provider.partition("/")[0]].address
        named = [f"{kind}:{one.address}" if kind and one.address and one.state == "unsubscribed" else ""
                 for one in receipts]  # fmt: skip
        known = [one for one in named if one]
        found = dict(zip(known, self._view.customers(known) if known else [], strict=True))
        whom = [None if (one := found.get(name)) is None else one.hex() for name in named]
        message = asked.Receipts(provider, [bare(one) for one in receipts], whom, self._now())
        self._sender.send(self._topic, [(None, asked.encoded(message))])

    async def follow(self, code: str, now: float | None) -> str | None:
        """Return where a short link leads, by the copy of the ledger; the click is in Kafka on return. Raises
        Problem."""
        return await run_in_threadpool(self._links.follow, code, now)

    def stopped(self) -> Stopped:
        """Return what is switched off and what is paused, as the sender has it."""
        found = self._ledger.seen
        return Stopped(off(found.connection), pauses(found))

    def switch(self, what: str, to: Position, reason: str, now: float) -> None:
        """Turn a switch; in Kafka on return. Raises Problem."""
        message = asked.encoded(asked.Switch(what, to == "off", reason, to == "paused", now))
        [offset] = self._sender.send(self._topic, [(None, message)])
        self._ledger.wait(offset, WAIT_SECONDS)
