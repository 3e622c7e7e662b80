"""Every kind of provider, by its settings: a new one is its file and two lines here."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from sinks.channels.aliyun import Aliyun, AliyunSettings
from sinks.channels.console import Console, ConsoleSettings
from sinks.channels.file import File, FileSettings
from sinks.channels.provider import Around, Provider
from sinks.channels.settings import ProviderSettings
from sinks.channels.smpp import Smpp, SmppSettings
from sinks.channels.tencent import Tencent, TencentSettings
from sinks.channels.twilio import Twilio, TwilioSettings

AnyProvider = Annotated[
    AliyunSettings
    | ConsoleSettings
    | FileSettings
    | SmppSettings
    | TencentSettings
    | TwilioSettings,
    Field(discriminator="kind"),
]
PROVIDERS: dict[type[ProviderSettings], Any] = {
    AliyunSettings: Aliyun,
    ConsoleSettings: Console,
    FileSettings: File,
    SmppSettings: Smpp,
    TencentSettings: Tencent,
    TwilioSettings: Twilio,
}


def make_provider(settings: ProviderSettings, around: Around) -> Provider:
    """Return a provider as declared, not opened yet."""
    made: Provider = PROVIDERS[type(settings)](settings, around)
    return made
