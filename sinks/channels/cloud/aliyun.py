"""Alibaba Cloud's SMS (短信服务, Dysmsapi 2017-05-25): SendSms and SendBatchSms by the official client."""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from sinks.channels.cloud.errors import Verdict, installed, said_no, secret
from sinks.channels.cloud.message import Prepared, Unfit, checked, grouped, number_to, parts_of
from sinks.channels.cloud.sending import CloudSms
from sinks.channels.cloud.settings import ChineseSettings
from sinks.channels.message import Message
from sinks.channels.outcome import Accepted, Outcome, Refused
from sinks.channels.provider import Around
from sinks.channels.settings import Limit

# https://help.aliyun.com/document_detail/101346.html (国内消息 API 错误码). A template that is not approved
# stops only its own messages, a signature all of them.
CODES: dict[str, Verdict] = {
    "isv.BUSINESS_LIMIT_CONTROL": "retry",  # one number's frequency
    "isp.SYSTEM_ERROR": "retry",  # 请重新调用接口
    "Throttling": "retry",
    "Throttling.User": "retry",
    "Throttling.Api": "retry",
    "isv.MOBILE_NUMBER_ILLEGAL": "give_up",
    "isv.MOBILE_COUNT_OVER_LIMIT": "give_up",
    "isv.DOMESTIC_NUMBER_NOT_SUPPORTED": "give_up",
    "isv.SMS_TEMPLATE_ILLEGAL": "give_up",
    "isv.TEMPLATE_MISSING_PARAMETERS": "give_up",
    "isv.TEMPLATE_PARAMS_ILLEGAL": "give_up",
    "isv.INVALID_JSON_PARAM": "give_up",
    "isv.INVALID_PARAMETERS": "give_up",
    "isv.BLACK_KEY_CONTROL_LIMIT": "give_up",
    "isv.PARAM_LENGTH_LIMIT": "give_up",
    "isv.PARAM_NOT_SUPPORT_URL": "give_up",
    "isv.SMS_CONTENT_ILLEGAL": "give_up",
    "isv.AMOUNT_NOT_ENOUGH": "stop",
    "isv.OUT_OF_SERVICE": "stop",
    "isv.ACCOUNT_NOT_EXISTS": "stop",
    "isv.ACCOUNT_ABNORMAL": "stop",
    "isv.PRODUCT_UN_SUBSCRIPT": "stop",
    "isv.PRODUCT_UNSUBSCRIBE": "stop",
    "isv.SMS_SIGNATURE_ILLEGAL": "stop",
    "isv.SMS_SIGN_ILLEGAL": "stop",
    "isv.SIGN_STATE_ILLEGAL": "stop",
    "isv.SMS_SIGNATURE_SCENE_ILLEGAL": "give_up",  # signature and this template are of different types
    "isv.EXTEND_CODE_ERROR": "stop",
    "isv.DENY_IP_RANGE": "stop",
    "isv.DAY_LIMIT_CONTROL": "stop",  # the account's own: nothing passes before it is raised or the day ends
    "isv.MONTH_LIMIT_CONTROL": "stop",
    "isp.RAM_PERMISSION_DENY": "stop",
    "InvalidAccessKeyId.NotFound": "stop",
    "InvalidAccessKeyId.Inactive": "stop",
    "SignatureDoesNotMatch": "stop",
    "IncompleteSignature": "stop",
    "InvalidTimeStamp.Expired": "stop",
    "NoPermission": "stop",
    "Forbidden.RAM": "stop",
    "ServiceUnavailable": "unknown",
    "InternalError": "unknown",
}
# what isv.BUSINESS_LIMIT_CONTROL says in its message: 触发小时级流控Permits:5
_AFTER = {"分钟级": 60.0, "小时级": 3600.0, "天级": 86400.0}


class AliyunSettings(ChineseSettings):
    """SMS by Alibaba Cloud."""

    kind: Literal["aliyun"] = "aliyun"
    # 短信通知, 推广短信: 50 a day by one signature and template to one number, a day being 24 hours back
    # (发送频率设置); more than that is refused, or, where the console says so, allowed
    limits: list[Limit] = [Limit(most=50, within="1d", each="template+address")]
    access_key_id_env: str = Field(
        default="ALIBABA_CLOUD_ACCESS_KEY_ID", description="variable with the AccessKey's id"
    )
    access_key_secret_env: str = Field(
        default="ALIBABA_CLOUD_ACCESS_KEY_SECRET", description="variable with the AccessKey's secret"
    )
    region: str = Field(default="cn-hangzhou", description="region, which the endpoint follows from")
    endpoint: str = Field(
        default="", description="address such as https://dysmsapi.aliyuncs.com; the region's when empty"
    )


