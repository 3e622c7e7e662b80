"""Robots of group chats: the contract, what they post, what their codes mean."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from sinks.channels.message import Message
from sinks.channels.outcome import Accepted, Outcome, Refused, Unknown
from sinks.channels.provider import Around, Provider
from sinks.channels.web.dingtalk import DingTalk, DingTalkSettings
from sinks.channels.web.wecom import WeCom, WeComSettings
from tests.sinks.loopback_http import FarHttp, LoopbackHttp, Reply
from tests.sinks.provider_contract import MESSAGE, ProviderContract, handed, numbered

ENVIRONMENT = {"KEY": "693axxx6-7aoc", "TOKEN": "t+o/k=en", "SECRET": "SEC0123"}
OK = Reply(body=b'{"errcode":0,"errmsg":"ok"}')
Robots = type[WeCom] | type[DingTalk]
BOTH = pytest.mark.parametrize("robot", [WeCom, DingTalk])
CODES = {
    WeCom: {"retry": 45009, "give_up": 40058, "stop": 93000},
    DingTalk: {"retry": 130101, "give_up": 430102, "stop": 310000},
}


def refusal(code: int, reason: str = "told why") -> Reply:
    return Reply(body=json.dumps({"errcode": code, "errmsg": reason}).encode())


def made(robot: Robots, port: int, **changed: Any) -> WeCom | DingTalk:
    told: dict[str, Any] = {
        "endpoint": f"http://127.0.0.1:{port}/send", "plain_http": True, "allow": ["127.0.0.1"],
        "timeout": "2s",
    } | changed  # fmt: skip
    around = Around(Path(), print, environment=ENVIRONMENT)
    if robot is WeCom:
        return WeCom(WeComSettings(**({"key_env": "KEY"} | told)), around)
    return DingTalk(DingTalkSettings(**({"token_env": "TOKEN", "secret_env": "SECRET"} | told)), around)


def sent(robot: WeCom | DingTalk, messages: Sequence[Message] = (MESSAGE,)) -> list[Outcome]:
    async def work() -> list[Outcome]:
        await robot.open()
        try:
            return await handed(robot, messages)
        finally:
            await robot.close()

    return asyncio.run(work())


class FarRobot(FarHttp):
    """The endpoint, on loopback."""

    def __init__(self, robot: Robots) -> None:
        super().__init__()
        self.http.always = OK
        self.codes = CODES[robot]
        self.provider: Provider = made(robot, self.http.port)

    def came_out(self) -> Sequence[str]:
        return [json.loads(one.body)["text"]["content"] for one in self.http.taken]

    def refuse(self, verdict: Literal["retry", "give_up", "stop"]) -> bool:
        self.http.next.append(replace(refusal(self.codes[verdict]), kept=False))
        return True


@BOTH
class TestRobots(ProviderContract):
    @pytest.fixture
    def far(self, robot: Robots) -> Iterator[FarRobot]:
        far = FarRobot(robot)
        yield far
        far.http.go_away()


@pytest.fixture
def http() -> Iterator[LoopbackHttp]:
    server = LoopbackHttp()
    server.always = OK
    yield server
    server.go_away()


def query(http: LoopbackHttp) -> dict[str, str]:
    return {name: texts[0] for name, texts in parse_qs(urlsplit(http.requests[-1].path).query).items()}


def test_wecom_gets_a_text_with_its_key(http: LoopbackHttp) -> None:
    sent(made(WeCom, http.port, mention=["13900000000", "all"]))
    assert query(http) == {"key": "693axxx6-7aoc"}
    assert json.loads(http.requests[0].body) == {
        "msgtype": "text",
        "text": {
            "content": MESSAGE.text + "\n" + MESSAGE.customer,
            "mentioned_mobile_list": ["13900000000", "@all"],
        },
    }
    assert http.requests[0].headers["content-type"] == "application/json"


def test_dingtalk_gets_a_text_with_its_token_and_signature(http: LoopbackHttp) -> None:
    """timestamp, a line's end and the secret, by HMAC-SHA256 with the secret, in base64, quoted for a URL."""
    sent(made(DingTalk, http.port, mention=["13900000000", "all"]))
    told = query(http)
    assert told["access_token"] == "t+o/k=en"
    assert abs(int(told["timestamp"]) - time.time() * 1000) < 60_000
    signed = f"{told['timestamp']}\nSEC0123".encode()
    digest = hmac.digest(b"SEC0123", signed, hashlib.sha256)
    assert told["sign"] == base64.b64encode(digest).decode()
    assert "+" not in urlsplit(http.requests[0].path).query, "a plus sign would be read as a space"
    assert json.loads(http.requests[0].body) == {
        "msgtype": "text",
        "text": {"content": MESSAGE.text + "\n" + MESSAGE.customer + "\n@13900000000"},
        "at": {"atMobiles": ["13900000000"], "isAtAll": True},
    }


def test_dingtalk_signs_nothing_without_a_secret(http: LoopbackHttp) -> None:
    sent(made(DingTalk, http.port, secret_env=""))
    assert query(http) == {"access_token": "t+o/k=en"}


