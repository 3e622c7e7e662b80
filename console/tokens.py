"""Tokens with which a shop's page reads the inbox of its own customer: signed, short-lived, kept nowhere."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.kept_secret import KeptSecret

ENVIRONMENT = "TINTYPE_INBOX_SECRET"
FILE_NAME = "inbox.key"
PREFIX = "tti_"
_BODY = struct.Struct(">16sQ")  # customer, until when in seconds since 1970
_MAC_BYTES = 16


class NoToken(Exception):
    """This is no token of this shop. The text says why."""


class Over(NoToken):
    """It was one."""


@dataclass(frozen=True)
class Bearer:
    """Whose token it is (id of 16 bytes), and until when it holds, in seconds since 1970."""

    customer: bytes
    until: int


class Tokens:
    """One shop's. The secret is TINTYPE_INBOX_SECRET, else the file ``inbox.key`` beside the API's keys,
    which is made with the first token (mode 0600). Another secret ends every token that is out.
    """

    def __init__(self, folder: Path, shop: str, environment: Mapping[str, str] = os.environ) -> None:
        self._shop, self._secret = shop, KeptSecret(folder / FILE_NAME, ENVIRONMENT, environment)

    def make(self, bearer: Bearer) -> str:
        """Return a token. Raises InputError for a secret that is too short."""
        body = _BODY.pack(bearer.customer, bearer.until)
        signed = body + self._mac(self._secret.read(make=True), body)
        return PREFIX + base64.urlsafe_b64encode(signed).decode().rstrip("=")

    def read(self, given: str, now: float) -> Bearer:
        """Return whose a token is at a time (seconds since 1970). Raises NoToken."""
        text = given.removeprefix(PREFIX)
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise NoToken("it is no token of an inbox") from None
        body, mac = raw[: _BODY.size], raw[_BODY.size :]
        key = self._secret.read(make=False)
        if len(raw) != _BODY.size + _MAC_BYTES or not hmac.compare_digest(mac, self._mac(key, body)):
            raise NoToken("it is no token of an inbox, or signed with another secret")
        bearer = Bearer(*_BODY.unpack(body))
        if bearer.until <= now:
            raise Over("the token is over")
        return bearer

    def _mac(self, key: bytes, body: bytes) -> bytes:
        said = b"tintype inbox token 1\0" + self._shop.encode() + b"\0" + body
        return hmac.digest(key, said, hashlib.sha256)[:_MAC_BYTES]
