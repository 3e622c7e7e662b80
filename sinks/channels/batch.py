"""Messages handed to a provider together, and what it tells of each.

A provider takes a message when it is about to begin it and tells its end as soon as it is known. So whoever
handed a batch over knows at any moment which messages are certainly not out: those that nobody has taken.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from sinks.channels.message import Message
from sinks.channels.outcome import Outcome, Refused, Unknown

if TYPE_CHECKING:  # every command imports this file
    import asyncio

# Certainly not out, and nobody's fault: its provider was slow, or sending was stopped.
NOT_BEGUN = Refused("retry", "not begun", "it was not begun in the time for its batch")


class Batch:
    """Messages of different ids. Iterating over a batch takes its messages, each once. begun: how many were
    taken; ended: whether no more are given.

    >>> batch = Batch([Message(f"{n:032x}", 1, "phone:138", "sms", "hi", "hello") for n in range(3)])
    >>> first = next(batch)
    >>> batch.tell(first, Refused("give_up", "", "no such number")), next(batch).id[-1]
    (None, '1')
    >>> batch.end(), list(batch), [type(one).__name__ for one in batch.outcomes("the connection broke")]
    (None, [], ['Refused', 'Unknown', 'Refused'])
    """

    def __init__(self, messages: Sequence[Message]) -> None:
        self._messages = messages
        self._waiting = iter(messages)
        self.ended = False
        self._told: dict[str, Outcome] = {}
        self.begun = 0

    def __len__(self) -> int:
        return len(self._messages)

    def __iter__(self) -> Iterator[Message]:
        return self

    def __next__(self) -> Message:
        if self.ended:
            raise StopIteration
        message = next(self._waiting)
        self.begun += 1
        return message

    @property
    def left(self) -> int:
        """How many messages may still be taken."""
        return 0 if self.ended else len(self._messages) - self.begun

    def take(self, most: int) -> list[Message]:
        """Take up to so many messages."""
        return list(islice(self, most))

    def tell(self, message: Message, outcome: Outcome) -> None:
        """Say what became of a message that was taken; a message has one end, the first that is told."""
        self._told.setdefault(message.id, outcome)

    def tell_all(self, outcome: Outcome) -> None:
        """Take what is left and say the same of each."""
        for message in self:
            self.tell(message, outcome)

    async def carry_one(self, send: Callable[[Message], Awaitable[Outcome]]) -> bool:
        """Take a message, send it and tell its end; return whether there was one."""
        message = next(self, None)
        if message is not None:
            self.tell(message, await send(message))
        return message is not None

    def end(self) -> None:
        """Give no more messages: what has begun may come to its end."""
        self.ended = True

    def outcomes(self, untold: str, not_begun: Refused = NOT_BEGUN) -> list[Outcome]:
        """Return what became of each message, in order. What was taken and not told of is unknown, for the
        reason ``untold``."""
        unknown, told = Unknown(untold), self._told
        return [
            told.get(message.id, unknown if place < self.begun else not_begun)
            for place, message in enumerate(self._messages)
        ]


async def side_by_side(ways: int, room: asyncio.Semaphore, step: Callable[[], Awaitable[bool]]) -> None:
    """Repeat a step in so many ways at the same time until it says that nothing is left. room: what a step
    waits for, so that it takes no message before it can begin it. An error ends its own way, and comes when
    the others are done.
    """
    import asyncio

    async def go() -> None:
        more = True
        while more:
            async with room:
                more = await step()

    ended = await asyncio.gather(*(go() for _ in range(ways)), return_exceptions=True)
    for one in ended:
        if one is not None:
            raise one
