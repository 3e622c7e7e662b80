"""What channels.yaml says of a provider of SMS in the cloud, whichever it is."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from profiles.declare import Declared
from sinks.channels.settings import ProviderSettings
from sinks.texts.escape import EscapeName


class ProviderTemplate(Declared):
    """A template that lies with the provider, approved there, and is filled there."""

    code: str = Field(min_length=1, description="what the provider calls the template, such as SMS_123")
    variables: dict[str, str | int] = Field(
        default={}, description="name of a value of the message to the provider's name of it, or its number"
    )


class CloudSettings(ProviderSettings):
    """What is the same for every provider that is reached by its official client."""

    escape: ClassVar[EscapeName] = "sms"

    provider_templates: dict[str, ProviderTemplate] = Field(
        default={}, description="name of a template of the channel to the provider's own"
    )
    timeout: str = Field(
        default="10s", description="length after which an answer is not waited for any more"
    )
    threads: int = Field(default=8, ge=1, le=64, description="requests at the same time")


class ChineseSettings(CloudSettings):
    """What is the same for Chinese providers: a signature before each message, templates that are theirs."""

    sign_name: str = Field(description="the approved signature, without the brackets around it")
    batch: int = Field(
        default=1, ge=1, le=100, description="messages in one request; unknown for one is unknown for all"
    )
    variable_length: int | None = Field(
        default=None, ge=1, description="characters that the account may put in one variable; any when absent"
    )
    receipts_token_env: str = Field(
        default="", description="variable with the token of the callbacks' address; no receipts when empty"
    )