@BOTH
def test_the_text_can_say_whom_it_is_about(http: LoopbackHttp, robot: Robots) -> None:
    form = "{{ title }} {{ trigger }}/{{ template }}: {{ to }} = {{ address }}\n{{ text }}"
    sent(made(robot, http.port, form=form))
    content = json.loads(http.requests[0].body)["text"]["content"]
    assert content == f"谢谢 thanks/thanks: phone:13800001001 = 13800001001\n{MESSAGE.text}"


@pytest.mark.parametrize(
    ("robot", "code", "verdict", "after"),
    [
        (WeCom, -1, "retry", 5.0), (WeCom, 45009, "retry", 60.0), (WeCom, 45033, "retry", 5.0),
        (WeCom, 93000, "stop", None), (WeCom, 60020, "stop", None), (WeCom, 40058, "give_up", None),
        (WeCom, 44004, "give_up", None), (WeCom, 999999, "give_up", None),
        (DingTalk, -1, "retry", 5.0), (DingTalk, 130101, "retry", 600.0), (DingTalk, 410100, "retry", 600.0),
        (DingTalk, 310000, "stop", None), (DingTalk, 400101, "stop", None), (DingTalk, 400013, "stop", None),
        (DingTalk, 430101, "give_up", None), (DingTalk, 40035, "give_up", None),
    ],
)  # fmt: skip
def test_each_code_has_its_meaning(
    http: LoopbackHttp, robot: Robots, code: int, verdict: Any, after: float | None
) -> None:
    http.next.append(refusal(code))
    (outcome,) = sent(made(robot, http.port))
    assert outcome == Refused(verdict, str(code), "told why", after)


@BOTH
@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"errcode": null}', b'{"errcode": "x"}', b"\xff"]
)
def test_an_answer_that_says_nothing_leaves_it_unknown(
    http: LoopbackHttp, robot: Robots, body: bytes
) -> None:
    http.next.append(Reply(body=body))
    (outcome,) = sent(made(robot, http.port))
    assert isinstance(outcome, Unknown)


@BOTH
@pytest.mark.parametrize(
    ("status", "verdict"), [(503, "retry"), (501, "retry"), (429, "retry"), (404, "stop"), (302, "stop")]
)
def test_a_status_other_than_200_is_a_refusal(
    http: LoopbackHttp, robot: Robots, status: int, verdict: str
) -> None:
    http.next.append(Reply(status, b"why"))
    (outcome,) = sent(made(robot, http.port))
    assert isinstance(outcome, Refused)
    assert (outcome.verdict, outcome.code) == (verdict, str(status))


@BOTH
@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_gateway_that_does_not_know_leaves_the_message_unknown(
    http: LoopbackHttp, robot: Robots, status: int
) -> None:
    """Whoever stands behind it may have posted the text, and robots tell no repetitions."""
    http.next.append(Reply(status, b"time-out"))
    assert sent(made(robot, http.port)) == [Unknown(f"status {status}: time-out")]


@BOTH
def test_without_its_secret_nothing_is_posted(http: LoopbackHttp, robot: Robots) -> None:
    missing = {"key_env": "MISSING"} if robot is WeCom else {"secret_env": "MISSING"}
    (outcome,) = sent(made(robot, http.port, **missing))
    assert isinstance(outcome, Refused)
    assert (outcome.verdict, outcome.reason.split()[0]) == ("stop", "MISSING")
    assert http.requests == []


def test_a_text_that_wecom_would_cut_is_given_up(http: LoopbackHttp) -> None:
    robot = made(WeCom, http.port, form="{{ text }}")
    texts = ("一" * 682 + "ab", "一" * 683, " ")
    at_most, over, nothing = sent(robot, [replace(MESSAGE, id=text, text=text) for text in texts])
    assert at_most == Accepted()
    assert isinstance(over, Refused)
    assert (over.verdict, over.reason) == ("give_up", "the text has 2049 bytes, the limit is 2048")
    assert isinstance(nothing, Refused)
    assert len(http.requests) == 1


@BOTH
def test_texts_come_out_in_their_order(http: LoopbackHttp, robot: Robots) -> None:
    texts = [replace(one, text=str(n)) for n, one in enumerate(numbered(20))]
    sent(made(robot, http.port, form="{{ text }}"), texts)
    assert [json.loads(one.body)["text"]["content"].split("\n")[0] for one in http.requests] == [
        str(n) for n in range(20)
    ]


@BOTH
def test_no_refusal_tells_a_secret(robot: Robots) -> None:
    server = LoopbackHttp()
    server.go_away()
    (outcome,) = sent(made(robot, server.port))
    assert isinstance(outcome, Refused)
    assert not any(secret in str(outcome) for secret in ENVIRONMENT.values())


@BOTH
@pytest.mark.parametrize(
    "changed", [{"form": "{{ who }}"}, {"form": "{text"}, {"form": "{text.x}"}, {"endpoint": "http://10.0.0.1/"}]
)
def test_settings_that_cannot_work_are_refused(robot: Robots, changed: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        made(robot, 1, **changed)


@BOTH
def test_twenty_a_minute_are_the_limit_unless_told_otherwise(robot: Robots) -> None:
    settings = WeComSettings(key_env="K") if robot is WeCom else DingTalkSettings(token_env="T")
    assert [(one.most, one.seconds) for one in settings.limits] == [(20, 60)]
    assert settings.endpoint.startswith("https://")
