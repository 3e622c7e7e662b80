"""Every kind of provider, by its settings: a new one is its file and a line here."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from sinks.channels.console import Console, ConsoleSettings
from sinks.channels.dingtalk import DingTalk, DingTalkSettings
from sinks.channels.file import File, FileSettings
from sinks.channels.mail import Mail, MailSettings
from sinks.channels.provider import Around, Provider
from sinks.channels.settings import ProviderSettings
from sinks.channels.webhook import Webhook, WebhookSettings
from sinks.channels.wecom import WeCom, WeComSettings

AnyProvider = Annotated[
    ConsoleSettings
    | FileSettings
    | WebhookSettings
    | MailSettings
    | WeComSettings
    | DingTalkSettings,
    Field(discriminator="kind"),
]
PROVIDERS: dict[type[ProviderSettings], Any] = {
    ConsoleSettings: Console,
    FileSettings: File,
    WebhookSettings: Webhook,
    MailSettings: Mail,
    WeComSettings: WeCom,
    DingTalkSettings: DingTalk,
}


def make_provider(settings: ProviderSettings, around: Around) -> Provider:
    """Return a provider as declared, not opened yet."""
    made: Provider = PROVIDERS[type(settings)](settings, around)
    return made
