"""What robots of group chats have in common: a text to a group, posted, and answered with a code.

They write to a group, not to the customer, so a text has to say whom it is about: ``form`` puts it together.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from sinks.channels.batch import Batch, side_by_side
from sinks.channels.message import Message
from sinks.channels.outcome import Accepted, Outcome, Refused, Unknown
from sinks.channels.placeholders import check_places, fill_places
from sinks.channels.provider import Around
from sinks.channels.web.posting import Answer, Poster, PostingSettings, check_url
from sinks.texts.escape import EscapeName

NAMES = ("text", "title", "customer", "to", "address", "trigger", "template")


class RobotSettings(PostingSettings):
    """What robots share."""

    escape: ClassVar[EscapeName] = "robot"

    form: str = Field(
        default="{{ text }}\n{{ customer }}",
        description="what the group reads, with {{ " + " }}, {{ ".join(NAMES) + " }}",
    )
    mention: list[str] = Field(
        default=[], description="phone numbers of members of the group who are told; 'all' is everybody"
    )
    endpoint: str = ""

    @field_validator("form")
    @classmethod
    def _can_be_filled(cls, form: str) -> str:
        check_places(form, NAMES)
        return form

    @field_validator("endpoint")
    @classmethod
    def _can_be_posted_to(cls, endpoint: str, told: ValidationInfo) -> str:
        return check_url(endpoint, told)


class Robot(ABC):
    """Posts texts one after the other, so that a group reads them in order."""

    again: Mapping[int, float]  # codes after which it may be tried again, and after how many seconds
    mended_by_people: frozenset[int]  # codes after which nothing will pass
    most_bytes: int  # of a text

    def __init__(self, settings: RobotSettings, around: Around) -> None:
        self.environment = around.environment
        self._form = settings.form
        self._poster = Poster(settings, settings.endpoint)

    @abstractmethod
    def query(self) -> dict[str, str]:
        """Return what the URL carries. Raises ValueError where a secret is missing."""

    @abstractmethod
    def body(self, text: str) -> dict[str, Any]:
        """Return the document that is posted."""

    async def open(self) -> None:
        """Make the session."""
        await self._poster.open()

    async def send(self, batch: Batch) -> None:
        """Post the messages."""
        await side_by_side(1, self._poster.room, partial(batch.carry_one, self._send))

    async def _send(self, message: Message) -> Outcome:
        text = fill_places(self._form, {name: getattr(message, name) for name in NAMES}).strip()
        length = len(text.encode())
        if not 0 < length <= self.most_bytes:
            told = f"the text has {length} bytes, the limit is {self.most_bytes}"
            return Refused("give_up", "length", told)
        try:
            query = self.query()
        except ValueError as problem:
            return Refused("stop", "secret", str(problem))
        document = json.dumps(self.body(text), ensure_ascii=False).encode()
        answer = await self._poster.post(document, {"Content-Type": "application/json"}, query)
        return self._outcome(answer) if isinstance(answer, Answer) else answer

    def _outcome(self, answer: Answer) -> Outcome:
        verdict: Literal["retry", "give_up", "stop"]
        status = answer.status
        if status != 200:
            if (doubt := answer.doubt) is not None:
                return doubt
            verdict = "retry" if status in (408, 429) or status >= 500 else "stop"
            return Refused(verdict, str(status), answer.text or f"status {status}", answer.after)
        try:
            told = json.loads(answer.body)
            code = int(told["errcode"])
        except (ValueError, KeyError, TypeError):
            return Unknown(f"the answer is no such document: {answer.text}")
        if code == 0:
            return Accepted()
        verdict = "retry" if code in self.again else "stop" if code in self.mended_by_people else "give_up"
        return Refused(verdict, str(code), str(told.get("errmsg") or code), self.again.get(code))

    async def close(self) -> None:
        """Let go of the connections."""
        await self._poster.close()


def secret_of(name: str, environment: Mapping[str, str]) -> str:
    """Return a variable's text. Raises ValueError where it is not set."""
    found = environment.get(name, "")
    if not found:
        raise ValueError(f"{name} is not set: put the secret into the environment")
    return found
