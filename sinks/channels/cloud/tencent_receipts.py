"""What Tencent Cloud calls back with: reports, a JSON list of objects, and replies, one JSON object.

https://www.tencentcloud.com/document/product/382/43547 and .../43548. The service signs nothing: the address
that is given to it has a token.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sinks.channels.callbacks import beijing_seconds, check_token, documents, text
from sinks.channels.cloud.message import number_of
from sinks.channels.cloud.tencent import TencentSettings
from sinks.channels.provider import Receipt
from sinks.channels.unsubscribing import unsubscribes

ANSWER = ("application/json", b'{"result":0,"errmsg":"OK"}')


def receipts_of(
    body: bytes, headers: Mapping[str, str], url: str, settings: TencentSettings,
    environment: Mapping[str, str],
) -> list[Receipt]:  # fmt: skip
    """Read a callback. url: as it was called, with its token. Raises NotSigned and InputError."""
    check_token(url, settings.receipts_token_env, environment)
    return [_report(one) if "report_status" in one else _reply(one) for one in documents(body, "tencent")]


def _report(one: Mapping[str, Any]) -> Receipt:
    return Receipt(
        reference=text(one, "sid"),
        state="delivered" if one.get("report_status") == "SUCCESS" else "failed",
        at=beijing_seconds(text(one, "user_receive_time")),
        code=text(one, "errmsg"),
        reason=text(one, "description"),
    )


def _reply(one: Mapping[str, Any]) -> Receipt:
    said, seconds = text(one, "text"), one.get("time")
    return Receipt(
        reference=None,
        state="unsubscribed" if unsubscribes(said) else "replied",
        at=float(seconds) if isinstance(seconds, int | float) else None,
        address=number_of(f"+{text(one, 'nationcode')}{text(one, 'mobile')}"),
        text=said,
    )
