"""Tencent Cloud's SMS by its official client, against a server that checks TC3-HMAC-SHA256."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import pytest

from sinks.channels.callbacks import NotSigned
from sinks.channels.cloud.settings import ProviderTemplate
from sinks.channels.cloud.tencent import CODES, Tencent, TencentSettings, outcome_of, verdict_of
from sinks.channels.cloud.tencent_receipts import receipts_of
from sinks.channels.message import Message
from sinks.channels.outcome import Accepted, Outcome, Refused, Unknown
from sinks.channels.provider import Receipt
from streams.errors import InputError
from tests.sinks.cloud_far import CloudFar, WithText, without_proxies
from tests.sinks.loopback_sms import Answer
from tests.sinks.loopback_tencent import APP_ID, SECRET_ID, SECRET_KEY, LoopbackTencent
from tests.sinks.provider_contract import MESSAGE, Loop, ProviderContract, handed

ENVIRONMENT = {"TENCENTCLOUD_SECRET_ID": SECRET_ID, "TENCENTCLOUD_SECRET_KEY": SECRET_KEY, "TOKEN": "s3"}
REFUSALS = {
    "retry": "LimitExceeded.PhoneNumberThirtySecondLimit",
    "give_up": "FailedOperation.PhoneNumberInBlacklist",
    "stop": "FailedOperation.InsufficientBalanceInSmsPackage",
}
TEMPLATES = {
    "thanks": ProviderTemplate(code="1001", variables={"text": 1}),
    "order": ProviderTemplate(code="1002", variables={"name": 2, "orders": "1"}),
    "news": ProviderTemplate(code="1003"),
}


class FarTencent(CloudFar):
    server: LoopbackTencent

    def __init__(self, environment: Mapping[str, str] = ENVIRONMENT, **changed: Any) -> None:
        super().__init__(LoopbackTencent(), environment)
        settings: dict[str, Any] = {
            "sign_name": "云裳", "app_id": APP_ID, "endpoint": self.server.endpoint,
            "provider_templates": TEMPLATES,
        } | changed  # fmt: skip
        self.settings = TencentSettings(**settings)
        self.provider = self.bare = Tencent(self.settings, self.around)

    def refuse(self, verdict: Literal["retry", "give_up", "stop"]) -> bool:
        self.server.next_codes.append(REFUSALS[verdict])
        return True


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)


class TestTencent(ProviderContract):
    @pytest.fixture(params=[1, 100])
    def far(self, request: pytest.FixtureRequest) -> Iterator[FarTencent]:
        far = FarTencent(batch=request.param)
        far.provider = WithText(far.bare)
        yield far
        assert far.server.badly_signed == []
        far.server.close()


def sent(far: FarTencent, messages: Sequence[Message]) -> list[Outcome]:
    loop = Loop()
    try:
        return loop.run(handed(far.bare, messages))
    finally:
        loop.run(far.bare.close())
        loop.close()
        far.server.close()


ORDER = replace(MESSAGE, template="order", values={"orders": "3", "name": "小明"})
NEWS = replace(MESSAGE, template="news", values={})


def test_the_provider_fills_its_own_template_with_the_values_in_its_own_order() -> None:
    far = FarTencent()
    (outcome,) = sent(far, [ORDER])
    assert far.server.out == ["+8613800001001: 【云裳】小明，第 3 单，谢谢"]
    assert far.server.requests[0]["SessionContext"] == MESSAGE.id
    assert outcome == Accepted("5000:+8613800001001", 1)


def test_a_wrong_secret_is_told_as_a_wrong_signature_and_stops() -> None:
    far = FarTencent({**ENVIRONMENT, "TENCENTCLOUD_SECRET_KEY": "another"})
    (outcome,) = sent(far, [ORDER])
    assert isinstance(outcome, Refused)
    assert (outcome.verdict, outcome.code) == ("stop", "AuthFailure.SignatureFailure")
    assert far.server.badly_signed == ["the signature does not match"]


def test_a_secret_that_is_not_there_stops_and_says_which() -> None:
    outcomes = sent(FarTencent({"TENCENTCLOUD_SECRET_ID": "x"}), [ORDER])
    assert outcomes == [Refused("stop", "", "the environment variable TENCENTCLOUD_SECRET_KEY is not set")]


def test_a_missing_package_stops_and_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tencentcloud.sms.v20210111.sms_client", None)
    (outcome,) = sent(FarTencent(), [ORDER])
    assert isinstance(outcome, Refused)
    assert outcome.verdict == "stop"
    assert "requirements/install.sh sms" in outcome.reason


def test_equal_messages_go_in_one_request_and_each_number_has_its_own_outcome() -> None:
    far = FarTencent(batch=100)
    far.server.codes["+8613800001002"] = "FailedOperation.PhoneNumberInBlacklist"
    numbers = ["13800001001", "13800001002", "+86 13800001003", "+85212345678", "13800001001"]
    messages = [replace(NEWS, id=f"{n:032x}", to=f"phone:{one}") for n, one in enumerate(numbers)]
    outcomes = sent(far, messages)
    assert [type(one) for one in outcomes] == [Accepted, Refused, Accepted, Accepted, Accepted]
    asked = sorted(one["PhoneNumberSet"] for one in far.server.requests)
    three = ["+8613800001001", "+8613800001002", "+8613800001003"]
    assert asked == [["+85212345678"], three[:1], three]
    references = [one.reference for one in outcomes if isinstance(one, Accepted)]
    assert len(set(references)) == 4


def test_a_number_that_the_answer_leaves_out_is_unknown() -> None:
    far = FarTencent()
    far.server.next_answers.append(Answer(200, {"Response": {"RequestId": "R", "SendStatusSet": []}}))
    assert sent(far, [ORDER]) == [Unknown("the answer does not name the number")]


def test_an_answer_that_does_not_come_in_time_leaves_it_unknown() -> None:
    far = FarTencent(timeout="1s")
    far.server.hangs.set()
    assert sent(far, [ORDER]) == [Unknown("TimeoutError: timed out")]


def test_a_refused_connection_tells_nothing_of_the_customer() -> None:
    far = FarTencent()
    far.server.go_away()
    outcome = Refused("retry", "", "ConnectionRefusedError: [Errno 111] Connection refused")
    assert sent(far, [ORDER]) == [outcome]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(Answer(502, b"<html>"), "ServerNetworkError"), (Answer(200, b"<html>"), "JSONDecodeError")],
    ids=["a gateway's page", "no JSON"],
)
def test_an_answer_that_is_none_is_unknown(answer: Answer, reason: str) -> None:
    far = FarTencent()
    far.server.next_answers.append(answer)
    assert sent(far, [ORDER]) == [Unknown(reason)]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"orders": "3"}, "'name' is not known of this customer"),
        ({"orders": "3", "name": "www.a.example"}, "'name' holds a link: links stand in the template only"),
        ({"orders": "1234567", "name": "x"}, "'orders' has 7 characters, a variable may have 6"),
    ],
)
def test_what_the_provider_never_takes_is_not_sent(values: dict[str, str], reason: str) -> None:
    far = FarTencent(variable_length=6)
    outcomes = sent(far, [replace(ORDER, id="0" * 32, values=values), ORDER])
    assert outcomes[0] == Refused("give_up", "", reason)
    assert isinstance(outcomes[1], Accepted)
    assert len(far.server.requests) == 1


def test_every_code_of_the_official_client_has_the_verdict_of_its_family_or_its_own() -> None:
    from tencentcloud.sms.v20210111 import errorcodes

    codes = {value for name, value in vars(errorcodes).items() if name.isupper()}
    assert len(codes) > 80
    assert {code for code in codes if code.partition(".")[0] not in CODES} == set()
    assert {code for code in CODES if "." in code and code not in codes} == set()


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("FailedOperation.SignatureIncorrectOrUnapproved", "stop"),
        ("FailedOperation.TemplateIncorrectOrUnapproved", "give_up"),
        ("FailedOperation.MarketingSendTimeConstraint", "retry"),
        ("LimitExceeded.PhoneNumberDailyLimit", "retry"),
        ("LimitExceeded.AppDailyLimit", "stop"),
        ("RequestLimitExceeded.UinLimitExceeded", "retry"),
        ("InternalError.Timeout", "unknown"),
        ("InvalidParameterValue.TemplateParameterLengthLimit", "give_up"),
        ("UnauthorizedOperation.ServiceSuspendDueToArrears", "stop"),
        ("AuthFailure.SecretIdNotFound", "stop"),
        ("Brand.New", "give_up"),
    ],
)
def test_a_code_has_its_verdict(code: str, verdict: str) -> None:
    assert verdict_of(code) == verdict
    found = outcome_of(code, "why")
    assert isinstance(found, Unknown) if verdict == "unknown" else isinstance(found, Refused)


def test_limits_say_when_to_come_back() -> None:
    limits = [f"LimitExceeded.PhoneNumber{one}Limit" for one in ("ThirtySecond", "OneHour", "Daily")]
    found = [outcome_of(code, "") for code in limits]
    assert [one.after for one in found if isinstance(one, Refused)] == [30.0, 3600.0, None]


SETTINGS = TencentSettings(sign_name="云裳", app_id=APP_ID, receipts_token_env="TOKEN")
URL = "https://shop.example/v1/receipts/sms?token=s3"
REPORT = {
    "user_receive_time": "2026-11-30 10:00:05", "nationcode": "86", "mobile": "13800001001",
    "report_status": "SUCCESS", "errmsg": "DELIVRD", "description": "用户短信送达成功",
    "sid": "5000:+8613800001001",
}  # fmt: skip
UP = {
    "extend": "", "mobile": "13800001001", "nationcode": "86", "sign": "云裳", "text": "很好",
    "time": 1457336869,
}  # fmt: skip


def receipts(document: Any, url: str = URL) -> list[Receipt]:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return receipts_of(body, {}, url, SETTINGS, ENVIRONMENT)


def test_reports_name_the_message_that_was_accepted() -> None:
    (outcome,) = sent(FarTencent(), [ORDER])
    failed = REPORT | {"report_status": "FAIL", "errmsg": "MK:0012", "description": "空号"}
    found = receipts([REPORT, failed])
    assert isinstance(outcome, Accepted)
    assert [one.reference for one in found] == [outcome.reference] * 2
    assert [(one.state, one.code, one.reason) for one in found] == [
        ("delivered", "DELIVRD", "用户短信送达成功"), ("failed", "MK:0012", "空号"),
    ]  # fmt: skip
    assert found[0].at == 1_796_004_005.0


@pytest.mark.parametrize(
    ("said", "state"), [("很好", "replied"), ("R", "unsubscribed"), ("拒收", "unsubscribed")]
)
def test_replies_are_the_customers_own_and_may_unsubscribe(said: str, state: str) -> None:
    (found,) = receipts(UP | {"text": said})
    assert found == Receipt(None, found.state, 1457336869.0, address="13800001001", text=said)
    assert found.state == state


def test_a_reply_from_abroad_keeps_its_country() -> None:
    (found,) = receipts(UP | {"nationcode": "852", "mobile": "12345678"})
    assert found.address == "+85212345678"


def test_a_callback_without_the_token_is_not_read() -> None:
    with pytest.raises(NotSigned):
        receipts([REPORT], "https://shop.example/v1/receipts/sms?token=guess")


@pytest.mark.parametrize("body", [b"", b"{", b"[1]"])
def test_a_callback_that_is_none_is_an_error_of_input(body: bytes) -> None:
    with pytest.raises(InputError, match="tencent: the callback is no"):
        receipts(body)
