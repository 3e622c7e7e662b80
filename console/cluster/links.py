"""Short links of a cluster's messages: led on by any API process, clicks told to the sender through Kafka."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Any

from app.shop import Shop
from console.cluster.ledger import FollowedLedger
from console.cluster.sender import Sender
from console.problems import Problem
from sinks.channels.courier import Courier
from sinks.deliveries import asked
from sinks.links.following import Following
from streams.personal.attributes import personal_metrics
from streams.personal.seal import unseal
from streams.shared.index import Index
from streams.shared.vault import SharedVault

log = logging.getLogger(__name__)


class FollowedLinks:
    """Any thread may follow one. secret: of the shop's vault; key: what links are signed with; topic: of what
    is asked; shop: the settings in force."""

    def __init__(
        self, ledger: FollowedLedger, index: Index, secret: bytes, key: bytes, sender: Sender, topic: str,
        shop: Callable[[], Shop],
    ) -> None:  # fmt: skip
        self._ledger, self._index, self._secret, self._key = ledger, index, secret, key
        self._sender, self._topic, self._shop = sender, topic, shop

    def follow(self, code: str, now: float | None) -> str | None:
        """Return where a code leads; see `sinks.links.following.Following`. Raises Problem until the ledger
        is read."""
        shop = self._shop()
        courier = Courier(shop, lambda _customer, _kind: None, self._readable(shop))
        following = Following(
            self._ledger.seen, courier.leads_to, self._key, shop.settings.name, self._click
        )  # fmt: skip
        return following.follow(code, now)

    def _readable(self, shop: Shop) -> Callable[[str, Mapping[str, Any]], Mapping[str, Any]]:
        sealed = personal_metrics(shop.sources)

        def readable(customer: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
            whom = [bytes.fromhex(customer)]
            with contextlib.closing(SharedVault(self._secret, self._index)) as vault:
                return {
                    text: unseal(vault, sealed[text], whom, [value])[0] if text in sealed else value
                    for text, value in values.items()
                }

        return readable

    def _click(self, number: int, at: float) -> None:
        try:
            self._sender.send(self._topic, [(None, asked.encoded(asked.Click(number, at)))])
        except Problem as error:
            log.warning("a click is not counted: %s", error)
