"""Deliveries of a cluster: from a copy of the ledger; what is asked goes to the sender through Kafka."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from fastapi.concurrency import run_in_threadpool

from app.sending.answers import references_behind
from app.shop import Shop
from console.cluster.ledger import FollowedLedger
from console.cluster.links import FollowedLinks
from console.cluster.sender import Sender
from console.cluster.view import SharedView
from console.cursors import changes_page
from console.problems import refuse
from sinks.channels.provider import Receipt
from sinks.deliveries import asked
from sinks.deliveries.again import dead_count, dead_letters, replayable
from sinks.deliveries.answering import STATES as ANSWERS
from sinks.deliveries.by_hand import check_by_hand
from sinks.deliveries.dispatch import unheard
from sinks.deliveries.life import Event, State
from sinks.deliveries.listing import Act, Attempt, Count, Listed, Wanted, counts, life_of, listed, off
from sinks.deliveries.records import Position, bare
from sinks.deliveries.standing import Standing
from sinks.deliveries.switches import Stopped, pauses
from sinks.events.deliveries import DeliveryChange

log = logging.getLogger(__name__)
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

    def counts(self, wanted: Wanted, prices: Mapping[str, Decimal]) -> list[Count]:
        """Return deliveries counted by trigger, day, channel and state."""
        return counts(self._ledger.seen.connection, wanted, prices)

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
        self._ask([delivery], event, reason, now)

    def send_again(self, wanted: Wanted, most: int, reason: str, now: float) -> tuple[int, int]:
        """Send the oldest of those again that came to nothing; return how many, and how many are left. Raises
        Problem."""
        seen = self._ledger.seen.connection
        found = dead_letters(seen, wanted, most)
        self._ask(found, Event.RESEND, reason, now)
        return len(found), dead_count(seen, wanted)

    def replay(
        self, wanted: Wanted, after: int, most: int, reason: str, now: float
    ) -> tuple[int, int | None]:
        """Send those again that are out, in order behind a number; return how many, and the number to go on
        behind, None where there are no more. Raises Problem."""
        found, following = replayable(self._ledger.seen.connection, wanted, after, most)
        self._ask(found, Event.REPLAY, reason, now)
        return len(found), following

    def _ask(self, deliveries: Sequence[str], event: Event, reason: str, now: float) -> None:
        acts = [asked.Act(one, event, reason, now) for one in deliveries]
        offsets = self._sender.send(self._topic, [(None, asked.encoded(one)) for one in acts])
        if offsets:
            self._ledger.wait(max(offsets), WAIT_SECONDS)


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
        shop, channel = self._shop(), provider.partition("/")[0]
        named = [
            references_behind(shop, channel, one.address) if one.state in ANSWERS else [] for one in receipts
        ]
        asking = [one for each in named for one in each]
        found = dict(zip(asking, self._view.customers(asking) if asking else [], strict=True))
        whom = [sorted({who.hex() for name in each if (who := found[name]) is not None}) for each in named]
        message = asked.Receipts(provider, [bare(one) for one in receipts], whom, self._now())
        self._sender.send(self._topic, [(None, asked.encoded(message))])
        for one, known in zip(receipts, whom, strict=True):
            if one.state == "unsubscribed" and one.reference is None and not known:
                log.warning("%s", unheard(channel, one))

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
