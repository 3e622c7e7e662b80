"""A robot of a WeCom (企业微信) group: texts, at most 20 a minute."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from sinks.channels.provider import Around
from sinks.channels.settings import Limit
from sinks.channels.web.robot import Robot, RobotSettings, secret_of


class WeComSettings(RobotSettings):
    """A robot of a WeCom group."""

    kind: Literal["wecom"] = "wecom"
    key_env: str = Field(description="variable of the robot's key, the part behind key= of its address")
    endpoint: str = Field(
        default="https://qyapi.weixin.qq.com/cgi-bin/webhook/send", description="where it is posted to"
    )
    # "每个机器人发送的消息不能超过20条/分钟" - developer.work.weixin.qq.com/document/path/91770
    limits: list[Limit] = [Limit(most=20, within="1m")]


class WeCom(Robot):
    """Posts to ``webhook/send``."""

    # -1 busy, 45009 too many, 45033 too many at the same time
    again = {-1: 5.0, 45009: 60.0, 45033: 5.0}
    # 93000 no such key, 93004 switched off, 93008 not in the group any more, 40001 and 40014 credentials,
    # 41001 no credentials, 60020 this address is not trusted
    mended_by_people = frozenset({93000, 93004, 93008, 40001, 40014, 41001, 60020})
    most_bytes = 2048  # "文本内容，最长不超过2048个字节"

    def __init__(self, settings: WeComSettings, around: Around) -> None:
        super().__init__(settings, around)
        self._key_env = settings.key_env
        self._mention = ["@all" if one == "all" else one for one in settings.mention]

    def query(self) -> dict[str, str]:
        """Return the key."""
        return {"key": secret_of(self._key_env, self.environment)}

    def body(self, text: str) -> dict[str, Any]:
        """Return a message of type text."""
        return {"msgtype": "text", "text": {"content": text, "mentioned_mobile_list": self._mention}}
