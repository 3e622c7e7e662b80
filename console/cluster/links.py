"""Short links of a cluster's messages: led on by any API process, clicks told to the sender through Kafka."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from app.sending.links import former_signers
from app.shop import Shop
from console.cluster.ledger import FollowedLedger
from console.cluster.sender import Sender
from console.problems import Problem
from sinks.channels.courier import Courier
from sinks.deliveries import asked
from sinks.links.following import Following
from streams.personal.attributes import opened_values, personal_metrics
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
        self._made: tuple[Shop, Courier] | None = None

    def follow(self, code: str, now: float | None) -> str | None:
        """Return where a code leads; see `sinks.links.following.Following`. Raises Problem until the ledger
        is read."""
        courier, ledger = self._courier_of(self._shop()), self._ledger.seen
        following = Following(
            ledger, courier.leads_to, self._key, self._shop().settings.name, self._click,
            former_signers(ledger, self._secret),
        )  # fmt: skip
        return following.follow(code, now)

    def _courier_of(self, shop: Shop) -> Courier:
        """Return what makes links under these settings: it is made once for them, not at each click."""
        made = self._made
        if made is None or made[0] is not shop:
            sealed = personal_metrics(shop.sources)
            readable = partial(self._readable, sealed)
            made = self._made = shop, Courier(shop, lambda _customer, _kind: None, readable)
        return made[1]

    def _readable(
        self, sealed: Mapping[str, str], customer: str, values: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        with contextlib.closing(SharedVault(self._secret, self._index)) as vault:
            return opened_values(vault, sealed, bytes.fromhex(customer), values)

    def _click(self, number: int, at: float) -> None:
        try:
            self._sender.send(self._topic, [(None, asked.encoded(asked.Click(number, at)))])
        except Problem as error:
            log.warning("a click is not counted: %s", error)
