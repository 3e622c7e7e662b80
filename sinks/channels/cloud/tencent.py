"""Tencent Cloud's SMS (腾讯云短信, API 2021-01-11): SendSms by the official client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from sinks.channels.cloud.errors import Verdict, installed, said_no, secret
from sinks.channels.cloud.message import Prepared, Unfit, checked, grouped, number_of, number_to
from sinks.channels.cloud.sending import CloudSms
from sinks.channels.cloud.settings import ChineseSettings
from sinks.channels.message import Message
from sinks.channels.outcome import Accepted, Outcome, Unknown
from sinks.channels.provider import Around
from sinks.channels.settings import Limit

# https://cloud.tencent.com/document/product/382/59177 (发送错误码) and the common codes of API 3.0. What
# begins with a code of the table and a point has its verdict, unless it has its own.
CODES: dict[str, Verdict] = {
    "RequestLimitExceeded": "retry",
    "LimitExceeded": "retry",
    "LimitExceeded.PhoneNumberSameContentDailyLimit": "give_up",
    "LimitExceeded.PhoneNumberCountLimit": "give_up",
    "LimitExceeded.AppDailyLimit": "stop",  # the application's own: nothing passes before it is raised
    "LimitExceeded.DailyLimit": "stop",
    "LimitExceeded.AppMainlandChinaDailyLimit": "stop",
    "LimitExceeded.AppGlobalDailyLimit": "stop",
    "LimitExceeded.AppCountryOrRegionDailyLimit": "give_up",  # one country's
    "LimitExceeded.AppCountryOrRegionInBlacklist": "give_up",
    "FailedOperation": "give_up",
    "FailedOperation.MarketingSendTimeConstraint": "retry",  # from 8 to 22 o'clock only
    "FailedOperation.InsufficientBalanceInSmsPackage": "stop",
    "FailedOperation.SignatureIncorrectOrUnapproved": "stop",
    "FailedOperation.MissingSignature": "stop",
    "FailedOperation.NotEnterpriseCertification": "stop",
    "InternalError": "unknown",
    "InternalError.Timeout": "unknown",
    "InternalError.SendAndRecvFail": "unknown",
    "InternalError.JsonParseFail": "give_up",
    "InternalError.RequestTimeException": "stop",  # this machine's clock is more than ten minutes off
    "InternalError.RestApiInterfaceNotExist": "stop",
    "InternalError.SigFieldMissing": "stop",
    "InternalError.SigVerificationFail": "stop",
    "InvalidParameter": "give_up",
    "InvalidParameter.AppidAndBizId": "stop",
    "InvalidParameterValue": "give_up",
    "InvalidParameterValue.SdkAppIdNotExist": "stop",
    "MissingParameter": "give_up",
    "UnsupportedOperation": "give_up",
    "UnauthorizedOperation": "stop",
    "AuthFailure": "stop",
    "IpInBlacklist": "stop",
    "IpNotInWhitelist": "stop",
    "ResourceInsufficient": "retry",
    "ResourceUnavailable": "retry",
    "ServiceUnavailable": "unknown",
}
_AFTER = {
    "LimitExceeded.PhoneNumberThirtySecondLimit": 30.0,
    "LimitExceeded.PhoneNumberOneHourLimit": 3600.0,
}


class TencentSettings(ChineseSettings):
    """SMS by Tencent Cloud."""

    kind: Literal["tencent"] = "tencent"
    # 频率限制 (product/382/13303): one of the same content in 30 seconds and 10 of a day to one number, where
    # the console says nothing else; content is counted by its template here, a day by 24 hours
    limits: list[Limit] = [
        Limit(most=1, within="30s", each="template+address"), Limit(most=10, within="1d", each="address"),
    ]  # fmt: skip
    secret_id_env: str = Field(
        default="TENCENTCLOUD_SECRET_ID", description="variable with the key's SecretId"
    )
    secret_key_env: str = Field(
        default="TENCENTCLOUD_SECRET_KEY", description="variable with the key's SecretKey"
    )
    app_id: str = Field(description="SmsSdkAppId of the application, such as 1400006666")
    region: str = Field(default="ap-guangzhou", description="region")
    endpoint: str = Field(default="https://sms.tencentcloudapi.com", description="address of the service")


class Tencent(CloudSms[Any]):
    """Sends each message by SendSms; up to `batch` of one template and equal variables go together.

    The service keeps nothing from going out twice; SessionContext carries the message's id.
    """

    def __init__(self, settings: TencentSettings, around: Around) -> None:
        super().__init__(settings, around.environment, settings.batch)
        self._settings = settings

    def connect(self) -> Any:
        """Make the client; it tries nothing again by itself."""
        with installed("tencent"):
            from tencentcloud.common.credential import Credential
            from tencentcloud.common.profile.client_profile import ClientProfile
            from tencentcloud.common.profile.http_profile import HttpProfile
            from tencentcloud.sms.v20210111.sms_client import SmsClient
        where = urlsplit(self._settings.endpoint)
        key = Credential(
            secret(self.environment, self._settings.secret_id_env),
            secret(self.environment, self._settings.secret_key_env),
        )
        http = HttpProfile(protocol=where.scheme, endpoint=where.netloc, reqTimeout=self.seconds)
        return SmsClient(key, self._settings.region, ClientProfile(httpProfile=http))

    def prepare(self, message: Message) -> Prepared:
        """Take the provider's template, and its variables by their numbers."""
        template = self._settings.provider_templates.get(message.template)
        if template is None:
            raise Unfit(f"provider_templates has no '{message.template}'")
        values = checked(message, template.variables, self._settings.variable_length)
        return Prepared(message, number_to(message.address), template.code, values)

    def groups(self, prepared: Sequence[Prepared]) -> Sequence[Sequence[Prepared]]:
        """A request has one template and one set of variables, and numbers of the mainland or none of it."""
        return grouped(
            prepared,
            lambda one: (one.template, tuple(_in_order(one)), one.number.startswith("+")),
            self._settings.batch,
        )

    def carry(self, client: Any, group: Sequence[Prepared]) -> Sequence[Outcome]:
        """Send a group; each of its numbers has an outcome of its own."""
        from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
        from tencentcloud.sms.v20210111.models import SendSmsRequest

        request = SendSmsRequest()
        request.PhoneNumberSet = [_theirs(one.number) for one in group]
        request.SmsSdkAppId = self._settings.app_id
        request.SignName = self._settings.sign_name
        request.TemplateId = group[0].template
        request.TemplateParamSet = _in_order(group[0])
        request.SessionContext = group[0].message.id
        try:
            statuses = client.SendSms(request).SendStatusSet
        except TencentCloudSDKException as error:
            if error.requestId is None:  # the client's own: no answer, or none that it can read
                raise
            return [outcome_of(str(error.code), str(error.message)) for _ in group]
        told = {number_of(status.PhoneNumber or ""): status for status in statuses or []}
        return [_outcome(told.get(one.number)) for one in group]


def verdict_of(code: str) -> Verdict:
    """Return a code's verdict, or its family's; a code of no family is a no to this message.

    >>> verdict_of("AuthFailure.SignatureFailure"), verdict_of("FailedOperation.PhoneNumberInBlacklist")
    ('stop', 'give_up')
    """
    return CODES.get(code) or CODES.get(code.partition(".")[0]) or "give_up"


def outcome_of(code: str, message: str) -> Outcome:
    """Return the outcome of a code."""
    return said_no(verdict_of(code), code, message, _AFTER.get(code))


def _outcome(status: Any) -> Outcome:
    if status is None:
        return Unknown("the answer does not name the number")
    if status.Code == "Ok":
        return Accepted(status.SerialNo, max(1, int(status.Fee or 1)))
    return outcome_of(str(status.Code), str(status.Message or ""))


def _in_order(one: Prepared) -> list[str]:
    return [one.variables[name] for name in sorted(one.variables, key=int)]


def _theirs(number: str) -> str:
    return number if number.startswith("+") else f"+86{number}"
