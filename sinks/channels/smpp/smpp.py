"""SMS by SMPP 3.4, the protocol of carriers and of most SMS gateways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sinks.channels.batch import Batch
from sinks.channels.outcome import Refused
from sinks.channels.provider import Around
from sinks.channels.smpp.settings import SmppSettings

if TYPE_CHECKING:  # asyncio and smpplib are loaded when a provider is opened
    from sinks.channels.smpp.client import Client


class Smpp:
    """Keeps one session while it is open; `sinks.channels.smpp.client` says how messages go out."""

    def __init__(self, settings: SmppSettings, around: Around) -> None:
        self._settings, self._around = settings, around
        self._client: Client | None = None

    async def open(self) -> None:
        """Begin to connect, and wait for the first attempt. Without a usable password nothing is begun."""
        from sinks.channels.smpp.client import Client

        if self._client is None and self._refusal() is None:
            password = self._around.environment[self._settings.password_env]
            self._client = Client(self._settings, password, self._around.receive)
            await self._client.open()

    async def send(self, batch: Batch) -> None:
        """Submit the messages, up to the window at a time."""
        if self._client is None:
            batch.tell_all(self._refusal() or Refused("retry", "", "the provider is closed"))
        else:
            await self._client.send(batch)

    async def close(self) -> None:
        """Wait for answers at hand, unbind and close."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _refusal(self) -> Refused | None:
        """Say what is wrong with the password, if something is."""
        name = self._settings.password_env
        password = self._around.environment.get(name, "")
        if not password:
            return Refused("stop", "", f"environment variable {name} is not set")
        # SMPP 3.4, section 5.2.2: nine octets with the NULL; smpplib would cut a longer one off
        if len(password) > 8 or not password.isascii():
            return Refused("stop", "", f"environment variable {name} is no password of SMPP: 1 to 8 letters")
        return None
