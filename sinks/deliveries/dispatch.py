"""The dispatcher: deliveries from the book to the providers, each provider in a lane of its own.

The order of things for every batch, which no crash may turn round:

1. what is due is read, and judged: too late, revoked, no text, over a limit, or to be claimed;
2. the claim is written, and on disk;
3. the provider sends, and begins no more of it once it is slow or has to stop;
4. what became of it is written.

A crash behind (2) leaves the claim: `Ledger.recover` says of it that its end is unknown.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from sinks.channels.batch import Batch
from sinks.channels.numbers import masked
from sinks.channels.outcome import Outcome
from sinks.channels.provider import Receipt
from sinks.deliveries.answering import STATES
from sinks.deliveries.breaker import Stand
from sinks.deliveries.delivery import Away
from sinks.deliveries.lane import BATCH, Lane, Surroundings

WAYS = 2  # batches of a lane on their way at once, so that one slow message does not hold up a provider
IDLE_SECONDS = 0.5  # deliveries that another process has queued again are seen so soon
AGAIN_SECONDS = 5.0  # after an error of the disk, or of a store, that somebody has to mend
GRACE_SECONDS = 5.0  # for batches that are on their way when it is told to stop
EXPIRED = 1000  # let go at a time

Behind = Callable[[str, str], Sequence[str]]


class Dispatcher:
    """channels: for each its lanes, in the order of preference. One event loop's.

    behind: gets a channel and the address of an answer; returns the customers (32 hex digits) who are known
    by it. heard: is called when answers are on disk.
    """

    def __init__(
        self, around: Surroundings, channels: Mapping[str, Sequence[Lane]],
        behind: Behind = lambda _channel, _address: (), heard: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self._around, self._channels, self._behind, self._heard = around, channels, behind, heard
        self._stopping = False
        self._news = asyncio.Event()

    async def open(self) -> None:
        """Open every provider."""
        for lane in self.lanes:
            await lane.provider.open()

    async def close(self) -> None:
        """Close every provider."""
        for lane in self.lanes:
            await lane.provider.close()

    @property
    def lanes(self) -> list[Lane]:
        """All lanes."""
        return [lane for lanes in self._channels.values() for lane in lanes]

    def wake(self) -> None:
        """There is something new to send. In the event loop's thread."""
        self._news.set()

    def stop(self) -> None:
        """Let `run` return once the batches on their way are settled, or after a while. In its thread."""
        self._stopping = True
        for lane in self.lanes:
            lane.stop()
        self._news.set()

    def receive(self, lane: str, receipts: Sequence[Receipt]) -> None:
        """Take receipts of a lane's provider, and answers; on disk on return. In the event loop's thread."""
        channel = lane.partition("/")[0]
        whom = [self._behind(channel, one.address) if one.state in STATES else () for one in receipts]
        whose = self._around.book.receive(lane, receipts, self._around.now(), whom)
        for one, customer in zip(receipts, whose, strict=True):
            if one.state == "unsubscribed" and customer is None:
                self._around.say(unheard(channel, one))
        if any(one.state in STATES for one in receipts):
            self._heard()

    async def run(self) -> None:
        """Send until `stop`. Raises what is a defect; an error of the disk is told and waited out."""
        tasks = [
            asyncio.create_task(self._travel(lanes, place)) for lanes in self._channels.values()
            for place in range(len(lanes)) for _ in range(WAYS)
        ]  # fmt: skip
        tasks += [asyncio.create_task(self._expire()), asyncio.create_task(self._stopped())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        except _Hangs:
            pass  # what is on its way is cancelled; what has begun and has no answer is unknown
        finally:
            self.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def run_until_idle(self) -> None:
        """Send what is due, lane by lane: the same order every time."""
        while self._around.book.expire(self._around.now(), EXPIRED):
            pass
        again = True
        while again:
            again = False
            for lanes in self._channels.values():
                for place in range(len(lanes)):
                    while await self._step(lanes, place):
                        again = True

    async def _step(self, lanes: Sequence[Lane], place: int) -> bool:
        """Carry one batch; return whether anything was done."""
        lane = lanes[place]
        claimed, moved = lane.pick(self._turns(lanes, place))
        if claimed:
            batch = Batch([message for _, message in claimed])
            outcomes: Sequence[Outcome] | None = None
            try:
                outcomes = await lane.send(batch)
            finally:  # also when it is cancelled
                outcomes = outcomes or batch.outcomes("stopped before there was an answer")
                lane.judge_provider(outcomes)
                await self._insist(lane.name, partial(lane.settle, claimed, outcomes))
        return moved

    def _turns(self, lanes: Sequence[Lane], place: int) -> list[int]:
        """Return the turns that a lane serves: its own, and those of the lanes before it, going round, that
        take nothing at present."""
        now, of = self._around.now(), len(lanes)
        turns = [place]
        for back in range(1, of):
            other = (place - back) % of
            if lanes[other].breaker.may(now, BATCH) > 0:
                break
            turns.append(other)
        return turns

    async def _travel(self, lanes: Sequence[Lane], place: int) -> None:
        while not self._stopping:
            try:
                moved = await self._step(lanes, place)
            except (sqlite3.OperationalError, Away) as error:
                self._around.say(f"{lanes[place].name}: {error} (tried again in {AGAIN_SECONDS:.0f} s)")
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            if moved:
                await asyncio.sleep(0)
            else:
                await self._rest(self._pause(lanes, place))

    def _pause(self, lanes: Sequence[Lane], place: int) -> float:
        """Return how long there is nothing to do for a lane, as far as is known."""
        now = self._around.now()
        due = self._around.book.next_due(lanes[place].name.partition("/")[0], self._turns(lanes, place))
        if due is None:
            return IDLE_SECONDS
        return min(max(due, lanes[place].wakes_at(now)) - now, IDLE_SECONDS)

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._news.wait(), max(seconds, 0.001))
            if not self._stopping:
                await asyncio.sleep(0)  # everybody who rests has woken
                self._news.clear()
        except TimeoutError:
            pass

    async def _expire(self) -> None:
        while not self._stopping:
            try:
                if self._around.book.expire(self._around.now(), EXPIRED) < EXPIRED:
                    await self._rest(1.0)
            except sqlite3.OperationalError:
                await asyncio.sleep(AGAIN_SECONDS)  # the lanes say so
            await asyncio.sleep(0)

    async def _stopped(self) -> None:
        """End with an error of its own where batches do not come back after `stop`."""
        while not self._stopping:
            await self._rest(60.0)
        until = asyncio.get_running_loop().time() + GRACE_SECONDS
        while any(lane.sending for lane in self.lanes):
            if asyncio.get_running_loop().time() > until:
                raise _Hangs
            await asyncio.sleep(0.01)

    async def _insist(self, name: str, write: Callable[[], None]) -> None:
        """Write an end down, however long the disk is full: it is known nowhere else."""
        while True:
            try:
                return write()
            except sqlite3.OperationalError as error:
                if self._stopping:
                    raise  # it will be unknown
                self._around.say(f"{name}: {error} (tried again in {AGAIN_SECONDS:.0f} s)")
                await asyncio.sleep(AGAIN_SECONDS)

    def health(self) -> list[dict[str, object]]:
        """Return how each provider stands, as the commands and the API show it."""
        return [
            {"provider": lane.name, "state": lane.breaker.stand.value, "reason": lane.breaker.reason,
             "until": lane.breaker.until if lane.breaker.stand is Stand.OPEN else None,
             "sending": lane.sending}
            for lane in self.lanes
        ]  # fmt: skip


def unheard(channel: str, given: Receipt) -> str:
    """Return the line for people that somebody unsubscribes whom nobody is known by."""
    whose = masked(given.address) if given.address else "a message that is not known"
    told = f"{channel}: {whose} unsubscribes, and no customer is known by it: nothing is withdrawn"
    return f"{told}; look which reference 'address' of the channel names, and how it is written"


class _Hangs(Exception):
    """A provider has not come back in the time that there is for an end."""
