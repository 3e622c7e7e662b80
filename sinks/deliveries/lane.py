"""A lane: what goes to one provider of a channel, at that provider's own pace."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sinks.channels.batch import NOT_BEGUN, Batch
from sinks.channels.message import HeldBack, Message
from sinks.channels.outcome import Accepted, Outcome, Refused, Unknown
from sinks.channels.provider import Provider
from sinks.deliveries.breaker import RETRY_MOST, RETRY_SECONDS, Breaker, Stand, back_off
from sinks.deliveries.delivery import Book, Queued, Step, without_addresses
from sinks.deliveries.in_quiet_hours import in_quiet_hours
from sinks.deliveries.life import Event, State
from sinks.deliveries.limits import Limits
from sinks.deliveries.over_caps import Caps
from sinks.deliveries.paces import Paces
from sinks.deliveries.portion import Portion

BATCH = 200  # messages claimed and sent together: two synced writes, 0.3 to 3 ms each, for all of them
TIMEOUT = 120.0  # seconds for a batch: a provider has time-outs of its own, this is for one that hangs
BEGIN = 0.25  # of that time: later none is begun, so that what has begun comes to its end within it


@dataclass(frozen=True)
class Carried:
    """What a lane did with a delivery, for whoever shows it: the message that went out or, without one, why
    there is none. state: what it came to.
    """

    queued: Queued
    state: State
    message: Message | None
    reason: str


@dataclass(frozen=True)
class Surroundings:
    """What all lanes of a dispatcher have in common.

    make: the message of a delivery; raises HeldBack. revoked: why it must not go out any more, asked when it
    is about to. now: seconds since 1970. told: gets what was done. say: a line for people. prepare: gets the
    deliveries whose messages are about to be made, and now; what these say for good is on disk on return.
    Raises Away. look: called when deliveries were read, before they are judged: `revoked` must know by then
    of every switch that was turned before they were read. paces: of triggers, over all lanes; caps: likewise.
    """

    book: Book
    make: Callable[[Queued], Message]
    revoked: Callable[[Queued], str | None]
    now: Callable[[], float]
    chance: random.Random
    told: Callable[[Carried], None]
    say: Callable[[str], None]
    prepare: Callable[[Sequence[Queued], float], None] = lambda _rows, _now: None
    look: Callable[[], None] = lambda: None
    paces: Paces = field(default_factory=Paces)
    caps: Caps = field(default_factory=Caps)


class Lane:
    """One provider's lane. It holds nothing but the batches that are being sent; all else waits in the book.

    name: ``channel/provider``; place: of the provider in its channel's order, of so many.
    """

    def __init__(
        self, around: Surroundings, channel: str, name: str, provider: Provider, limits: Limits, place: int,
        of: int,
    ) -> None:  # fmt: skip
        self._around, self._channel, self._place, self._of = around, channel, place, of
        self.name, self.provider, self.limits = name, provider, limits
        self.breaker = Breaker(around.chance)
        self._portion = Portion(BATCH)
        self._on_their_way: list[Batch] = []

    @property
    def sending(self) -> int:
        """Messages on their way."""
        return sum(len(one) for one in self._on_their_way)

    def stop(self) -> None:
        """Let the provider begin no more of what it was handed."""
        for batch in self._on_their_way:
            batch.end()

    def pick(self, turns: Sequence[int]) -> tuple[list[tuple[Queued, Message]], bool]:
        """Claim what may go now; return it, and whether anything was done at all. Nothing else runs between
        the look and the claim: it does not wait for anything.
        """
        around, now = self._around, self._around.now()
        may = self.limits.room(now, self.breaker.may(now, self._portion.size))
        rows = around.book.waiting(self._channel, turns, now, may) if may else []
        if not rows:
            return [], False
        around.look()
        around.caps.look(rows, now)
        steps, made = [], list[Message | None]()
        stopped = {row.number: step for row in rows if (step := self._stopped(row, now)) is not None}
        around.prepare([row for row in rows if row.number not in stopped], now)
        for row in rows:
            over = stopped.get(row.number)
            step, message = self._judge(row, now) if over is None else (over, None)
            steps.append(step)
            made.append(message)
        states = around.book.write(steps)
        claimed = []
        for row, step, message, state in zip(rows, steps, made, states, strict=True):
            if state is State.CLAIMED and message is not None:
                claimed.append((row, message))
            elif state in (State.HELD_BACK, State.EXPIRED):
                around.told(Carried(row, state, None, step.reason))
        if claimed:
            self.breaker.probe()
        return claimed, True

    def _stopped(self, row: Queued, now: float) -> Step | None:
        """Say why no message of a delivery that is due is to be made; None where one is."""
        if row.expires <= now:
            return Step(row.number, Event.TOO_LATE, now, reason="too late to be sent")
        revoked = self._around.revoked(row)
        if revoked is not None:
            return Step(row.number, Event.REVOKE, now, reason=revoked)
        caps, paces = self._around.caps, self._around.paces
        return in_quiet_hours(row, now) or caps.judge(row, now) or paces.judge(row, now)

    def _judge(self, row: Queued, now: float) -> tuple[Step, Message | None]:
        """Say what is to be done with a delivery whose message is to be made."""
        try:
            message = self._around.make(row)
        except HeldBack as reason:
            return Step(row.number, Event.HOLD_BACK, now, reason=str(reason)), None
        full = self._around.caps.judge(row, now)  # by what is claimed together with it
        if full is not None:
            return full, None
        later = self.limits.admit(row.template, row.decision.customer, now)
        if later is not None:
            due = min(later, row.expires)
            return Step(row.number, Event.PUT_OFF, now, due=due, reason="a limit is used up"), None
        self._around.caps.take(row, now)
        return Step(row.number, Event.CLAIM, now, self.name), replace(message, expires=row.expires)

    async def send(self, batch: Batch) -> list[Outcome]:
        """Send what was claimed. Whatever the provider does, each message gets an outcome; being cancelled,
        it stands in the batch.
        """
        loop = asyncio.get_running_loop()
        began, time = loop.time(), TIMEOUT * BEGIN
        ending = loop.call_later(time, batch.end)
        self._on_their_way.append(batch)
        fault = ""
        try:
            await asyncio.wait_for(self.provider.send(batch), TIMEOUT)
        except TimeoutError:
            fault = f"no answer within {TIMEOUT:.0f} s"
        except Exception as error:  # noqa: BLE001 - a provider's defect must not stop the others
            self._around.say(f"{self.name}: a defect of the provider: {error!r}")
            fault = f"a defect of the provider: {type(error).__name__}"
        finally:
            ending.cancel()
            self._on_their_way.remove(batch)
        if batch.begun:
            self._portion.learn(len(batch), batch.begun, loop.time() - began, time)
        if fault or not batch.begun:  # as any refusal: at once it would only come to the same again
            fault = fault or "the provider began nothing in the time for its batch"
            return batch.outcomes(fault, Refused("retry", "", fault))
        return batch.outcomes("a defect of the provider: it did not say")

    def settle(self, claimed: Sequence[tuple[Queued, Message]], outcomes: Sequence[Outcome]) -> None:
        """Write down what became of a batch. It may be called again with the same, if the book fails."""
        now = self._around.now()
        ends = [
            (row, message, _without(outcome, message))
            for (row, message), outcome in zip(claimed, outcomes, strict=True)
        ]
        steps = [step for row, _, outcome in ends for step in self._steps(row, outcome, now)]
        behind = dict(
            zip([step.number for step in steps], self._around.book.write(steps), strict=True)
        )  # the last step of each
        for row, message, outcome in ends:
            state = behind[row.number]
            if state is not None:
                out = message if isinstance(outcome, Accepted) else None
                self._around.told(Carried(row, state, out, "" if out else _reason(outcome)))

    def judge_provider(self, outcomes: Sequence[Outcome]) -> None:
        """Let the breaker know how a batch went."""
        now = self._around.now()
        outcomes = [one for one in outcomes if one is not NOT_BEGUN] or outcomes
        stops = [one for one in outcomes if isinstance(one, Refused) and one.verdict == "stop"]
        if stops:
            if self.breaker.stand is not Stand.OPEN:
                self._around.say(f"{self.name} takes nothing until somebody mends it: {_reason(stops[0])}")
            self.breaker.stopped(now, _reason(stops[0]))
        elif any(_came_through(one) for one in outcomes):
            self.breaker.passed()
        elif outcomes:
            # Whatever is sent to one whose answers are lost becomes unknown: one such batch is enough.
            lost = all(isinstance(one, Unknown) for one in outcomes)
            self.breaker.failed(now, _reason(outcomes[-1]), at_once=lost)

    def wakes_at(self, now: float) -> float:
        """Return when it may take messages again, as limits and breaker stand."""
        if self.breaker.stand is Stand.HALF_OPEN:
            return float("inf")  # the probe's end wakes it
        at = self.limits.free_at(now)
        return max(at, self.breaker.until) if self.breaker.stand is Stand.OPEN else at

    def _steps(self, row: Queued, outcome: Outcome, now: float) -> list[Step]:
        reason = "" if isinstance(outcome, Accepted) else _reason(outcome)

        def step(event: Event, due: float | None = None, turn: int | None = None) -> Step:
            return Step(row.number, event, now, outcome=outcome, due=due, turn=turn, reason=reason)

        if isinstance(outcome, Accepted):
            return [step(Event.ACCEPT)]
        wait = back_off(row.attempts + 1, RETRY_SECONDS, RETRY_MOST, self._around.chance)
        if isinstance(outcome, Unknown):
            broken = [step(Event.BREAK)]
            if row.purpose == "transactional":  # to the same provider, which may know the id
                broken.append(step(Event.RETRY, now + wait, self._place))
            return broken
        if outcome.verdict == "give_up":
            return [step(Event.GIVE_UP)]
        if outcome.code == NOT_BEGUN.code:
            return [step(Event.REFUSE, now, self._place)]
        turn = (self._place + 1) % self._of
        if turn > 0:  # another provider may take it at once
            wait = 0.0
        elif outcome.after is not None:
            wait = max(wait, outcome.after)
        return [step(Event.REFUSE, now + wait, turn)]


def _came_through(outcome: Outcome) -> bool:
    return isinstance(outcome, Accepted) or (isinstance(outcome, Refused) and outcome.verdict == "give_up")


def _reason(outcome: Outcome) -> str:
    if isinstance(outcome, Accepted):
        return ""
    code = outcome.code if isinstance(outcome, Refused) else ""
    return f"{code}: {outcome.reason}" if code else outcome.reason


def _without(outcome: Outcome, message: Message) -> Outcome:
    """Return an outcome whose words do not name the address."""
    if isinstance(outcome, Accepted):
        return outcome
    return replace(outcome, reason=without_addresses(outcome.reason, message.address))
