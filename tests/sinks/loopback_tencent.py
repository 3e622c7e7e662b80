"""Tencent Cloud's SMS on loopback: API 3.0 requests in JSON, signed with TC3-HMAC-SHA256.

The signature is worked out anew from the published rules (https://cloud.tencent.com/document/api/382/52072).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from datetime import UTC, datetime
from email.message import Message as Headers
from itertools import count
from typing import Any

from tests.sinks.loopback_sms import Answer, LoopbackSms, path_and_query

SECRET_ID, SECRET_KEY, APP_ID = "loopback-id", "loopback-secret", "1400006666"
TEMPLATES = {"1001": "{1}", "1002": "{2}，第 {1} 单，谢谢", "1003": "新品上架，拒收请回复R"}


class LoopbackTencent(LoopbackSms):
    def __init__(self) -> None:
        super().__init__()
        self._numbers = count(5000)
        self.codes: dict[str, str] = {}  # number to the code that its message is refused with
        self.next_codes: list[str] = []

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> Any:
        path, query = path_and_query(target)
        wrong = signature_problem(method, path, query, headers, body)
        if wrong:
            self.badly_signed.append(wrong)
            raise Answer(200, error("AuthFailure.SignatureFailure", wrong))
        if (headers["X-TC-Action"], headers["X-TC-Version"]) != ("SendSms", "2021-01-11"):
            raise Answer(200, error("InvalidAction", "no such action"))
        asked = json.loads(body)
        self.requests.append(asked)
        if asked["SmsSdkAppId"] != APP_ID:
            raise Answer(200, error("InvalidParameterValue.SdkAppIdNotExist", "no such application"))
        statuses = [self._one(number, asked) for number in asked["PhoneNumberSet"]]
        return {"Response": {"RequestId": "R", "SendStatusSet": statuses}}

    def _one(self, number: str, asked: dict[str, Any]) -> dict[str, Any]:
        code = self.codes.get(number) or self._code(number, asked)
        if self.next_codes:
            code = self.next_codes.pop(0)
        if code == "Ok":
            filled = re.sub(
                r"\{(\d+)\}",
                lambda found: asked["TemplateParamSet"][int(found[1]) - 1],
                TEMPLATES[asked["TemplateId"]],
            )
            self.out.append(f"{number}: 【{asked['SignName']}】{filled}")
        return {
            "SerialNo": f"{next(self._numbers)}:{number}" if code == "Ok" else "", "PhoneNumber": number,
            "Fee": int(code == "Ok"), "SessionContext": asked["SessionContext"], "Code": code,
            "Message": "send success" if code == "Ok" else code, "IsoCode": "CN",
        }  # fmt: skip

    def _code(self, number: str, asked: dict[str, Any]) -> str:
        if not re.fullmatch(r"\+[1-9]\d{7,14}", number):
            return "InvalidParameterValue.IncorrectPhoneNumber"
        if asked["SignName"] != "云裳":
            return "FailedOperation.SignatureIncorrectOrUnapproved"
        template = TEMPLATES.get(asked["TemplateId"])
        if template is None:
            return "FailedOperation.TemplateIncorrectOrUnapproved"
        if len(set(re.findall(r"\{\d+\}", template))) != len(asked["TemplateParamSet"]):
            return "FailedOperation.TemplateParamSetNotMatchApprovedTemplate"
        return "Ok"


def error(code: str, message: str) -> dict[str, Any]:
    """Return how the service refuses a whole request."""
    return {"Response": {"Error": {"Code": code, "Message": message}, "RequestId": "R"}}


def signature_problem(method: str, path: str, query: str, headers: Headers, body: bytes) -> str:
    """Return what is wrong with a request's signature; empty when nothing is."""
    given = re.fullmatch(
        r"TC3-HMAC-SHA256 Credential=([^/]+)/(\d{4}-\d\d-\d\d)/sms/tc3_request, SignedHeaders=([a-z0-9;-]+), "
        r"Signature=([0-9a-f]{64})",
        headers.get("Authorization", ""),
    )
    if given is None:
        return "there is no signature"
    if given[1] != SECRET_ID:
        return "the key is not known"
    stamp = headers["X-TC-Timestamp"]
    if datetime.fromtimestamp(int(stamp), UTC).date().isoformat() != given[2]:
        return "the day is not the one of the time"
    signed = given[3].split(";")
    if not {"content-type", "host"} <= set(signed):
        return "a header is not signed"
    lines = "".join(f"{name}:{headers[name].strip().lower()}\n" for name in sorted(signed))
    hashed = hashlib.sha256(body).hexdigest()
    canonical = "\n".join([method, path, query, lines, ";".join(sorted(signed)), hashed])
    scope = f"{given[2]}/sms/tc3_request"
    to_sign = "\n".join(["TC3-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"TC3{SECRET_KEY}".encode()
    for part in (given[2], "sms", "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    right = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    return "" if hmac.compare_digest(right, given[4]) else "the signature does not match"
