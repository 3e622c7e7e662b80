"""A shop's short links: their secret, and what makes and follows them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from app.kept_secret import KeptSecret
from app.log_folder import keys_folder
from app.shop import Shop
from sinks.channels.courier import Courier
from sinks.deliveries.ledger import Ledger
from sinks.links.code import Shorten, shortener
from sinks.links.following import Following

ENVIRONMENT = "TINTYPE_LINKS_SECRET"
FILE_NAME = "links.key"


class Links:
    """One shop's. The secret is TINTYPE_LINKS_SECRET, else the file ``links.key`` beside the API's keys,
    which is made when the first link is. Another secret ends every link that is out."""

    def __init__(self, folder: Path, shop: Shop, environment: Mapping[str, str] = os.environ) -> None:
        self._base, self._shop = shop.settings.links.base, shop.settings.name
        self._secret = KeptSecret(keys_folder(folder, shop) / FILE_NAME, ENVIRONMENT, environment)

    def shorten(self) -> Shorten | None:
        """Return what makes them; None where `[links] base` is not set. Raises InputError."""
        return shortener(self._base, self._secret.read(make=True), self._shop) if self._base else None

    def following(self, ledger: Ledger, courier: Courier, say: Callable[[str], None]) -> Following:
        """Return what follows them, also those that were made while there was a base. Raises InputError."""
        return Following(ledger, courier.leads_to, self._secret.read(make=False), self._shop, say)
