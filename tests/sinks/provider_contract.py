"""The contract of `sinks.channels.provider.Provider`: one class of tests, run on every kind.

A kind's test file has a harness (`Far`: the provider's other side, on loopback) and a class that inherits
`ProviderContract` with a fixture ``far``. What a kind cannot do (a console refuses nothing) its harness says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal, Protocol, TypeVar

import pytest

from sinks.channels.batch import NOT_BEGUN, Batch
from sinks.channels.message import Message
from sinks.channels.outcome import Accepted, Outcome, Refused, Unknown
from sinks.channels.provider import Provider, Receipt

Made = TypeVar("Made")
MESSAGE = Message(
    id="ab" * 16, minute=29_540_000, to="phone:13800001001", channel="sms", template="thanks",
    text="谢谢您的第 3 单！😀", title="谢谢", customer="cd" * 16, trigger="thanks", values={"orders": "3"},
)  # fmt: skip


def numbered(count: int) -> list[Message]:
    """Return messages that differ in id and text."""
    return [replace(MESSAGE, id=f"{n:032x}", text=f"第 {n} 条") for n in range(count)]


async def handed(provider: Provider, messages: Sequence[Message]) -> list[Outcome]:
    """Hand messages to a provider; return what became of each, in order."""
    assert len({one.id for one in messages}) == len(messages), "a batch tells messages apart by their ids"
    batch = Batch(messages)
    await provider.send(batch)
    assert batch.begun == len(messages)
    return batch.outcomes("the provider did not say")


class Ending(Batch):
    """A batch that ends when so many are taken."""

    def __init__(self, messages: Sequence[Message], most: int) -> None:
        super().__init__(messages)
        self._most = most

    def __next__(self) -> Message:
        message = super().__next__()
        if self.begun == self._most:
            self.end()
        return message


class Changed(Batch):
    """A batch whose messages are changed as they are taken, for a kind that needs them otherwise."""

    def __init__(self, batch: Batch, change: Callable[[Message], Message]) -> None:
        super().__init__([])
        self._batch, self._change = batch, change

    def __next__(self) -> Message:
        try:
            return self._change(next(self._batch))
        finally:
            self.ended = self._batch.ended

    def __len__(self) -> int:
        return len(self._batch)

    def tell(self, message: Message, outcome: Outcome) -> None:
        self._batch.tell(message, outcome)

    @property
    def left(self) -> int:
        return self._batch.left


class Far(Protocol):
    """The other side of a provider, as a test steers it."""

    provider: Provider
    receipts: list[Receipt]  # what came back by `Around.receive`

    def came_out(self) -> Sequence[str]:
        """Return what arrived at the other side, a text for each message with the message's own in it."""

    def refuse(self, verdict: Literal["retry", "give_up", "stop"]) -> bool:
        """Let the other side refuse the next message for a reason of this verdict; False: it never does."""

    def go_away(self) -> bool:
        """Let the other side take no connections; False: there is none that could."""

    def come_back(self) -> None:
        """Undo `go_away`."""

    def break_off(self) -> bool:
        """Let the other side break the connection once a message has reached it, before it answers; False:
        there is none that could.
        """


