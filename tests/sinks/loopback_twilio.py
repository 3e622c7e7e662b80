"""Twilio's Messages resource on loopback: forms, with HTTP basic authentication."""

from __future__ import annotations

import base64
import json
import re
from email.message import Message as Headers
from typing import Any
from urllib.parse import parse_qsl

from tests.sinks.loopback_sms import Answer, LoopbackSms

ACCOUNT, TOKEN = "AC" + "0" * 32, "loopback-token"
TEMPLATES = {"HX" + "1" * 32: "Order {{1}} of {{2}}"}
DESCRIBED = {
    20003: (401, "Authenticate"),
    20429: (429, "Too Many Requests"),
    21211: (400, "Invalid 'To' Phone Number"),
}


class LoopbackTwilio(LoopbackSms):
    creates = True

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> Any:
        right = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if headers.get("Authorization") != right:
            self.badly_signed.append("the account or its token is wrong")
            raise refused(20003)
        if target != f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json":
            raise Answer(404, {"code": 20404, "message": "not found", "status": 404})
        asked = dict(parse_qsl(body.decode(), keep_blank_values=True))
        self.requests.append(asked)
        if not re.fullmatch(r"\+[1-9]\d{7,14}", asked["To"]):
            raise refused(21211)
        if asked.get("From", asked.get("MessagingServiceSid")) not in ("+12025550100", "MG" + "2" * 32):
            raise Answer(400, {"code": 21606, "message": "The 'From' number is not valid", "status": 400})
        text = asked.get("Body", "")
        if "ContentSid" in asked:
            values = json.loads(asked["ContentVariables"])
            text = re.sub(r"\{\{(\d+)\}\}", lambda found: values[found[1]], TEMPLATES[asked["ContentSid"]])
        self.out.append(f"{asked['To']}: {text}")
        return {
            "sid": f"SM{len(self.out):032x}", "status": "queued", "num_segments": "2", "to": asked["To"],
            "body": text, "error_code": None, "error_message": None, "account_sid": ACCOUNT,
        }  # fmt: skip


def refused(code: int) -> Answer:
    """Return how Twilio says no: an HTTP status and a document with its code."""
    status, message = DESCRIBED[code]
    return Answer(status, {"code": code, "message": message, "status": status, "more_info": "https://www.twilio.com"})
