"""What a cluster's sender is asked from outside, done: with how far it has read, in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from app.worker.switches import TopicSwitches
from sinks.coupons.records import CodesLoaded, CodesRedeemed
from sinks.deliveries import asked
from sinks.deliveries.dispatch import unheard
from sinks.deliveries.records import Acted, Clicked, Received, Record, Turned, reached

log = logging.getLogger(__name__)


class Asking:
    """One sender's."""

    def __init__(self, switches: TopicSwitches) -> None:
        self._switches = switches

    def do(self, messages: Sequence[asked.Asked], following: int) -> None:
        """Do what is asked. following: the offset behind it."""
        records: list[Record] = []
        switches: list[asked.Switch] = []
        for one in messages:
            match one:
                case asked.Receipts(provider, receipts, at=at):
                    records.append(Received(provider, receipts, at, one.customers()))
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
        done = self._switches.turn(switches, (), *records)
        for record, why in zip(records, done, strict=True):
            if isinstance(record, Acted) and why is not None:
                log.warning("delivery %s, '%s' by hand: %r", record.delivery, record.event, why)
            elif isinstance(record, Received):
                for given, whose in zip(record.receipts, why, strict=True):
                    if given.state == "unsubscribed" and whose is None:
                        log.warning("%s", unheard(record.provider.partition("/")[0], given))
