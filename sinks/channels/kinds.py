"""Every kind of provider, by its settings: a new one is its file and two lines here."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from sinks.channels.cloud.aliyun import Aliyun, AliyunSettings
from sinks.channels.cloud.tencent import Tencent, TencentSettings
from sinks.channels.cloud.twilio import Twilio, TwilioSettings
from sinks.channels.console import Console, ConsoleSettings
from sinks.channels.file import File, FileSettings
from sinks.channels.inbox import InboxProvider, InboxSettings
from sinks.channels.mail.mail import Mail, MailSettings
from sinks.channels.provider import Around, Provider
from sinks.channels.settings import ProviderSettings
from sinks.channels.smpp.settings import SmppSettings
from sinks.channels.smpp.smpp import Smpp
from sinks.channels.web.dingtalk import DingTalk, DingTalkSettings
from sinks.channels.web.webhook import Webhook, WebhookSettings
from sinks.channels.web.wecom import WeCom, WeComSettings

AnyProvider = Annotated[
    AliyunSettings
    | ConsoleSettings
    | DingTalkSettings
    | FileSettings
    | InboxSettings
    | MailSettings
    | SmppSettings
    | TencentSettings
    | TwilioSettings
    | WebhookSettings
    | WeComSettings,
    Field(discriminator="kind"),
]
PROVIDERS: dict[type[ProviderSettings], Any] = {
    AliyunSettings: Aliyun,
    ConsoleSettings: Console,
    DingTalkSettings: DingTalk,
    FileSettings: File,
    InboxSettings: InboxProvider,
    MailSettings: Mail,
    SmppSettings: Smpp,
    TencentSettings: Tencent,
    TwilioSettings: Twilio,
    WebhookSettings: Webhook,
    WeComSettings: WeCom,
}


def make_provider(settings: ProviderSettings, around: Around) -> Provider:
    """Return a provider as declared, not opened yet."""
    made: Provider = PROVIDERS[type(settings)](settings, around)
    return made
