"""Alibaba Cloud's SMS on loopback: OpenAPI requests of style RPC, signed with ACS3-HMAC-SHA256.

The signature is worked out anew from the published rules (https://help.aliyun.com/document_detail/315526.html).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from email.message import Message as Headers
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, quote

from tests.sinks.loopback_sms import Answer, LoopbackSms, path_and_query

KEY_ID, KEY_SECRET = "loopback-key", "loopback-secret"
TEMPLATES = {"SMS_1": "${text}", "SMS_2": "第 ${count} 单，谢谢", "SMS_3": "新品上架，拒收请回复R"}

_SIGNED = ("host", "x-acs-action", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256")


class LoopbackAliyun(LoopbackSms):
    def __init__(self) -> None:
        super().__init__()
        self._numbers = count(900_000)

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> Any:
        path, query = path_and_query(target)
        wrong = signature_problem(method, path, query, headers, body)
        if wrong:
            self.badly_signed.append(wrong)
            raise Answer(400, {"Code": "SignatureDoesNotMatch", "Message": wrong, "RequestId": "R"})
        if headers["x-acs-version"] != "2017-05-25":
            raise Answer(404, {"Code": "InvalidVersion", "Message": "no such version", "RequestId": "R"})
        fields = dict(parse_qsl(query)) | dict(parse_qsl(body.decode()))
        self.requests.append({"action": headers["x-acs-action"], **fields})
        if headers["x-acs-action"] == "SendBatchSms":
            numbers = json.loads(fields["PhoneNumberJson"])
            signs = json.loads(fields["SignNameJson"])
            values = json.loads(fields["TemplateParamJson"])
        else:
            numbers, signs = [fields["PhoneNumbers"]], [fields["SignName"]]
            values = [json.loads(fields.get("TemplateParam", "{}"))]
        texts = [self._text(*one, fields["TemplateCode"]) for one in zip(numbers, signs, values, strict=True)]
        self.out += texts
        return {"Code": "OK", "Message": "OK", "RequestId": "R", "BizId": f"{next(self._numbers)}^0"}

    def _text(self, number: str, sign: str, values: dict[str, str], template: str) -> str:
        if not re.fullmatch(r"1\d{10}|[1-9]\d{5,14}", number):
            raise Answer(200, refusal("isv.MOBILE_NUMBER_ILLEGAL", f"{number}invalid mobile number"))
        if sign != "云裳":
            raise Answer(200, refusal("isv.SMS_SIGNATURE_ILLEGAL", "该账号下找不到对应签名"))
        if template not in TEMPLATES:
            raise Answer(200, refusal("isv.SMS_TEMPLATE_ILLEGAL", "该账号下找不到对应模板"))
        try:
            filled = re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], TEMPLATES[template])
        except KeyError:
            raise Answer(200, refusal("isv.TEMPLATE_MISSING_PARAMETERS", "模板变量缺少对应参数值")) from None
        return f"{number}: 【{sign}】{filled}"


def refusal(code: str, message: str) -> dict[str, str]:
    """Return how the service says no: HTTP 200 with a code."""
    return {"Code": code, "Message": message, "RequestId": "R"}


def signature_problem(method: str, path: str, query: str, headers: Headers, body: bytes) -> str:
    """Return what is wrong with a request's signature; empty when nothing is."""
    given = re.fullmatch(
        r"ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})",
        headers.get("Authorization", ""),
    )
    if given is None:
        return "there is no signature"
    if given[1] != KEY_ID:
        return "the key is not known"
    if headers["x-acs-content-sha256"] != hashlib.sha256(body).hexdigest():
        return "the body is not the one that was signed"
    signed = given[2].split(";")
    if not set(_SIGNED) <= set(signed):
        return "a header is not signed"
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    canonical_query = "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in pairs)
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(signed))
    canonical = "\n".join(
        [method, path, canonical_query, lines, ";".join(sorted(signed)), hashlib.sha256(body).hexdigest()]
    )
    to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    right = hmac.new(KEY_SECRET.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return "" if hmac.compare_digest(right, given[3]) else "the signature does not match"