class Loop:
    """An event loop of a test."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()

    def run(self, work: Coroutine[Any, Any, Made]) -> Made:
        return self._runner.run(asyncio.wait_for(work, 60))

    def close(self) -> None:
        self._runner.close()


class ProviderContract:
    """Inherit with a fixture ``far``."""

    @pytest.fixture
    def loop(self) -> Iterator[Loop]:
        loop = Loop()
        yield loop
        loop.close()

    @pytest.fixture
    def provider(self, far: Far, loop: Loop) -> Iterator[Provider]:
        loop.run(far.provider.open())
        yield far.provider
        loop.run(far.provider.close())

    def send(self, loop: Loop, provider: Provider, messages: Sequence[Message]) -> list[Outcome]:
        return loop.run(handed(provider, messages))

    def test_an_accepted_message_is_out_as_it_was_written(
        self, far: Far, loop: Loop, provider: Provider
    ) -> None:
        (outcome,) = self.send(loop, provider, [MESSAGE])
        assert isinstance(outcome, Accepted)
        assert outcome.parts >= 1
        assert [MESSAGE.text in text for text in far.came_out()] == [True]

    def test_no_messages_are_no_work(self, loop: Loop, provider: Provider, far: Far) -> None:
        assert self.send(loop, provider, []) == []
        assert list(far.came_out()) == []

    def test_many_messages_are_each_out_once(self, far: Far, loop: Loop, provider: Provider) -> None:
        outcomes = self.send(loop, provider, numbered(50))
        assert all(isinstance(one, Accepted) for one in outcomes)
        came = "\n".join(sorted(far.came_out()))
        assert len(far.came_out()) == 50
        assert all(came.count(f"第 {n} 条") == 1 for n in range(50))

    def test_what_was_not_begun_when_a_batch_ends_is_certainly_not_out(
        self, far: Far, loop: Loop, provider: Provider
    ) -> None:
        batch = Ending(numbered(9), 3)
        loop.run(provider.send(batch))
        outcomes = batch.outcomes("the provider did not say")
        out = len(far.came_out())
        assert 1 <= out <= 3
        assert [type(one) for one in outcomes].count(Accepted) == out
        assert outcomes.count(NOT_BEGUN) == 9 - out

    @pytest.mark.parametrize(
        "odd",
        [
            replace(MESSAGE, text=""), replace(MESSAGE, text="\0\u202e\u2028\x85\x1d"),
            replace(MESSAGE, text="=?utf-8?q?=0ABcc:_x?=", title="=?utf-8?q?a?="),
            replace(MESSAGE, text="字" * 20_000), replace(MESSAGE, title="\r\nBcc: x@y.example"),
            replace(MESSAGE, to="phone:=?utf-8?q?a?=@x"), replace(MESSAGE, to="phone:İ@x"),
            replace(MESSAGE, to="phone:"), replace(MESSAGE, to=""), replace(MESSAGE, template="{{"),
            replace(MESSAGE, values={"orders": "{" * 3000}), replace(MESSAGE, expires=1e12, priority=-10),
        ],
    )  # fmt: skip
    def test_an_odd_message_spoils_no_other(
        self, far: Far, loop: Loop, provider: Provider, odd: Message
    ) -> None:
        """Whatever becomes of it is its own, and known."""
        first, last = numbered(2)
        before, outcome, behind = self.send(loop, provider, [first, odd, last])
        assert (type(before), type(behind)) == (Accepted, Accepted)
        assert isinstance(outcome, Accepted | Refused), outcome
        came = "\n".join(far.came_out())
        assert (came.count(first.text), came.count(last.text)) == (1, 1)

    def test_references_tell_messages_apart(self, far: Far, loop: Loop, provider: Provider) -> None:
        outcomes = self.send(loop, provider, numbered(5))
        references = [one.reference for one in outcomes if isinstance(one, Accepted)]
        assert len(references) == 5
        if references[0] is not None:
            assert len(set(references)) == 5

    def test_it_may_be_closed_twice_and_opened_again(self, far: Far, loop: Loop, provider: Provider) -> None:
        loop.run(provider.close())
        loop.run(provider.close())
        loop.run(provider.open())
        (outcome,) = self.send(loop, provider, [MESSAGE])
        assert isinstance(outcome, Accepted)

    @pytest.mark.parametrize("verdict", ["retry", "give_up", "stop"])
    def test_a_refusal_is_told_with_its_verdict_and_spares_the_next(
        self, far: Far, loop: Loop, provider: Provider, verdict: Literal["retry", "give_up", "stop"]
    ) -> None:
        if not far.refuse(verdict):
            return  # the harness says that this kind never refuses so
        (outcome,) = self.send(loop, provider, [MESSAGE])
        assert isinstance(outcome, Refused)
        assert outcome.verdict == verdict
        assert outcome.reason
        assert list(far.came_out()) == []
        (outcome,) = self.send(loop, provider, [MESSAGE])
        assert isinstance(outcome, Accepted)

    def test_one_who_is_away_is_an_outcome_and_no_error(
        self, far: Far, loop: Loop, provider: Provider
    ) -> None:
        """What was never written is certainly not out: it may be tried again."""
        if not far.go_away():
            return
        outcomes = self.send(loop, provider, numbered(3))
        assert [type(one) for one in outcomes] == [Refused] * 3
        assert {one.verdict for one in outcomes if isinstance(one, Refused)} == {"retry"}
        far.come_back()
        outcomes = self.send(loop, provider, numbered(3))
        assert all(isinstance(one, Accepted) for one in outcomes)
        assert len(far.came_out()) == 3

    def test_a_connection_that_breaks_behind_the_message_leaves_it_unknown(
        self, far: Far, loop: Loop, provider: Provider
    ) -> None:
        """Marketing at most once: nobody may think that it is not out."""
        if not far.break_off():
            return
        (outcome,) = self.send(loop, provider, [MESSAGE])
        assert isinstance(outcome, Unknown)
        assert outcome.reason
        (outcome,) = self.send(loop, provider, [MESSAGE])
        assert isinstance(outcome, Accepted)
