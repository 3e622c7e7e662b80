"""Twilio by its official client, against a server that checks the account; its callbacks' signature."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import urlencode

import pytest

from sinks.channels.callbacks import NotSigned
from sinks.channels.cloud.settings import ProviderTemplate
from sinks.channels.cloud.twilio import CODES, Twilio, TwilioSettings, outcome_of
from sinks.channels.cloud.twilio_receipts import receipts_of
from sinks.channels.message import Message
from sinks.channels.outcome import Accepted, Outcome, Refused, Unknown
from sinks.channels.provider import Receipt
from streams.errors import InputError
from tests.sinks.cloud_far import CloudFar, without_proxies
from tests.sinks.loopback_sms import Answer
from tests.sinks.loopback_twilio import ACCOUNT, TEMPLATES, TOKEN, LoopbackTwilio, refused
from tests.sinks.provider_contract import MESSAGE, Loop, ProviderContract, handed

ENVIRONMENT = {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN}
REFUSALS = {"retry": 20429, "give_up": 21211, "stop": 20003}


class FarTwilio(CloudFar):
    server: LoopbackTwilio

    def __init__(self, environment: Mapping[str, str] = ENVIRONMENT, **changed: Any) -> None:
        super().__init__(LoopbackTwilio(), environment)
        settings: dict[str, Any] = {
            "sender": "+12025550100", "country_code": "86", "endpoint": self.server.endpoint,
        } | changed  # fmt: skip
        self.settings = TwilioSettings(**settings)
        self.provider = Twilio(self.settings, self.around)

    def refuse(self, verdict: Literal["retry", "give_up", "stop"]) -> bool:
        self.server.next_answers.append(refused(REFUSALS[verdict]))
        return True


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)


class TestTwilio(ProviderContract):
    @pytest.fixture
    def far(self) -> Iterator[FarTwilio]:
        far = FarTwilio()
        yield far
        assert far.server.badly_signed == []
        far.server.close()


def sent(far: FarTwilio, messages: Sequence[Message]) -> list[Outcome]:
    loop = Loop()
    try:
        return loop.run(handed(far.provider, messages))
    finally:
        loop.run(far.provider.close())
        loop.close()
        far.server.close()


def test_the_text_is_sent_from_the_sender_and_receipts_are_asked_for() -> None:
    far = FarTwilio(status_callback="https://shop.example/v1/receipts/sms")
    (outcome,) = sent(far, [MESSAGE])
    assert far.server.requests == [
        {"To": "+8613800001001", "From": "+12025550100", "Body": MESSAGE.text,
         "StatusCallback": f"https://shop.example/v1/receipts/sms?message={MESSAGE.id}"}
    ]  # fmt: skip
    assert outcome == Accepted(f"SM{1:032x}", 2)


def test_a_template_of_twilios_is_sent_in_place_of_the_text_by_a_messaging_service() -> None:
    template = ProviderTemplate(code=next(iter(TEMPLATES)), variables={"orders": 1, "name": "2"})
    far = FarTwilio(sender="MG" + "2" * 32, provider_templates={"thanks": template})
    message = replace(MESSAGE, to="phone:+12025550123", values={"orders": "3", "name": "Ann"})
    outcomes = sent(far, [message, replace(message, id="0" * 32, values={"orders": "3"})])
    assert far.server.out == ["+12025550123: Order 3 of Ann"]
    assert "MessagingServiceSid" in far.server.requests[0]
    assert outcomes[1] == Refused("give_up", "", "'name' is not known of this customer")


def test_a_wrong_token_stops() -> None:
    far = FarTwilio({**ENVIRONMENT, "TWILIO_AUTH_TOKEN": "another"})
    (outcome,) = sent(far, [MESSAGE])
    assert isinstance(outcome, Refused)
    assert (outcome.verdict, outcome.code) == ("stop", "20003")
    assert far.server.badly_signed == ["the account or its token is wrong"]


def test_a_secret_that_is_not_there_stops_and_says_which() -> None:
    outcome = Refused("stop", "", "the environment variable TWILIO_ACCOUNT_SID is not set")
    assert sent(FarTwilio({}), [MESSAGE]) == [outcome]


def test_a_missing_package_stops_and_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "twilio.rest", None)
    (outcome,) = sent(FarTwilio(), [MESSAGE])
    assert isinstance(outcome, Refused)
    assert outcome.verdict == "stop"
    assert "requirements/install.sh sms" in outcome.reason


def test_an_answer_that_does_not_come_in_time_leaves_it_unknown() -> None:
    far = FarTwilio(timeout="1s")
    far.server.hangs.set()
    assert sent(far, [MESSAGE]) == [Unknown("TimeoutError: timed out")]


def test_a_number_of_no_country_is_given_up() -> None:
    (outcome,) = sent(FarTwilio(country_code=""), [replace(MESSAGE, to="phone:000")])
    assert isinstance(outcome, Refused)
    assert (outcome.verdict, outcome.code) == ("give_up", "21211")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(503, {"code": 20503, "message": "x", "status": 503}),
         Unknown("20503: Unable to create record: x")),
        (Answer(502, b"<html>"), Unknown("502: Unable to create record")),
        (Answer(200, b"<html>"), Unknown("JSONDecodeError")),
        (Answer(200, {"sid": "SM1", "status": "failed", "error_code": 30005, "num_segments": "1"}),
         Refused("give_up", "30005", "failed")),
        (Answer(429, {"type": "t", "title": "slow", "status": 429, "code": 99999, "detail": "d"}),
         Refused("retry", "99999", "d")),
    ],
    ids=["unavailable", "a gateway's page", "no JSON", "made as failed", "a problem document"],
)  # fmt: skip
def test_what_else_is_answered_has_its_outcome(answer: Answer, outcome: Outcome) -> None:
    far = FarTwilio()
    far.server.next_answers.append(answer)
    assert sent(far, [MESSAGE]) == [outcome]


def test_the_codes_have_the_verdicts_of_the_table() -> None:
    for code, (verdict, meaning) in CODES.items():
        found = outcome_of(code, "", 400)
        assert isinstance(found, Unknown) if verdict == "unknown" else isinstance(found, Refused)
        assert not isinstance(found, Refused) or (found.verdict, found.reason) == (verdict, meaning)
    assert outcome_of(99999, "x", 400) == Refused("give_up", "99999", "x")
    assert outcome_of(None, "x", 500) == Unknown("500: x")


SETTINGS = TwilioSettings(sender="+12025550100", country_code="86")
URL = "https://shop.example/v1/receipts/sms?a=1"
STATUS = {
    "AccountSid": ACCOUNT, "MessageSid": "SM1", "SmsSid": "SM1", "MessageStatus": "delivered",
    "SmsStatus": "delivered", "To": "+8613800001001", "From": "+12025550100", "ApiVersion": "2010-04-01",
}  # fmt: skip
INCOMING = {
    "MessageSid": "SM2", "SmsSid": "SM2", "SmsStatus": "received", "AccountSid": ACCOUNT,
    "From": "+8613800001001", "To": "+12025550100", "Body": "很好 & 谢谢", "NumMedia": "0", "FromCity": "",
}  # fmt: skip


def receipts(fields: dict[str, str], url: str = URL, signed: str = URL, token: str = TOKEN) -> list[Receipt]:
    """Read a callback that Twilio's own client has signed."""
    from twilio.request_validator import RequestValidator

    signature = RequestValidator(token).compute_signature(signed, fields)
    headers = {"x-twilio-signature": signature}
    return receipts_of(urlencode(fields).encode(), headers, url, SETTINGS, ENVIRONMENT)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        ("delivered", "", [Receipt("SM1", "delivered")]),
        ("read", "", [Receipt("SM1", "delivered")]),
        ("undelivered", "30007", [Receipt("SM1", "failed", None, "30007", "message filtered")]),
        ("failed", "12345", [Receipt("SM1", "failed", None, "12345", "failed")]),
        ("queued", "", []),
        ("sent", "", []),
    ],
)
def test_a_status_callback_is_a_receipt_once_it_is_final(
    status: str, code: str, expected: list[Receipt]
) -> None:
    assert receipts(STATUS | {"MessageStatus": status, **({"ErrorCode": code} if code else {})}) == expected


