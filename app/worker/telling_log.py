"""What a cluster's sender tells the log: that it is told stands in the same transaction."""

from __future__ import annotations

from app.sending.untold import untold
from app.shop import Shop
from app.worker.revoking import TopicRevocations
from sinks.deliveries.logged import LoggedLedger
from streams.changes.controls import control_messages


def tell_log(ledger: LoggedLedger, shop: Shop, revocations: TopicRevocations) -> bool:
    """Tell the log what became of messages; return whether there was anything. Raises Fenced."""
    found = untold(ledger, shop)
    if not found.told:
        return False
    said = [*found.answers, *found.others]
    ledger.tell(control_messages(said, shop.settings.partitions), *found.told)
    revocations.know(found.answers)  # before anything else can run
    return True
