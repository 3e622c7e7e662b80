"""What a cluster's sender tells the log: that it is told stands in the same transaction."""

from __future__ import annotations

from app.sending.answers import controls_of
from app.shop import Shop
from app.worker.revoking import TopicRevocations
from sinks.deliveries import answers, clicks
from sinks.deliveries.ended import ended, record_of, told
from sinks.deliveries.logged import LoggedLedger
from sinks.deliveries.records import AnswersTold, ClicksTold, Record
from streams.changes.controls import control_messages

_TOGETHER = 200  # of each kind, in one transaction


def tell_log(ledger: LoggedLedger, shop: Shop, revocations: TopicRevocations) -> bool:
    """Tell the log what customers answered, what arrived or will reach nobody, and whose links were followed;
    return whether there was anything. Raises Fenced."""
    over, clicked = ended(ledger, _TOGETHER), clicks.untold(ledger, _TOGETHER)
    answered = answers.untold(ledger, _TOGETHER)
    if not (over or clicked or answered):
        return False
    said = controls_of(shop, answered)
    records = [record_of(one) for one in over] + [clicks.record_of(one) for one in clicked]
    in_log: list[Record] = told(over)
    if clicked:
        in_log.append(ClicksTold([one.number for one in clicked]))
    if answered:
        in_log.append(AnswersTold([one.id for one in answered]))
    ledger.tell(control_messages([*said, *records], shop.settings.partitions), *in_log)
    revocations.know(said)  # before anything else can run
    return True