def test_a_status_callback_gives_the_messages_own_id_back() -> None:
    """So is a message found whose answer was lost."""
    url = f"https://shop.example/v1/receipts/sms?message={MESSAGE.id}"
    assert receipts(STATUS, url, url) == [Receipt(MESSAGE.id, "delivered")]


@pytest.mark.parametrize(
    ("changed", "state"),
    [
        ({}, "replied"),
        ({"Body": "STOP"}, "unsubscribed"),
        ({"Body": "basta", "OptOutType": "STOP"}, "unsubscribed"),
        ({"Body": "cancel", "OptOutType": "HELP"}, "replied"),
        ({"Body": ""}, "replied"),
    ],
)
def test_an_incoming_message_is_the_customers_own_and_may_unsubscribe(
    changed: dict[str, str], state: str
) -> None:
    fields = INCOMING | changed
    (found,) = receipts(fields)
    assert (found.reference, found.state) == (None, state)
    assert (found.address, found.text) == ("13800001001", fields["Body"])


@pytest.mark.parametrize("signed", [URL, URL.replace(".example", ".example:443")])
def test_the_port_may_be_signed_or_not(signed: str) -> None:
    assert receipts(STATUS, URL, signed)
    assert receipts(STATUS, URL.replace(".example", ".example:443"), signed)


@pytest.mark.parametrize(
    ("url", "token"),
    [(URL, "another"), ("https://shop.example/v1/receipts/sms?a=2", TOKEN), ("http://shop.example/x", TOKEN)],
)
def test_what_twilio_has_not_signed_is_not_read(url: str, token: str) -> None:
    with pytest.raises(NotSigned):
        receipts(STATUS, url, token=token)


def test_a_changed_field_is_not_signed() -> None:
    from twilio.request_validator import RequestValidator

    headers = {"X-Twilio-Signature": RequestValidator(TOKEN).compute_signature(URL, STATUS)}
    body = urlencode(STATUS | {"MessageSid": "SM9"}).encode()
    with pytest.raises(NotSigned):
        receipts_of(body, headers, URL, SETTINGS, ENVIRONMENT)
    with pytest.raises(NotSigned):
        receipts_of(body, {}, URL, SETTINGS, {})


@pytest.mark.parametrize("body", [b"\xff=1", b"no form"])
def test_a_callback_that_is_none_is_an_error_of_input(body: bytes) -> None:
    with pytest.raises(InputError, match="twilio: the callback is no form"):
        receipts_of(body, {}, URL, SETTINGS, ENVIRONMENT)
