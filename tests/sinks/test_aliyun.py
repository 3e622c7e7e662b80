"""Alibaba Cloud's SMS by its official client, against a server that checks ACS3-HMAC-SHA256."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import pytest

from sinks.channels.callbacks import NotSigned
from sinks.channels.cloud.aliyun import CODES, Aliyun, AliyunSettings, outcome_of
from sinks.channels.cloud.aliyun_receipts import receipts_of
from sinks.channels.cloud.settings import ProviderTemplate
from sinks.channels.message import Message
from sinks.channels.outcome import Accepted, Outcome, Refused, Unknown
from sinks.channels.provider import Receipt
from streams.errors import InputError
from tests.sinks.cloud_far import CloudFar, WithText, without_proxies
from tests.sinks.loopback_aliyun import KEY_ID, KEY_SECRET, LoopbackAliyun, refusal
from tests.sinks.loopback_sms import Answer
from tests.sinks.provider_contract import MESSAGE, Loop, ProviderContract, handed

ENVIRONMENT = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": KEY_ID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": KEY_SECRET, "TOKEN": "s3",
}  # fmt: skip
REFUSALS = {
    "retry": ("isv.BUSINESS_LIMIT_CONTROL", "触发小时级流控Permits:5"),
    "give_up": ("isv.MOBILE_NUMBER_ILLEGAL", "非法手机号"),
    "stop": ("isv.AMOUNT_NOT_ENOUGH", "账户余额不足"),
}
TEMPLATES = {
    "thanks": ProviderTemplate(code="SMS_1", variables={"text": "text"}),
    "order": ProviderTemplate(code="SMS_2", variables={"orders": "count"}),
    "news": ProviderTemplate(code="SMS_3"),
}


class FarAliyun(CloudFar):
    server: LoopbackAliyun

    def __init__(self, environment: Mapping[str, str] = ENVIRONMENT, **changed: Any) -> None:
        super().__init__(LoopbackAliyun(), environment)
        settings: dict[str, Any] = {
            "sign_name": "云裳", "endpoint": self.server.endpoint, "provider_templates": TEMPLATES,
        } | changed  # fmt: skip
        self.settings = AliyunSettings(**settings)
        self.provider = self.bare = Aliyun(self.settings, self.around)

    def refuse(self, verdict: Literal["retry", "give_up", "stop"]) -> bool:
        self.server.next_answers.append(Answer(200, refusal(*REFUSALS[verdict])))
        return True


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)


class TestAliyun(ProviderContract):
    @pytest.fixture(params=[1, 100])
    def far(self, request: pytest.FixtureRequest) -> Iterator[FarAliyun]:
        far = FarAliyun(batch=request.param)
        far.provider = WithText(far.bare)
        yield far
        assert far.server.badly_signed == []
        far.server.close()


def sent(far: FarAliyun, messages: Sequence[Message]) -> list[Outcome]:
    loop = Loop()
    try:
        return loop.run(handed(far.bare, messages))
    finally:
        loop.run(far.bare.close())
        loop.close()
        far.server.close()


ORDER = replace(MESSAGE, template="order")


def to(count: int) -> list[Message]:
    return [
        replace(ORDER, id=f"{n:032x}", to=f"phone:138000010{n:02}", values={"orders": str(n)})
        for n in range(count)
    ]


def test_the_provider_fills_its_own_template_with_the_values_by_its_own_names() -> None:
    far = FarAliyun()
    (outcome,) = sent(far, [ORDER])
    assert far.server.out == ["13800001001: 【云裳】第 3 单，谢谢"]
    assert far.server.requests[0]["TemplateParam"] == '{"count": "3"}'
    assert far.server.requests[0]["OutId"] == MESSAGE.id
    assert isinstance(outcome, Accepted)
    assert (str(outcome.reference).partition(":")[0], outcome.parts) == ("900000^0", 1)


def test_a_wrong_secret_is_told_as_a_wrong_signature_and_stops() -> None:
    far = FarAliyun({**ENVIRONMENT, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "another"})
    (outcome,) = sent(far, [ORDER])
    assert isinstance(outcome, Refused)
    assert (outcome.verdict, outcome.code) == ("stop", "SignatureDoesNotMatch")
    assert far.server.badly_signed == ["the signature does not match"]


def test_a_secret_that_is_not_there_stops_and_says_which() -> None:
    far = FarAliyun({})
    outcome = Refused("stop", "", "the environment variable ALIBABA_CLOUD_ACCESS_KEY_ID is not set")
    assert sent(far, [ORDER]) == [outcome]


def test_a_missing_package_stops_and_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "alibabacloud_dysmsapi20170525.client", None)
    (outcome,) = sent(FarAliyun(), [ORDER])
    assert isinstance(outcome, Refused)
    assert outcome.verdict == "stop"
    assert "requirements/install.sh sms" in outcome.reason


def test_messages_of_one_template_go_in_one_request_each_with_its_own_reference() -> None:
    far = FarAliyun(batch=100)
    news = replace(ORDER, template="news", to="phone:+85212345678")
    outcomes = sent(far, [*to(3), news, replace(to(1)[0], id="ee" * 16)])
    assert [one.get("action") for one in far.server.requests].count("SendBatchSms") == 1
    assert sorted(far.server.out) == sorted(
        [f"138000010{n:02}: 【云裳】第 {n} 单，谢谢" for n in (0, 1, 2, 0)]
        + ["85212345678: 【云裳】新品上架，拒收请回复R"]
    )
    references = [one.reference for one in outcomes if isinstance(one, Accepted)]
    assert len(set(references)) == 5
    assert not any("13800001" in (one or "") for one in references)  # they outlive an erasure


def test_a_batch_that_is_refused_for_one_number_is_sent_again_one_by_one() -> None:
    far = FarAliyun(batch=100)
    bad = replace(ORDER, id="ff" * 16, to="phone:7")
    outcomes = sent(far, [*to(2), bad])
    assert [type(one) for one in outcomes] == [Accepted, Accepted, Refused]
    assert len(far.server.out) == 2
    assert [one["action"] for one in far.server.requests] == ["SendBatchSms", "SendSms", "SendSms", "SendSms"]


def test_a_batch_that_nothing_of_can_pass_is_not_sent_again() -> None:
    far = FarAliyun(batch=100, sign_name="别家")
    outcomes = sent(far, to(3))
    assert {one.verdict for one in outcomes if isinstance(one, Refused)} == {"stop"}
    assert len(far.server.requests) == 1


def test_a_batch_that_the_service_is_too_busy_for_is_not_sent_again() -> None:
    far = FarAliyun(batch=100)
    busy = Answer(400, {"Code": "Throttling.User", "Message": "x", "RequestId": "R"})
    far.server.next_answers.append(busy)
    outcomes = sent(far, to(3))
    assert {one.verdict for one in outcomes if isinstance(one, Refused)} == {"retry"}
    assert far.server.requests == []


def test_an_answer_that_does_not_come_in_time_leaves_it_unknown_and_tells_nothing_of_the_customer() -> None:
    far = FarAliyun(timeout="1s")
    far.server.hangs.set()
    (outcome,) = sent(far, [ORDER])
    assert isinstance(outcome, Unknown)
    assert outcome.reason == "TimeoutError: timed out"


def test_a_refused_connection_tells_nothing_of_the_customer() -> None:
    far = FarAliyun()
    far.server.go_away()
    (outcome,) = sent(far, [ORDER])
    assert outcome == Refused("retry", "", "ConnectionRefusedError: [Errno 111] Connection refused")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(503, {"Code": "ServiceUnavailable", "Message": "x", "RequestId": "R"}), Unknown),
        (Answer(502, b"<html>"), Unknown),
        (Answer(400, {"Code": "Throttling.User", "Message": "x", "RequestId": "R"}), Refused),
    ],
    ids=["unavailable", "a gateway's page", "throttled"],
)
def test_a_server_that_fails_is_unknown_and_one_that_throttles_is_tried_again(
    answer: Answer, outcome: type[Outcome]
) -> None:
    far = FarAliyun()
    far.server.next_answers.append(answer)
    (found,) = sent(far, [ORDER])
    assert type(found) is outcome
    assert not isinstance(found, Refused) or found.verdict == "retry"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, "'orders' is not known of this customer"),
        ({"orders": ""}, "'orders' is not known of this customer"),
        ({"orders": "见 https://a.example"}, "'orders' holds a link: links stand in the template only"),
        ({"orders": "1234567"}, "'orders' has 7 characters, a variable may have 6"),
    ],
)
def test_what_the_provider_never_takes_is_not_sent(values: dict[str, str], reason: str) -> None:
    far = FarAliyun(variable_length=6)
    outcomes = sent(far, [ORDER, replace(ORDER, id="0" * 32, values=values), replace(ORDER, id="1" * 32)])
    assert outcomes[1] == Refused("give_up", "", reason)
    assert [type(one) for one in outcomes] == [Accepted, Refused, Accepted]
    assert len(far.server.requests) == 2


def test_of_a_link_the_variable_has_the_code_alone() -> None:
    """isv.PARAM_NOT_SUPPORT_URL: the approved template has the address before it."""
    far = FarAliyun(provider_templates={"thanks": ProviderTemplate(code="SMS_1", variables={"link": "text"})})
    link = "https://s.shop.example/s/nQwfAAAAb1ntdDo"
    message = replace(ORDER, template="thanks", values={"link": link}, link=link, link_code="nQwfAAAAb1ntdDo")
    long = replace(message, id="0" * 32, link_code="")
    outcomes = sent(far, [message, long])
    assert [type(one) for one in outcomes] == [Accepted, Refused]
    assert far.server.out == ["13800001001: 【云裳】nQwfAAAAb1ntdDo"]


def test_a_template_that_the_provider_does_not_have_is_given_up() -> None:
    (outcome,) = sent(FarAliyun(), [replace(ORDER, template="other")])
    assert outcome == Refused("give_up", "", "provider_templates has no 'other'")


def test_the_codes_have_the_verdicts_of_the_table() -> None:
    for code, verdict in CODES.items():
        found = outcome_of(code, "why")
        assert isinstance(found, Unknown) if verdict == "unknown" else isinstance(found, Refused)
        assert not isinstance(found, Refused) or (found.verdict, found.code) == (verdict, code)
    assert set(CODES.values()) == {"retry", "give_up", "stop", "unknown"}


@pytest.mark.parametrize(
    ("code", "message", "status", "outcome"),
    [
        ("isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1", 200, Refused("retry", "", "", 60.0)),
        ("isv.BUSINESS_LIMIT_CONTROL", "触发天级流控Permits:10", 200, Refused("retry", "", "", 86400.0)),
        ("isv.BUSINESS_LIMIT_CONTROL", "limit", 200, Refused("retry", "", "")),
        ("isv.NEW", "x", 200, Refused("give_up", "", "")),
    ],
)
def test_limits_say_when_to_come_back_and_new_codes_give_up(
    code: str, message: str, status: int, outcome: Refused
) -> None:
    assert outcome_of(code, message, status) == replace(outcome, code=code, reason=message)


def test_a_new_code_of_a_server_that_fails_is_unknown() -> None:
    assert outcome_of("New", "x", 500) == Unknown("New: x")


SETTINGS = AliyunSettings(sign_name="云裳", receipts_token_env="TOKEN")
URL = "https://shop.example/v1/receipts/sms?token=s3"
REPORT = {
    "phone_number": "13800001001", "send_time": "2026-11-30 10:00:00",
    "report_time": "2026-11-30 10:00:05", "success": True, "err_code": "DELIVERED",
    "err_msg": "用户接收成功", "sms_size": "1", "biz_id": "900000^0", "out_id": MESSAGE.id,
}  # fmt: skip
UP = {
    "phone_number": "13800001001", "send_time": "2026-11-30 10:01:00", "content": "很好",
    "dest_code": "1234", "sequence_id": 1234567890,
}  # fmt: skip


def receipts(document: Any, url: str = URL) -> list[Receipt]:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return receipts_of(body, {}, url, SETTINGS, ENVIRONMENT)


def test_a_report_gives_the_messages_own_id_back() -> None:
    """So is a message found whose answer was lost."""
    far = FarAliyun()
    sent(far, [ORDER])
    found = receipts([REPORT | {"out_id": far.server.requests[0]["OutId"]}])
    assert [one.reference for one in found] == [ORDER.id]


def test_reports_of_a_batch_name_the_messages_that_were_accepted() -> None:
    far = FarAliyun(batch=100)
    outcomes = sent(far, to(2))
    shared = {"out_id": far.server.requests[0]["OutId"], "biz_id": "900000^0"}
    found = receipts([REPORT | shared | {"phone_number": f"1380000100{n}"} for n in (0, 1)])
    accepted = [one for one in outcomes if isinstance(one, Accepted)]
    assert [one.reference for one in found] == [one.reference for one in accepted]
    assert len(found) == 2


def test_reports_say_whether_it_arrived_and_when() -> None:
    failed = REPORT | {"success": False, "err_code": "MK:0012", "err_msg": "空号"}
    found = receipts([REPORT, failed])
    assert [(one.state, one.code, one.reason) for one in found] == [
        ("delivered", "DELIVERED", "用户接收成功"), ("failed", "MK:0012", "空号"),
    ]  # fmt: skip
    assert found[0].at == 1_796_004_005.0  # 2026-11-30 02:00:05 UTC


@pytest.mark.parametrize(
    ("said", "state"), [("很好", "replied"), ("TD", "unsubscribed"), ("退订", "unsubscribed")]
)
def test_replies_are_the_customers_own_and_may_unsubscribe(said: str, state: str) -> None:
    (found,) = receipts([UP | {"content": said}])
    assert (found.reference, found.state, found.address, found.text) == (None, state, "13800001001", said)


@pytest.mark.parametrize("url", [URL[:-1], URL + "x", URL.partition("?")[0], URL.replace("s3", "")])
def test_a_callback_without_the_token_is_not_read(url: str) -> None:
    with pytest.raises(NotSigned):
        receipts([REPORT], url)


def test_without_a_token_of_its_own_no_callback_is_read() -> None:
    with pytest.raises(NotSigned):
        receipts_of(b"[]", {}, "https://x/?token=", AliyunSettings(sign_name="云裳"), ENVIRONMENT)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[1]", b'"x"'])
def test_a_callback_that_is_none_is_an_error_of_input(body: bytes) -> None:
    with pytest.raises(InputError, match="aliyun: the callback is no"):
        receipts(body)
