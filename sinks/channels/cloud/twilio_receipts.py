"""What Twilio calls back with: status callbacks and incoming messages, forms signed with the account's token.

https://www.twilio.com/docs/usage/webhooks/webhooks-security: X-Twilio-Signature is the base64 of HMAC-SHA1
over the address as Twilio called it, followed by each field's name and value in the order of the names.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from sinks.channels.callbacks import NotSigned, is_message_id
from sinks.channels.cloud.twilio import CODES, TwilioSettings
from sinks.channels.provider import Receipt
from sinks.channels.unsubscribing import unsubscribes
from streams.errors import InputError

ANSWER = ("text/xml", b"<Response/>")
_DELIVERED, _FAILED = ("delivered", "read"), ("failed", "undelivered", "canceled")
Form = Mapping[str, list[str]]


def receipts_of(
    body: bytes, headers: Mapping[str, str], url: str, settings: TwilioSettings,
    environment: Mapping[str, str],
) -> list[Receipt]:  # fmt: skip
    """Read a callback. url: as Twilio called it, with scheme, host and query.

    Raises NotSigned and InputError.
    """
    try:
        form = parse_qs(body.decode("utf-8"), keep_blank_values=True, strict_parsing=bool(body))
    except ValueError as error:
        hint = "check what the address is called by"
        raise InputError("twilio", f"the callback is no form ({error})", hint) from None
    given = next((value for name, value in headers.items() if name.lower() == "x-twilio-signature"), "")
    token = environment.get(settings.auth_token_env, "")
    signed = [signature(one, form, token) for one in _with_and_without_port(url)] if token else []
    if not any(hmac.compare_digest(one.encode(), given.encode()) for one in signed):
        raise NotSigned("X-Twilio-Signature is not the account's")
    fields = {name: values[0] for name, values in form.items()}
    if "MessageStatus" in fields:
        return _report(fields, parse_qs(urlsplit(url).query).get("message", [""])[0])
    return [_reply(fields, settings.country_code)] if "From" in fields else []


def signature(url: str, form: Form, token: str) -> str:
    """Return the signature of a call."""
    signed = url + "".join(name + value for name in sorted(form) for value in sorted(set(form[name])))
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(), "sha1")).decode()


def _report(fields: Mapping[str, str], own: str) -> list[Receipt]:
    """Return nothing for what is on its way (queued, sent ...). A callback has no time to be relied on.

    own: the message's id, which is the reference where it is one.
    """
    status, code = fields["MessageStatus"], fields.get("ErrorCode", "")
    if status not in _DELIVERED + _FAILED:
        return []
    _, meaning = CODES.get(int(code) if code.isdecimal() else 0, ("", ""))
    return [
        Receipt(
            reference=own if is_message_id(own) else fields.get("MessageSid", ""),
            state="delivered" if status in _DELIVERED else "failed",
            code=code,
            reason="" if status in _DELIVERED else meaning or status,
        )
    ]


def _reply(fields: Mapping[str, str], country_code: str) -> Receipt:
    said, kind = fields.get("Body", ""), fields.get("OptOutType", "")
    stopped = kind == "STOP" or (not kind and unsubscribes(said))
    number = fields["From"]
    if country_code and number.startswith(f"+{country_code}"):
        number = number.removeprefix(f"+{country_code}")
    return Receipt(None, "unsubscribed" if stopped else "replied", address=number, text=said)


def _with_and_without_port(url: str) -> list[str]:
    """Twilio signs some addresses with their port and some without; its own clients try both."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = parts.netloc.removesuffix(f":{port}")
    return [url, *(parts._replace(netloc=one).geturl() for one in (host, f"{host}:{port}"))]
