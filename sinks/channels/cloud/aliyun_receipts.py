"""What Alibaba Cloud calls back with: SmsReport (reports) and SmsUp (replies), both a JSON list of objects.

https://help.aliyun.com/zh/sms/developer-reference/smsreport-2 and .../smsup-http. The service signs nothing:
the address that is given to it has a token. It calls again after 1, 5 and 10 minutes unless it is answered
with 200.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sinks.channels.callbacks import beijing_seconds, check_token, documents, is_message_id, text
from sinks.channels.cloud.aliyun import AliyunSettings, reference
from sinks.channels.cloud.message import number_of
from sinks.channels.provider import Receipt
from sinks.channels.unsubscribing import unsubscribes

ANSWER = ("application/json", b'{"code":0,"msg":"OK"}')


def receipts_of(
    body: bytes, headers: Mapping[str, str], url: str, settings: AliyunSettings,
    environment: Mapping[str, str],
) -> list[Receipt]:  # fmt: skip
    """Read a callback. url: as it was called, with its token. Raises NotSigned and InputError.

    A report's reference is the message's id where it was sent on its own, else as `Aliyun` gave it.
    """
    check_token(url, settings.receipts_token_env, environment)
    key = environment.get(settings.access_key_secret_env, "")  # who has none has sent no batch
    return [_reply(one) if "content" in one else _report(one, key) for one in documents(body, "aliyun")]


def _report(one: Mapping[str, Any], key: str) -> Receipt:
    delivered, own = one.get("success") in (True, "true"), text(one, "out_id")
    by_service = reference(text(one, "biz_id"), number_of(text(one, "phone_number")), key)
    return Receipt(
        reference=own if is_message_id(own) else by_service,
        state="delivered" if delivered else "failed",
        at=beijing_seconds(text(one, "report_time")),
        code=text(one, "err_code"),
        reason=text(one, "err_msg"),
    )


def _reply(one: Mapping[str, Any]) -> Receipt:
    said = text(one, "content")
    return Receipt(
        reference=None,
        state="unsubscribed" if unsubscribes(said) else "replied",
        at=beijing_seconds(text(one, "send_time")),
        address=number_of(text(one, "phone_number")),
        text=said,
    )
