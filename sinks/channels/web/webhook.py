"""A webhook: each message as a POST of JSON, signed after Standard Webhooks.

Whoever receives it can check that it comes from here, is whole and is not replayed, with any library of
standardwebhooks.com. The header ``webhook-id`` is the message's id, so what is sent again has the same one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar, Literal

import msgspec
from pydantic import Field, ValidationInfo, field_validator

from sinks.channels.batch import Batch, side_by_side
from sinks.channels.message import Message
from sinks.channels.outcome import Accepted, Outcome, Refused
from sinks.channels.provider import Around
from sinks.channels.web.posting import Answer, Poster, PostingSettings, check_url
from sinks.channels.web.safe_dial import LookUp, look_up
from sinks.texts.escape import EscapeName

TYPE = "message.send"  # of the event, as Standard Webhooks calls it
CARRIED = (
    "to", "customer", "channel", "template", "trigger", "purpose", "priority", "title", "text", "expires",
)  # fmt: skip
AGAIN = (408, 425, 429)
MENDED_BY_PEOPLE = (401, 410)  # a signature that is not accepted, a receiver that is gone for good


class WebhookSettings(PostingSettings):
    """A signed POST to a URL."""

    escape: ClassVar[EscapeName] = "values"
    replays: ClassVar[bool] = True

    kind: Literal["webhook"] = "webhook"
    url: str = Field(description="https:// of the receiver")
    secrets_env: list[str] = Field(
        min_length=1,
        description="variables of the secrets, the newest first; it is signed with each of them",
    )

    @field_validator("url")
    @classmethod
    def _can_be_posted_to(cls, url: str, told: ValidationInfo) -> str:
        return check_url(url, told)


class Webhook:
    """Posts messages, several at a time."""

    def __init__(self, settings: WebhookSettings, around: Around, find: LookUp = look_up) -> None:
        self._settings = settings
        self._environment = around.environment
        self._poster = Poster(settings, settings.url, find)
        self._secrets: list[bytes] = []
        self._refused: Refused | None = None

    async def open(self) -> None:
        """Read the secrets and make the session."""
        self._secrets, self._refused = [], None
        try:
            self._secrets = [read_secret(name, self._environment) for name in self._settings.secrets_env]
        except ValueError as problem:
            self._refused = Refused("stop", "secret", str(problem))
        await self._poster.open()

    async def send(self, batch: Batch) -> None:
        """Post the messages side by side."""
        if self._refused:
            batch.tell_all(self._refused)
            return
        ways = min(self._settings.connections, len(batch))
        await side_by_side(ways, self._poster.room, partial(batch.carry_one, self._send))

    async def _send(self, message: Message) -> Outcome:
        body = write_body(message)
        headers = sign(self._secrets, message.id, int(time.time()), body)
        answer = await self._poster.post(body, headers)
        return _outcome(answer, message.id) if isinstance(answer, Answer) else answer

    async def close(self) -> None:
        """Let go of the connections."""
        await self._poster.close()


def read_secret(name: str, environment: Any) -> bytes:
    """Return the secret of a variable. Raises ValueError where it cannot be used."""
    text = environment.get(name, "")
    if not text:
        raise ValueError(f"{name} is not set: put the secret into the environment")
    try:
        secret = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise ValueError(f"{name} is no secret: write whsec_ and base64") from None
    # "between 24 bytes (192 bits) and 64 bytes (512 bits)" - Standard Webhooks, Signature scheme
    if not 24 <= len(secret) <= 64:
        raise ValueError(f"{name} has {len(secret)} bytes: make a secret of 24 to 64")
    return secret


def write_body(message: Message) -> bytes:
    """Return the JSON document of a message."""
    data: dict[str, Any] = {name: getattr(message, name) for name in CARRIED}
    return msgspec.json.encode({
        "id": message.id, "type": TYPE, "timestamp": datetime.fromtimestamp(message.minute * 60, UTC),
        "data": {**data, "values": dict(message.values)},
    })  # fmt: skip


def sign(secrets: Sequence[bytes], message_id: str, at: int, body: bytes) -> dict[str, str]:
    """Return the headers that go with a body at a time (seconds since 1970)."""
    # "the content to sign: msg_id.timestamp.payload" - Standard Webhooks, Signature scheme
    signed = f"{message_id}.{at}.".encode() + body
    macs = (hmac.digest(secret, signed, hashlib.sha256) for secret in secrets)
    signatures = " ".join("v1," + base64.b64encode(mac).decode() for mac in macs)
    return {
        "Content-Type": "application/json", "User-Agent": "Tintype", "webhook-id": message_id,
        "webhook-timestamp": str(at), "webhook-signature": signatures,
    }  # fmt: skip


def _outcome(answer: Answer, message_id: str) -> Outcome:
    status = answer.status
    if 200 <= status < 300:
        return Accepted(message_id)
    code, told = str(status), answer.text or f"status {status}"
    if (doubt := answer.doubt) is not None:
        return doubt
    if status in AGAIN or status >= 500:
        return Refused("retry", code, told, answer.after)
    if status < 400:
        return Refused("stop", code, "a redirect, which is not followed: write the URL that it leads to")
    return Refused("stop" if status in MENDED_BY_PEOPLE else "give_up", code, told)
