"""Twilio's Programmable Messaging (API 2010-04-01), by the official client: texts, or Twilio's templates."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

from pydantic import Field

from sinks.channels.cloud.errors import Verdict, installed, said_no, secret
from sinks.channels.cloud.message import Prepared, Unfit
from sinks.channels.cloud.sending import CloudSms
from sinks.channels.cloud.settings import CloudSettings
from sinks.channels.message import Message
from sinks.channels.outcome import Accepted, Outcome
from sinks.channels.provider import Around

# https://www.twilio.com/docs/api/errors: 2xxxx answer a request, 3xxxx come in a message or its callback.
CODES: dict[int, tuple[Verdict, str]] = {
    20003: ("stop", "authentication failed"),
    20005: ("stop", "the account is not active"),
    20008: ("stop", "test credentials cannot do this"),
    20403: ("stop", "forbidden"),
    20404: ("stop", "no such account"),
    20429: ("retry", "too many requests"),
    20500: ("unknown", "internal error"),
    20503: ("unknown", "the service is unavailable"),
    21211: ("give_up", "'To' is no valid number"),
    21212: ("stop", "'From' is no valid number"),
    21408: ("give_up", "sending to this region is not enabled"),
    21602: ("give_up", "the text is empty"),
    21603: ("stop", "'From' is missing"),
    21604: ("give_up", "'To' is missing"),
    21606: ("stop", "'From' is no number that sends messages"),
    21608: ("give_up", "a trial account sends to verified numbers only"),
    21609: ("stop", "the status callback is no valid address"),
    21610: ("give_up", "the customer has unsubscribed from this sender"),
    21611: ("retry", "'From' has too many messages waiting"),
    21612: ("give_up", "'To' cannot be reached from 'From'"),
    21614: ("give_up", "'To' is no mobile number"),
    21617: ("give_up", "the text has more than 1600 characters"),
    21619: ("give_up", "there is neither text nor template"),
    21635: ("give_up", "'To' is a landline"),
    21655: ("give_up", "there is no such template"),
    21656: ("give_up", "the template's variables are not valid"),
    21660: ("stop", "'From' is another account's"),
    21701: ("stop", "there is no such messaging service"),
    21703: ("stop", "the messaging service has no numbers"),
    21705: ("stop", "the messaging service is not valid"),
    30001: ("retry", "queue overflow"),
    30002: ("stop", "account suspended"),
    30003: ("retry", "unreachable destination handset"),
    30004: ("give_up", "message blocked"),
    30005: ("give_up", "unknown destination handset"),
    30006: ("give_up", "landline or unreachable carrier"),
    30007: ("give_up", "message filtered"),
    30008: ("unknown", "unknown error"),
    30034: ("stop", "the number is not registered (A2P 10DLC)"),
}


class TwilioSettings(CloudSettings):
    """SMS by Twilio."""

    kind: Literal["twilio"] = "twilio"
    account_sid_env: str = Field(
        default="TWILIO_ACCOUNT_SID", description="variable with the account's SID"
    )
    auth_token_env: str = Field(
        default="TWILIO_AUTH_TOKEN", description="variable with the account's token; it signs callbacks too"
    )
    sender: str = Field(description="number with +, sender id, or SID of a messaging service (MG...)")
    country_code: str = Field(
        default="", description="code of the country of numbers without +, such as '86'"
    )
    status_callback: str = Field(
        default="", description="address that Twilio tells receipts to; none come when empty"
    )
    endpoint: str = Field(default="https://api.twilio.com", description="address of the service")


class Twilio(CloudSms[Any]):
    """Sends each message in a request of its own.

    The service keeps nothing from going out twice. The address of its callbacks carries a message's id, so
    that one whose answer was lost is known by it.
    """

    def __init__(self, settings: TwilioSettings, around: Around) -> None:
        super().__init__(settings, around.environment)
        self._settings = settings

    def connect(self) -> Any:
        """Make the client; it tries nothing again by itself."""
        with installed("twilio"):
            from twilio.http.http_client import TwilioHttpClient
            from twilio.rest import Client
        made = Client(
            secret(self.environment, self._settings.account_sid_env),
            secret(self.environment, self._settings.auth_token_env),
            http_client=TwilioHttpClient(timeout=self.seconds),
        )
        made.api.base_url = self._settings.endpoint
        return made

    def prepare(self, message: Message) -> Prepared:
        """Take Twilio's template where there is one for the message's; otherwise its text is sent."""
        number = international(message.address, self._settings.country_code)
        template = self._settings.provider_templates.get(message.template)
        if template is None:
            return Prepared(message, number, "", {})
        missing = [name for name in template.variables if not message.values.get(name)]
        if missing:
            raise Unfit(f"'{missing[0]}' is not known of this customer")
        values = {str(theirs): message.values[ours] for ours, theirs in template.variables.items()}
        return Prepared(message, number, template.code, values)

    def groups(self, prepared: Sequence[Prepared]) -> Sequence[Sequence[Prepared]]:
        """A request is a message."""
        return [[one] for one in prepared]

    def carry(self, client: Any, group: Sequence[Prepared]) -> Sequence[Outcome]:
        """Create the message."""
        from twilio.base.exceptions import TwilioRestException, TwilioServiceException

        (one,) = group
        fields = {"body": one.message.text}
        if one.template:
            variables = json.dumps(one.variables, ensure_ascii=False)
            fields = {"content_sid": one.template, "content_variables": variables}
        service = self._settings.sender.startswith("MG")
        fields["messaging_service_sid" if service else "from_"] = self._settings.sender
        if self._settings.status_callback:
            fields["status_callback"] = with_id(self._settings.status_callback, one.message.id)
        try:
            made = client.messages.create(to=one.number, **fields)
        except TwilioRestException as error:
            return [outcome_of(error.code, str(error.msg), error.status)]
        except TwilioServiceException as error:
            return [outcome_of(error.code, str(error.detail or error.title), error.status)]
        if made.status in ("failed", "undelivered", "canceled"):
            return [outcome_of(made.error_code, str(made.error_message or made.status), 200)]
        return [Accepted(made.sid, max(1, int(made.num_segments or 1)))]


def outcome_of(code: int | None, message: str, status: int) -> Outcome:
    """Return the outcome of a code, of an HTTP status.

    A code that is not in the table is a no to this message; from a server that fails (5xx) it is unknown, and
    with 429 it may be tried again.
    """
    rest: Verdict = "retry" if status == 429 else "unknown" if status >= 500 else "give_up"
    verdict, meaning = CODES.get(code or 0, (rest, ""))
    return said_no(verdict, str(code or status), message or meaning)


def with_id(address: str, message: str) -> str:
    """Return an address with a message's id in its query.

    >>> with_id("https://shop.example/x?a=1", "ab"), with_id("https://shop.example/x", "ab")
    ('https://shop.example/x?a=1&message=ab', 'https://shop.example/x?message=ab')
    """
    parts = urlsplit(address)
    query = "&".join(one for one in (parts.query, urlencode({"message": message})) if one)
    return parts._replace(query=query).geturl()


def international(address: str, country_code: str) -> str:
    """Return a number with + and the country's code (E.164).

    >>> [international(text, "86") for text in ("138 0000 1001", "+1 (202) 555-0100", "0085212345678")]
    ['+8613800001001', '+12025550100', '+85212345678']
    """
    bare = re.sub(r"[\s()-]", "", address)
    if bare.startswith("+"):
        return bare
    return f"+{bare[2:]}" if bare.startswith("00") else f"+{country_code}{bare}"
