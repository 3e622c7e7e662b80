"""The dispatcher: lanes, failover, limits, times to live, revocations (P5, D5)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench import deliveries as bench
from sinks.channels.batch import Batch
from sinks.channels.message import Message
from sinks.channels.outcome import Accepted, Outcome, Refused, Unknown
from sinks.channels.provider import Receipt
from sinks.channels.settings import Limit
from sinks.deliveries import lane
from sinks.deliveries.clicks import click
from sinks.deliveries.delivery import Route
from sinks.deliveries.dispatch import Dispatcher
from sinks.deliveries.lane import Carried
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import State
from tests.laws.effort import LONG
from tests.sinks.dispatching import START, Clock, Fake, decided, dispatcher_of, queue, route, states

BUSY = Refused("retry", "busy", "too many at once")
BROKE = Refused("stop", "balance", "nothing left to pay with")
NEVER = Refused("give_up", "number", "no such number")
LOST = Unknown("the connection broke")


def idle(dispatcher: Dispatcher) -> None:
    asyncio.run(dispatcher.run_until_idle())


def attempts(ledger: Ledger) -> list[tuple[str, str]]:
    query = "SELECT provider, outcome FROM attempt ORDER BY number, attempt"
    return list(ledger.connection.execute(query))


def test_what_is_queued_is_sent_in_batches(ledger: Ledger, clock: Clock) -> None:
    fake = Fake()
    queue(ledger, range(450))
    idle(dispatcher_of(ledger, {"sms": [fake]}, clock))
    assert len(fake.out) == len(set(fake.out)) == 450
    assert fake.batches == [200, 200, 50]
    assert set(states(ledger).values()) == {"sent"}


def test_what_is_transactional_goes_before_marketing(ledger: Ledger, clock: Clock) -> None:
    fake = Fake()
    queue(ledger, range(5))
    queue(ledger, range(5, 8), route("transactional"))
    idle(dispatcher_of(ledger, {"sms": [fake]}, clock))
    assert [int(one, 16) for one in fake.out] == [5, 6, 7, 0, 1, 2, 3, 4]


def test_a_claim_is_on_disk_before_the_provider_is_asked(
    ledger: Ledger, clock: Clock, tmp_path: Path
) -> None:
    seen: list[str] = []

    def look(message: Message) -> Outcome:
        other = Ledger(tmp_path, write=False)
        seen.extend(states(other).values())
        other.close()
        return Accepted()

    queue(ledger, [1])
    idle(dispatcher_of(ledger, {"sms": [Fake(look)]}, clock))
    assert seen == ["claimed"]


def test_a_refusal_that_passes_is_tried_again_later_with_jitter(ledger: Ledger, clock: Clock) -> None:
    answers: list[Outcome] = [BUSY, BUSY, Accepted("r")]
    fake = Fake(lambda _: answers.pop(0))
    queue(ledger, [1])
    dispatcher = dispatcher_of(ledger, {"sms": [fake]}, clock)
    idle(dispatcher)
    assert states(ledger) == {1: "queued"}
    due = ledger.next_due("sms", [0])
    assert due is not None
    assert START < due <= START + 1
    clock.at = due
    idle(dispatcher)
    clock.at += 10
    idle(dispatcher)
    assert states(ledger) == {1: "sent"}
    assert attempts(ledger) == [("sms/0", "refused: retry")] * 2 + [("sms/0", "accepted")]


def test_a_provider_may_say_how_long_to_wait(ledger: Ledger, clock: Clock) -> None:
    queue(ledger, [1])
    idle(dispatcher_of(ledger, {"sms": [Fake(lambda _: Refused("retry", "", "later", 90.0))]}, clock))
    assert ledger.next_due("sms", [0]) == START + 90


def test_what_a_provider_will_never_take_has_failed(ledger: Ledger, clock: Clock) -> None:
    other = Fake()
    queue(ledger, [1])
    idle(dispatcher_of(ledger, {"sms": [Fake(lambda _: NEVER), other]}, clock))
    assert states(ledger) == {1: "failed"}
    assert other.out == []


@pytest.mark.parametrize("refusal", [BUSY, BROKE])
def test_a_certain_refusal_goes_to_the_next_provider_at_once(
    ledger: Ledger, clock: Clock, refusal: Refused
) -> None:
    second = Fake()
    queue(ledger, range(3))
    idle(dispatcher_of(ledger, {"sms": [Fake(lambda _: refusal), second]}, clock))
    assert len(second.out) == 3
    assert set(states(ledger).values()) == {"sent"}


def test_marketing_whose_end_is_not_known_goes_to_nobody_else(ledger: Ledger, clock: Clock) -> None:
    second = Fake()
    queue(ledger, [1])
    dispatcher = dispatcher_of(ledger, {"sms": [Fake(lambda _: LOST), second]}, clock)
    for _ in range(50):
        idle(dispatcher)
        clock.at += 100
    assert states(ledger) == {1: "unknown"}
    assert second.out == []
    assert len(attempts(ledger)) == 1


def test_what_is_transactional_is_repeated_by_the_same_provider(ledger: Ledger, clock: Clock) -> None:
    answers: list[Outcome] = [LOST, Accepted("r")]
    first, second = Fake(lambda _: answers.pop(0)), Fake()
    queue(ledger, [1], route("transactional"))
    dispatcher = dispatcher_of(ledger, {"sms": [first, second]}, clock)
    idle(dispatcher)
    assert states(ledger) == {1: "queued"}
    dispatcher.lanes[0].breaker.until = clock.at = START + 1  # the breaker is another test's
    idle(dispatcher)
    assert states(ledger) == {1: "sent"}
    assert second.out == []


def test_a_link_that_is_followed_before_the_provider_has_answered_counts(
    ledger: Ledger, clock: Clock
) -> None:
    def followed(message: Message) -> Outcome:
        number = int(message.id, 16)
        click(ledger, number, clock.at)
        ends: dict[int, Outcome] = {1: LOST, 2: Accepted("r"), 3: NEVER}
        return ends[number]

    queue(ledger, [1, 2, 3, 4])
    fake = Fake(lambda one: LOST if one.id[-1] == "4" else followed(one))
    idle(dispatcher_of(ledger, {"sms": [fake]}, clock))
    assert states(ledger) == {1: "delivered", 2: "delivered", 3: "delivered", 4: "unknown"}


def test_a_provider_that_stops_is_left_alone_and_tried_with_one_message(ledger: Ledger, clock: Clock) -> None:
    mended = False
    fake = Fake(lambda message: Accepted() if mended else BROKE)
    queue(ledger, range(250))
    dispatcher = dispatcher_of(ledger, {"sms": [fake]}, clock)
    for _ in range(3):
        idle(dispatcher)
        clock.at = max(dispatcher.lanes[0].breaker.until, clock.at)
    assert fake.batches == [200, 1, 1]
    mended = True
    for _ in range(3):
        idle(dispatcher)
        clock.at += 1000
    assert fake.batches == [200, 1, 1, 1, 200, 49]
    assert set(states(ledger).values()) == {"sent"}


def test_while_the_first_provider_is_left_alone_the_second_serves(ledger: Ledger, clock: Clock) -> None:
    first, second = Fake(lambda _: BROKE), Fake()
    queue(ledger, range(300))
    dispatcher = dispatcher_of(ledger, {"sms": [first, second]}, clock)
    idle(dispatcher)
    assert (first.batches, len(second.out)) == ([200], 300)
    first.does = Fake().does
    queue(ledger, range(300, 310))
    clock.at = dispatcher.lanes[0].breaker.until
    idle(dispatcher)
    assert len(first.out) == 10, "the preferred one is back: with one to try, then the others"


def test_what_is_too_late_is_not_sent(ledger: Ledger, clock: Clock) -> None:
    fake = Fake()
    queue(ledger, [1], route(lasts=60))
    queue(ledger, [2], route(lasts=61))
    clock.at += 60
    idle(dispatcher_of(ledger, {"sms": [fake]}, clock))
    assert states(ledger) == {1: "expired", 2: "sent"}


def test_what_waits_for_a_provider_expires_though_nobody_asks_for_it(ledger: Ledger, clock: Clock) -> None:
    queue(ledger, range(3), route(lasts=60))
    dispatcher = dispatcher_of(ledger, {"sms": [Fake(lambda _: BROKE)]}, clock)
    idle(dispatcher)
    clock.at += 61
    dispatcher.lanes[0].breaker.until = clock.at + 100
    idle(dispatcher)
    assert set(states(ledger).values()) == {"expired"}


def test_a_revocation_is_asked_for_when_a_message_is_about_to_go(ledger: Ledger, clock: Clock) -> None:
    fake, stopped = Fake(), set[int]()
    dispatcher = dispatcher_of(
        ledger, {"sms": [fake]}, clock,
        revoked=lambda one: "consent is withdrawn" if one.decision.step in stopped else None,
    )  # fmt: skip
    queue(ledger, range(4))
    stopped.add(2)
    idle(dispatcher)
    assert states(ledger) == {0: "sent", 1: "sent", 2: "held back", 3: "sent"}
    assert f"{2:032x}" not in fake.out


def test_a_message_that_cannot_be_made_is_held_back_with_its_reason(ledger: Ledger, clock: Clock) -> None:
    told: list[Carried] = []
    ledger.take("channels", [(decided(1, values={"lacks": "category"}), route())], {0: 2})
    idle(dispatcher_of(ledger, {"sms": [Fake()]}, clock, told=told.append))
    (entry,) = ledger.after(0, 9)
    assert (entry.state, entry.detail) == ("held back", "'category' is not known of this customer")
    assert [(one.state, one.message) for one in told] == [(State.HELD_BACK, None)]


def test_a_providers_limit_lets_its_lane_wait(ledger: Ledger, clock: Clock) -> None:
    fake = Fake()
    queue(ledger, range(25))
    dispatcher = dispatcher_of(ledger, {"sms": [fake]}, clock, {"sms/0": [Limit(most=10, within="1s")]})
    for expected in (10, 20, 25):
        idle(dispatcher)
        assert len(fake.out) == expected
        clock.at += 1


def test_a_limit_of_one_template_does_not_hold_up_the_others(ledger: Ledger, clock: Clock) -> None:
    fake = Fake()
    queue(ledger, range(500))
    ledger.take("channels", [(decided(500), Route("sms", "other", "marketing", 0, 86400.0))], {0: 501})
    limits = {"sms/0": [Limit(most=10, within="10s", each="template")]}
    dispatcher = dispatcher_of(ledger, {"sms": [fake]}, clock, limits)
    idle(dispatcher)
    assert f"{500:032x}" in fake.out
    assert len(fake.out) == 11
    while "queued" in states(ledger).values():
        clock.at += 10
        idle(dispatcher)
    assert clock.at <= START + 540
    assert len(set(fake.out)) == len(fake.out) == 501


@pytest.mark.parametrize("reference", ["r1", f"{1:032x}"])
def test_a_receipt_before_the_answer_is_not_lost(ledger: Ledger, clock: Clock, reference: str) -> None:
    """By the provider's reference, which is not known yet, or by the delivery's id, which is."""
    dispatchers: list[Dispatcher] = []

    def answers_late(message: Message) -> Outcome:
        dispatchers[0].receive("sms/0", [Receipt(reference, "delivered")])
        assert states(ledger) == {1: "claimed"}
        return Accepted("r1")

    queue(ledger, [1])
    dispatchers.append(dispatcher_of(ledger, {"sms": [Fake(answers_late)]}, clock))
    idle(dispatchers[0])
    assert states(ledger) == {1: "delivered"}


def test_words_of_a_provider_are_kept_without_the_address(ledger: Ledger, clock: Clock) -> None:
    """P7: they would outlive the customer's erasure."""
    refusal = Refused("give_up", "number", "13800001001 is no number; ask a.b@example.com, +86 138 0000 1001")
    queue(ledger, [1])
    idle(dispatcher_of(ledger, {"sms": [Fake(lambda _: refusal)]}, clock))
    whole = "\n".join(ledger.connection.iterdump())
    assert "is no number" in whole
    assert "1380000" not in whole
    assert "0000 1001" not in whole
    assert "a.b@" not in whole


