"""An inbox: messages that customers read in the shop's own pages and apps."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sinks.channels.batch import Batch
from sinks.channels.outcome import Refused
from sinks.channels.provider import Around
from sinks.channels.settings import ProviderSettings, parse_seconds


class InboxSettings(ProviderSettings):
    """A customer's inbox in the profile store."""

    kind: Literal["inbox"] = "inbox"
    keep: str = Field(default="30d", description="length for which a message is shown")
    most: int = Field(
        default=100, ge=1, le=1000, description="messages of a customer; beyond it the oldest read ones go"
    )
    link: str = Field(default="link", description="the action's value that holds the address to open")


class InboxProvider:
    """Puts messages into inboxes. Putting one twice is putting it once, so `Unknown` may be tried again."""

    def __init__(self, settings: InboxSettings, around: Around) -> None:
        # here, for the command line starts without the store's client and NumPy
        from sinks.inbox.posting import Posting
        from sinks.inbox.putting import Putting

        keep = parse_seconds(settings.keep)
        putting = Putting(around.shop, around.partitions, settings.most, keep)
        self._posting = None if around.store is None else Posting(around.store, putting, settings.link)

    async def open(self) -> None:
        """Nothing: the store is connected to with the first message."""

    async def send(self, batch: Batch) -> None:
        """Put the messages in, all in one exchange."""
        if self._posting is None:
            batch.tell_all(Refused("stop", "", "there is no profile store here"))
            return
        messages = list(batch)
        for message, outcome in zip(messages, await self._posting.put(messages), strict=True):
            batch.tell(message, outcome)

    async def close(self) -> None:
        """Let go of the connections that rest; the client is not this provider's own."""
        if self._posting is not None:
            await self._posting.rest()
