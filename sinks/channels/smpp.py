"""SMS by SMPP 3.4, the protocol of carriers and of most SMS gateways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from sinks.channels.message import Message
from sinks.channels.provider import Around, Outcome, Refused
from sinks.channels.settings import ProviderSettings
from sinks.texts.escape import EscapeName

if TYPE_CHECKING:  # asyncio and smpplib are loaded when a provider is opened
    from sinks.channels.smpp_client import Client


class SmppSettings(ProviderSettings):
    """An SMSC, or a gateway that speaks as one."""

    escape: ClassVar[EscapeName] = "sms"

    kind: Literal["smpp"] = "smpp"
    host: str = Field(min_length=1, description="name or address of the SMSC")
    port: int = Field(default=2775, ge=1, le=65535, description="its port")
    tls: bool = Field(default=False, description="whether the connection is TLS; its certificate is checked")
    system_id: str = Field(min_length=1, max_length=15, description="the account")
    password_env: str = Field(min_length=1, description="environment variable with the password")
    system_type: str = Field(default="", max_length=12, description="as the provider says; mostly empty")
    service_type: str = Field(default="", max_length=5, description="as the provider says; mostly empty")
    bind: Literal["transceiver", "transmitter"] = Field(
        default="transceiver", description="a transmitter sends, and gets no receipts and no answers"
    )
    source: str = Field(default="", max_length=20, description="who it comes from: a number or a name")
    source_ton: int = Field(default=0, ge=0, le=6, description="type of number; 5 is a name")
    source_npi: int = Field(default=0, ge=0, le=18, description="numbering plan")
    destination_ton: int = Field(default=1, ge=0, le=6, description="type of number; 1 is international")
    destination_npi: int = Field(default=1, ge=0, le=18, description="numbering plan; 1 is telephone")
    window: int = Field(default=10, ge=1, le=1000, description="submits in flight")
    enquire_seconds: float = Field(default=30, ge=1, description="silence after which enquire_link is sent")
    response_seconds: float = Field(default=10, ge=1, description="time for an answer")
    reference_bits: Literal[8, 16] = Field(default=8, description="of the number that joins parts")
    receipt_ids: Literal["same", "decimal"] = Field(
        default="same", description="decimal: receipts have the id in decimal, answers in hexadecimal"
    )
    zone: str = Field(default="UTC", description="time zone of the dates in receipts")


class Smpp:
    """Keeps one session while it is open; `sinks.channels.smpp_client` says how messages go out."""

    def __init__(self, settings: SmppSettings, around: Around) -> None:
        self._settings, self._around = settings, around
        self._client: Client | None = None

    async def open(self) -> None:
        """Begin to connect, and wait for the first attempt. Without a usable password nothing is begun."""
        from sinks.channels.smpp_client import Client

        if self._client is None and self._refusal() is None:
            password = self._around.environment[self._settings.password_env]
            self._client = Client(self._settings, password, self._around.receive)
            await self._client.open()

    async def send(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Submit the messages, up to the window at a time."""
        if self._client is None:
            return [self._refusal() or Refused("retry", "", "the provider is closed") for _ in messages]
        return await self._client.send(messages)

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
