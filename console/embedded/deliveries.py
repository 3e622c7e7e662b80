"""Deliveries from this process's own ledger, and what sends them."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from app.sending.sender import Sender
from app.service import Stopped as Stopping
from console.cursors import changes_page
from console.embedded.work import result_of
from console.problems import Problem, refuse
from sinks.channels.provider import Receipt
from sinks.deliveries.again import dead_count, dead_letters, replayable, send_again
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import Event
from sinks.deliveries.listing import Act, Attempt, Count, Listed, Wanted, counts, life_of, listed
from sinks.deliveries.records import Position
from sinks.deliveries.switches import Stopped, ask, asked, pauses, reasons_with
from sinks.events.deliveries import DeliveryChange

WAIT_SECONDS = 5.0  # for the log, so that the next decision knows of an answer; it is on disk all the same


class LedgerDeliveries:
    """A ledger's; a `console.form.Deliveries`.

    seen: to read from, where nothing stands that is not committed; written: the sender's own.
    """

    def __init__(self, seen: Ledger, written: Ledger) -> None:
        self._seen, self._written = seen, written

    def listed(self, wanted: Wanted, limit: int, after: int, newest: bool) -> list[Listed]:
        """Return deliveries behind a number, in order or the newest first."""
        return listed(self._seen.connection, wanted, limit, after, newest)

    def life(self, delivery: str) -> tuple[Listed, Sequence[Attempt], Sequence[Act]] | None:
        """Return a delivery with its attempts and acts by hand; None where there is none."""
        return life_of(self._seen.connection, delivery)

    def counts(self, wanted: Wanted, prices: Mapping[str, Decimal]) -> list[Count]:
        """Return deliveries counted by trigger, day, channel and state."""
        return counts(self._seen.connection, wanted, prices)

    def changes(self, cursor: str | None, limit: int) -> tuple[list[DeliveryChange], str]:
        """Return changes of state behind a cursor, and the number of the last. Raises Problem."""
        return changes_page(self._seen.connection, cursor, limit)

    def act(self, delivery: str, event: Event, reason: str, now: float) -> None:
        """Let a person settle a delivery or send it again. Raises KeyError, Impossible and Problem."""
        try:
            self._written.act_by_hand(delivery, event, reason, now)
        except sqlite3.OperationalError as error:
            raise full(error) from None

    def send_again(self, wanted: Wanted, most: int, reason: str, now: float) -> tuple[int, int]:
        """Send the oldest of those again that came to nothing; return how many, and how many are left. Raises
        Problem."""
        found = dead_letters(self._seen.connection, wanted, most)
        resent = self._again(found, Event.RESEND, reason, now)
        return resent, dead_count(self._seen.connection, wanted)

    def replay(
        self, wanted: Wanted, after: int, most: int, reason: str, now: float
    ) -> tuple[int, int | None]:
        """Send those again that are out, in order behind a number; return how many, and the number to go on
        behind, None where there are no more. Raises Problem."""
        found, following = replayable(self._seen.connection, wanted, after, most)
        return self._again(found, Event.REPLAY, reason, now), following

    def _again(self, deliveries: Sequence[str], event: Event, reason: str, now: float) -> int:
        try:
            return send_again(self._written, deliveries, reason, now, event)
        except sqlite3.OperationalError as error:
            raise full(error) from None


class EmbeddedSending:
    """A process's sender; a `console.form.Sending`."""

    def __init__(self, sender: Sender, ledger: Ledger) -> None:
        self._sender, self._ledger = sender, ledger

    def providers(self) -> list[dict[str, Any]]:
        """Return how each provider stands; nothing before they are open."""
        return self._sender.providers()

    async def receive(self, provider: str, receipts: Sequence[Receipt]) -> None:
        """Take receipts; on disk on return. Raises Problem, and Stopped at an end."""
        if not self._sender.providers():
            refuse("not-ready", "the providers are not open yet", "try again in a moment")
        try:
            await result_of(self._sender.receive(provider, receipts))
        except sqlite3.OperationalError as error:
            raise full(error) from None
        if any(one.state == "unsubscribed" for one in receipts):
            with contextlib.suppress(TimeoutError, Stopping):  # it is on disk, and told to the log later
                await asyncio.wait_for(result_of(self._sender.told()), WAIT_SECONDS)

    async def follow(self, code: str, now: float | None) -> str | None:
        """Return where a short link leads. Raises Problem, and Stopped at an end."""
        if not self._sender.providers():
            refuse("not-ready", "the senders are not at work yet", "try again in a moment")
        return await result_of(self._sender.follow(code, now))

    def stopped(self) -> Stopped:
        """Return what is switched off, and what is paused."""
        turned = asked(self._ledger)  # first: what leaves these is known to the sender by then
        off = self._sender.off()
        if off is None:
            refuse("not-ready", "the sender is not at work yet", "try again in a moment")
        return Stopped(reasons_with(off, turned), pauses(self._ledger))

    def switch(self, what: str, to: Position, reason: str, now: float) -> None:
        """Turn a switch; on disk on return. Raises Problem."""
        try:
            ask(self._ledger, what, to, reason, now)
        except sqlite3.OperationalError as error:
            raise full(error) from None


def full(error: sqlite3.OperationalError) -> Problem:
    """Return what to answer where the ledger's disk takes nothing."""
    return Problem("disk-full", f"the ledger of deliveries: {error}", "make room; nothing was changed")
