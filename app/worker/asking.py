"""What a cluster's sender is asked from outside, done: with how far it has read, in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from app.sending.answers import MARKETING
from app.shop import Shop
from app.worker.switches import TopicSwitches
from sinks.channels.provider import Receipt
from sinks.coupons.records import CodesLoaded, CodesRedeemed
from sinks.deliveries import asked
from sinks.deliveries.logged import LoggedLedger
from sinks.deliveries.records import Acted, Clicked, Received, Record, Turned, reached
from streams.changes.controls import control_messages
from streams.changes.wire import Outgoing
from streams.control import Control, consent

log = logging.getLogger(__name__)


class Asking:
    """One sender's. behind: who is known by a reference (32 hex digits), or None."""

    def __init__(
        self, shop: Shop, ledger: LoggedLedger, switches: TopicSwitches,
        behind: Callable[[str], str | None],
    ) -> None:  # fmt: skip
        self._shop, self._ledger, self._switches, self._behind = shop, ledger, switches, behind

    def do(self, messages: Sequence[asked.Asked], following: int) -> None:
        """Do what is asked. following: the offset behind it."""
        records: list[Record] = []
        controls: list[Control] = []
        switches: list[asked.Switch] = []
        for one in messages:
            match one:
                case asked.Receipts(provider, receipts, by_address, at):
                    records.append(Received(provider, receipts, at))
                    for given, whom in zip(receipts, by_address, strict=True):
                        controls += self._withdrawn(provider, given, whom)
                case asked.Act(delivery, event, reason, at):
                    records.append(Acted(delivery, event, reason, at))
                case asked.Click(number, at):
                    records.append(Clicked(number, at))
                case asked.Codes(pool, codes, at):
                    records.append(CodesLoaded(pool, codes, at))
                case asked.Redeem(told):
                    records.append(CodesRedeemed(told))
                case asked.Switch():
                    records.append(Turned(one.what, one.to, one.reason, one.at))
                    if one.to != "paused":
                        switches.append(one)
        records.append(reached(asked.ASKED, {0: following}))
        done = self._switches.turn(switches, controls, *records)
        for record, why in zip(records, done, strict=True):
            if isinstance(record, Acted) and why is not None:
                log.warning("delivery %s, '%s' by hand: %r", record.delivery, record.event, why)

    def heard(self, provider: str, receipts: Sequence[Receipt]) -> list[Outgoing]:
        """Return what goes into the log of receipts that a provider's own connection has brought. Raises
        redis.RedisError."""
        kind = self._shop.channels[provider.partition("/")[0]].address
        controls: list[Control] = []
        for one in receipts:
            whom = None
            if one.state == "unsubscribed" and kind and one.address:
                whom = self._behind(f"{kind}:{one.address}")
            controls += self._withdrawn(provider, one, whom)
        return control_messages(controls, self._shop.settings.partitions)

    def _withdrawn(self, provider: str, given: Receipt, by_address: str | None) -> list[Control]:
        """Return the record of a customer who unsubscribes: whom the message went to that was answered, else
        who is known by the address."""
        if given.state != "unsubscribed":
            return []
        whom = self._ledger.whose(provider, given.reference) or by_address
        channel = provider.partition("/")[0]
        return [] if whom is None else [consent(bytes.fromhex(whom), channel, MARKETING, False)]