def test_a_provider_with_a_defect_leaves_its_messages_unknown_and_stops_nobody(
    ledger: Ledger, clock: Clock
) -> None:
    def fails(_: Message) -> Outcome:
        raise ZeroDivisionError

    fine = Fake()
    queue(ledger, [1])
    queue(ledger, [2], route(channel="mail"))
    idle(dispatcher_of(ledger, {"sms": [Fake(fails)], "mail": [fine]}, clock))
    assert states(ledger) == {1: "unknown", 2: "sent"}


class Hanging(Fake):
    """A provider that does not answer until it is cancelled."""

    async def send(self, batch: Batch) -> None:
        self.batches.append(len(list(batch)))
        await asyncio.Event().wait()


async def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


async def run_until(dispatcher: Dispatcher, condition: Callable[[], bool]) -> None:
    running = asyncio.create_task(dispatcher.run())
    await until(condition)
    dispatcher.stop()
    await asyncio.wait_for(running, 30)


def test_one_provider_that_hangs_does_not_hold_up_another(
    ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever hangs holds two batches, nothing more; they are unknown at the end."""
    monkeypatch.setattr("sinks.deliveries.dispatch.GRACE_SECONDS", 0.1)
    hanging, fine = Hanging(), Fake()
    queue(ledger, range(2000))
    queue(ledger, range(2000, 6000), route(channel="mail"))
    asyncio.run(
        run_until(
            dispatcher_of(ledger, {"sms": [hanging], "mail": [fine]}, clock), lambda: len(fine.out) == 4000
        )
    )
    assert hanging.batches == [lane.BATCH] * 2
    assert ledger.count(State.SENT) == 4000
    assert ledger.unknown() == 2 * lane.BATCH
    assert ledger.count(State.QUEUED) == 2000 - 2 * lane.BATCH
    assert ledger.count(State.CLAIMED) == 0


def test_a_provider_that_hangs_for_too_long_leaves_its_batch_unknown_and_the_next_serves(
    ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "TIMEOUT", 0.05)
    hanging, fine = Hanging(), Fake()
    queue(ledger, range(1000))
    rest = 1000 - 2 * lane.BATCH
    asyncio.run(
        run_until(dispatcher_of(ledger, {"sms": [hanging, fine]}, clock), lambda: len(fine.out) == rest)
    )
    assert ledger.unknown() == 2 * lane.BATCH
    assert len(set(fine.out)) == rest


def test_what_is_queued_while_it_rests_is_sent_when_it_is_woken(ledger: Ledger, clock: Clock) -> None:
    fake = Fake()
    dispatcher = dispatcher_of(ledger, {"sms": [fake]}, clock)

    async def work() -> None:
        running = asyncio.create_task(dispatcher.run())
        for number in range(5):
            await asyncio.sleep(0.01)
            queue(ledger, [number])
            dispatcher.wake()
            await until(lambda: len(fake.out) == number + 1, 0.4)  # noqa: B023 - awaited here
        dispatcher.stop()
        await asyncio.wait_for(running, 30)

    asyncio.run(work())
    assert len(fake.out) == 5


@pytest.mark.skipif(not LONG, reason="a hundred thousand deliveries: TINTYPE_LONG=1")
def test_memory_does_not_grow_with_what_waits() -> None:
    """A hundred thousand wait; a lane holds two batches."""
    _, grown = bench.main(100_000, lambda _: None)
    assert grown < 20e6
