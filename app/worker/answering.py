"""What the API asks of engines, answered by the partitions' owners between two batches; and overviews that
were not due with the last commit."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor

import redis

from app.worker.partition import OwnedPartition
from sinks.store.questions import REACH, Question, Questions

_LOOK_SECONDS, _AGAIN_SECONDS = 0.1, 1.0
log = logging.getLogger(__name__)


class Answering:
    """Runs until it is cancelled. owned: the partitions that this worker has now; executor: the engine's
    thread."""

    def __init__(
        self, questions: Questions, owned: Callable[[], Mapping[int, OwnedPartition]], executor: Executor
    ) -> None:
        self._questions, self._owned, self._executor = questions, owned, executor
        self._one_count = asyncio.Lock()  # a child each: no more at once
        self._counts = set[asyncio.Task[None]]()  # a loop keeps no hold of its tasks

    async def run(self) -> None:
        """Look for questions, and answer them."""
        while True:
            try:
                await asyncio.sleep(_LOOK_SECONDS if not await self._step() else 0)
            except redis.RedisError:  # who asks is told so by the store itself
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _step(self) -> int:
        """Answer one question of each partition; return how many there were."""
        ready = sorted(number for number, one in self._owned().items() if one.owner is not None)
        if not ready:
            return 0
        loop = asyncio.get_running_loop()
        for one in [self._owned().get(number) for number in ready]:
            if one is not None and one.owes_overview:
                await loop.run_in_executor(self._executor, one.show)
        found = await asyncio.to_thread(self._questions.take, ready)
        for number, question in found:
            if question.kind == REACH:  # it takes seconds, of a child; others do not wait for it
                counting = asyncio.create_task(self._count(number, question))
                self._counts.add(counting)
                counting.add_done_callback(self._counts.discard)
            else:
                await self._answer(number, question)
        return len(found)

    async def _answer(self, number: int, question: Question) -> None:
        one = self._owned().get(number)
        if one is None:
            return  # it went away just now; whoever asked asks again
        loop = asyncio.get_running_loop()
        try:
            answer = await loop.run_in_executor(self._executor, one.answer, question.kind, question.about)
        except Exception:  # whoever asks must not end the owner of a partition
            log.exception("partition %d: a question (%s)", number, question.kind)
            return
        if answer is not None:
            await asyncio.to_thread(self._questions.answer, number, question, answer)

    async def _count(self, number: int, question: Question) -> None:
        """Answer how many a broadcast would reach, once it is this question's turn."""
        async with self._one_count:
            one = self._owned().get(number)
            if one is None or question.until < time.time():
                return
            loop = asyncio.get_running_loop()
            try:
                wait = await loop.run_in_executor(self._executor, one.begin_reach, question.about)
                if wait is not None:
                    answer = await asyncio.to_thread(wait)
                    await asyncio.to_thread(self._questions.answer, number, question, answer)
            except Exception:  # as above
                log.exception("partition %d: a question (%s)", number, question.kind)
