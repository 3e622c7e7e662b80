"""Putting messages into inboxes: the arguments of the script, for whatever client writes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from sinks.inbox.message import Shown
from sinks.inbox.names import inbox_key, news_channel

SCRIPT = (Path(__file__).parent / "put.lua").read_text(encoding="utf-8")
DIGEST = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()  # the server's name of the script
MOST = 100  # messages of one customer
KEEP_SECONDS = 30 * 86_400


@dataclass(frozen=True)
class Putting:
    """How one shop's messages are put: how many a customer has at most, and for how many seconds."""

    shop: str
    partitions: int
    most: int = MOST
    keep_seconds: int = KEEP_SECONDS

    def arguments(
        self, customer: bytes, message: str, shown: Shown, priority: int, now: float
    ) -> tuple[str, ...]:
        """Return key and arguments of the script. message: its id; now: seconds since 1970."""
        ms = int(now * 1000)
        return (
            inbox_key(self.shop, self.partitions, customer), str(ms), str(self.most),
            news_channel(self.shop), customer.hex(), message, str(ms + self.keep_seconds * 1000),
            str(priority), msgspec.json.encode(shown).decode(),
        )  # fmt: skip
