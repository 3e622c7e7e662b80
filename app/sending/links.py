"""A shop's short links: their secret, and what makes them."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping
from pathlib import Path

from app.kept_secret import KeptSecret
from app.log_folder import keys_folder
from app.shop import Shop
from sinks.deliveries.ledger import Ledger
from sinks.links.code import Shorten, shortener
from streams.shared.vault import Wrap

ENVIRONMENT = "TINTYPE_LINKS_SECRET"
FILE_NAME = "links.key"
_LABEL = b"links"  # under which a former shop's key is wrapped


def own_secret(folder: Path, shop: Shop, environment: Mapping[str, str] = os.environ) -> bytes:
    """Return what links of an embedded shop are signed with: TINTYPE_LINKS_SECRET, else the file
    ``links.key`` beside the API's keys, made with the first link. Another ends every link that is out. Raises
    InputError."""
    kept = KeptSecret(keys_folder(folder, shop) / FILE_NAME, ENVIRONMENT, environment)
    return kept.read(make=bool(shop.settings.links.base))


def secret_of_cluster(secret: bytes) -> bytes:
    """Return what links of a cluster are signed with: it follows from the shop's secret."""
    return hmac.digest(secret, b"tintype short links", hashlib.sha256)


def wrapped(secret: bytes, key: bytes) -> str:
    """Return what a shop's links were signed with as a ledger may hold it, under the shop's secret."""
    return Wrap(secret).wrap(_LABEL, key).hex()


def former_signers(ledger: Ledger, secret: bytes) -> list[tuple[bytes, str]]:
    """Return (key, name) of the shops that were migrated into a cluster, whose links lead on there. secret:
    the shop's."""
    wrap = Wrap(secret)
    return [
        (wrap.unwrap(_LABEL, bytes.fromhex(key)) if key else secret_of_cluster(secret), shop)
        for shop, key in ledger.rows("SELECT shop, key FROM linked ORDER BY shop, key")
    ]


def shortener_of(shop: Shop, key: bytes) -> Shorten | None:
    """Return what makes short links; None where `[links] base` is not set."""
    base = shop.settings.links.base
    return shortener(base, key, shop.settings.name) if base else None