class Aliyun(CloudSms[Any]):
    """Sends each message by SendSms, or up to `batch` of one template by SendBatchSms.

    The service keeps nothing from going out twice. OutId carries a message's id into its report, so that one
    whose answer was lost is known by it. A batch has one OutId: its reports are known by BizId and number.
    """

    def __init__(self, settings: AliyunSettings, around: Around) -> None:
        super().__init__(settings, around.environment, settings.batch)
        self._settings = settings

    def connect(self) -> Any:
        """Make the client; it tries nothing again by itself."""
        with installed("aliyun"):
            from alibabacloud_dysmsapi20170525.client import Client
            from alibabacloud_tea_openapi.models import Config
        where = urlsplit(self._settings.endpoint)
        return Client(
            Config(
                access_key_id=secret(self.environment, self._settings.access_key_id_env),
                access_key_secret=secret(self.environment, self._settings.access_key_secret_env),
                region_id=self._settings.region,
                endpoint=where.netloc or None,
                protocol=where.scheme or "https",
                connect_timeout=self.seconds * 1000,
                read_timeout=self.seconds * 1000,
            )
        )

    def prepare(self, message: Message) -> Prepared:
        """Take the provider's template, and its variables by their names."""
        template = self._settings.provider_templates.get(message.template)
        if template is None:
            raise Unfit(f"provider_templates has no '{message.template}'")
        values = checked(message, template.variables, self._settings.variable_length)
        return Prepared(message, number_to(message.address), template.code, values)

    def groups(self, prepared: Sequence[Prepared]) -> Sequence[Sequence[Prepared]]:
        """A request has one template."""
        return grouped(prepared, lambda one: one.template, self._settings.batch)

    def carry(self, client: Any, group: Sequence[Prepared]) -> Sequence[Outcome]:
        """Send a group; where one of it may be why all are refused, send each on its own."""
        if len(group) == 1:
            return [self._ask(client.send_sms_with_options, self._single(group[0]), group)[0]]
        outcomes = self._ask(client.send_batch_sms_with_options, self._several(group), group)
        first = outcomes[0]
        # isv. is the caller's fault; a service that is busy (Throttling, isp.) is not asked 100 times more
        if isinstance(first, Refused) and first.verdict != "stop" and first.code.startswith("isv."):
            return [self.carry(client, [one])[0] for one in group]
        return outcomes

    def _single(self, one: Prepared) -> Any:
        from alibabacloud_dysmsapi20170525.models import SendSmsRequest

        return SendSmsRequest(
            phone_numbers=_theirs(one.number),
            sign_name=self._settings.sign_name,
            template_code=one.template,
            template_param=json.dumps(one.variables, ensure_ascii=False) if one.variables else None,
            out_id=one.message.id,
        )

    def _several(self, group: Sequence[Prepared]) -> Any:
        from alibabacloud_dysmsapi20170525.models import SendBatchSmsRequest

        return SendBatchSmsRequest(
            phone_number_json=json.dumps([_theirs(one.number) for one in group]),
            sign_name_json=json.dumps([self._settings.sign_name] * len(group), ensure_ascii=False),
            template_code=group[0].template,
            template_param_json=json.dumps([one.variables for one in group], ensure_ascii=False),
            out_id=f"batch-{group[0].message.id}",
        )

    def _ask(self, call: Any, request: Any, group: Sequence[Prepared]) -> list[Outcome]:
        from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
        from darabonba.runtime import RuntimeOptions

        try:
            body = call(request, RuntimeOptions()).body
        except AlibabaCloudException as error:
            return [outcome_of(str(error.code), str(error.message), int(error.status_code or 0))] * len(group)
        if body.code != "OK":
            return [outcome_of(str(body.code), str(body.message or ""))] * len(group)
        sign = f"【{self._settings.sign_name}】"
        parts = [parts_of(sign + one.message.text) for one in group]
        key = secret(self.environment, self._settings.access_key_secret_env)
        names = [reference(body.biz_id, one.number, key) for one in group]
        return [Accepted(name, n) for name, n in zip(names, parts, strict=True)]


def reference(biz_id: str, number: str, key: str) -> str:
    """Return what tells a message from all others: a batch has one BizId.

    The number itself would outlive its owner's erasure, and a plain hash of it could be guessed; key: the
    AccessKey's secret. Behind a change of that, reports of batches from before it find nothing.
    """
    code = hmac.new(key.encode(), f"{biz_id}:{number}".encode(), "sha256").hexdigest()[:16]
    return f"{biz_id}:{code}"


def outcome_of(code: str, message: str, status: int = 200) -> Outcome:
    """Return the outcome of a code, of an HTTP status.

    A code that is not in the table is a no to this message; from a server that fails (5xx) it is unknown.
    """
    outcome = said_no(CODES.get(code, "unknown" if status >= 500 else "give_up"), code, message)
    if code == "isv.BUSINESS_LIMIT_CONTROL" and isinstance(outcome, Refused):
        after = next((seconds for word, seconds in _AFTER.items() if word in message), None)
        return replace(outcome, after=after)
    return outcome


def _theirs(number: str) -> str:
    """Numbers abroad are written with their code, without a plus."""
    return number.removeprefix("+")
