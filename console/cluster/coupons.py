"""Pools of codes of a cluster: from a copy of the ledger; what is asked goes to the sender through Kafka."""

from __future__ import annotations

from collections.abc import Sequence

from app.shop import Shop
from console.cluster.ledger import FollowedLedger
from console.cluster.sender import Sender
from console.problems import refuse
from sinks.coupons.codes import Code, Loaded, find, loaded_by
from sinks.coupons.counts import Standing, standing
from sinks.coupons.redeeming import Odd, Redemption
from sinks.coupons.written import written
from sinks.deliveries import asked

WAIT_SECONDS = 15.0  # for the sender, or another one that takes over


class ClusterCoupons:
    """A cluster's; a `console.form.Coupons`."""

    def __init__(self, ledger: FollowedLedger, sender: Sender, topic: str) -> None:
        """topic: of what is asked."""
        self._ledger, self._sender, self._topic = ledger, sender, topic

    def standing(self, shop: Shop, pool: str, now: float) -> Standing:
        """Return how a pool stands. Raises Problem."""
        return standing(self._ledger.seen, pool, shop.coupons[pool], shop.settings.zone, now)

    def load(self, pool: str, codes: Sequence[str], now: float) -> Loaded:
        """Load codes; committed to the ledger on return. Raises Problem."""
        self._ask(asked.to_load(pool, codes, now))
        return loaded_by(self._ledger.seen, pool, codes, now)

    def find(self, pool: str, code: str) -> Code | None:
        """Return what became of a code; None where the pool has none such. Raises Problem."""
        found = find(self._ledger.seen, code, pool)
        return found[0] if found else None

    def redeem(self, one: Redemption) -> Odd:
        """Write down that a code was redeemed; committed to the ledger on return. Raises Problem."""
        self._ask(asked.to_redeem([one]))
        [odd] = written(self._ledger.seen, [one])
        assert odd is not None  # the sender has written it down
        return odd

    def _ask(self, messages: Sequence[asked.Asked]) -> None:
        """Ask the sender, and wait until all of it is done."""
        offsets = self._sender.send(self._topic, [(None, asked.encoded(one)) for one in messages])
        if not self._ledger.wait(offsets[-1], WAIT_SECONDS):
            hint = "it is done as soon as one does; the same again changes nothing"
            refuse("busy", "it is in Kafka, and no worker that sends has done it yet", hint)
