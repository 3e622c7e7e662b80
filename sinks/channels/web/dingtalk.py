"""A custom robot of a DingTalk (钉钉) group: texts, signed where it has a secret, at most 20 a minute."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Any, Literal

from pydantic import Field

from sinks.channels.provider import Around
from sinks.channels.settings import Limit
from sinks.channels.web.robot import Robot, RobotSettings, secret_of


class DingTalkSettings(RobotSettings):
    """A custom robot of a DingTalk group."""

    kind: Literal["dingtalk"] = "dingtalk"
    token_env: str = Field(
        description="variable of the robot's token, the part behind access_token= of its address"
    )
    secret_env: str = Field(default="", description="variable of its secret (SEC...), where it has one")
    endpoint: str = Field(default="https://oapi.dingtalk.com/robot/send", description="where it is posted to")
    # "每个机器人每分钟最多发送20条消息到群里", then none for ten minutes (open.dingtalk.com)
    limits: list[Limit] = [Limit(most=20, within="1m")]


class DingTalk(Robot):
    """Posts to ``robot/send``."""

    # -1 busy; 130101 and 410100 too fast, which holds for ten minutes
    again = {-1: 5.0, 130101: 600.0, 410100: 600.0}
    # 310000 keyword, signature or address; 300001 and 400101 token, 400013 the group is dissolved, 400102
    # switched off, 400106 there is no such robot
    mended_by_people = frozenset({310000, 300001, 400013, 400101, 400102, 400106})
    most_bytes = 20_000  # the whole document's limit, which a text of Tintype does not come near

    def __init__(self, settings: DingTalkSettings, around: Around) -> None:
        super().__init__(settings, around)
        self._token_env, self._secret_env = settings.token_env, settings.secret_env
        self._all = "all" in settings.mention
        self._mobiles = [one for one in settings.mention if one != "all"]

    def query(self) -> dict[str, str]:
        """Return the token, and the signature of this moment."""
        token = {"access_token": secret_of(self._token_env, self.environment)}
        if not self._secret_env:
            return token
        at = str(int(time.time() * 1000))
        return {**token, "timestamp": at, "sign": sign(at, secret_of(self._secret_env, self.environment))}

    def body(self, text: str) -> dict[str, Any]:
        """Return a message of type text; whoever is mentioned has to stand in the text too."""
        mentioned = "".join(f"\n@{one}" for one in self._mobiles)
        return {
            "msgtype": "text", "text": {"content": text + mentioned},
            "at": {"atMobiles": self._mobiles, "isAtAll": self._all},
        }  # fmt: skip


def sign(timestamp_ms: str, secret: str) -> str:
    """Return the signature that goes with a time, before it is quoted for a URL.

    >>> sign("1577836800000", "SECtest")
    'drlICLmsjUfpSZSa7+mhIyTLZHQVqxb4vc20sB3aqQU='
    """
    told = f"{timestamp_ms}\n{secret}".encode()
    return base64.b64encode(hmac.new(secret.encode(), told, hashlib.sha256).digest()).decode()
