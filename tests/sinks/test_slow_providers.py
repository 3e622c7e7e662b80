"""Providers on a slow day: what has an answer keeps it, what was not begun comes again, nobody gets two."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sinks.channels.batch import NOT_BEGUN, Batch, side_by_side
from sinks.channels.mail.mail import Mail, MailSettings
from sinks.channels.message import Message, Purpose
from sinks.channels.outcome import Accepted, Refused, Unknown
from sinks.channels.provider import Around
from sinks.deliveries import lane
from sinks.deliveries.delivery import Queued
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.portion import Portion
from tests.sinks.dispatching import Clock, Fake, dispatcher_of, queue, route, states
from tests.sinks.far_smsc import FarSmsc
from tests.sinks.loopback_smsc import SUBMIT
from tests.sinks.provider_contract import MESSAGE, numbered

LOST = Unknown("the connection broke")


class SlowMail:
    """A mail server that takes a letter at once and says so after a while."""

    def __init__(self, seconds: float, hangs_at: str = "") -> None:
        self._seconds, self._hangs_at = seconds, hangs_at
        self.taken: Counter[str] = Counter()
        self.hangs = asyncio.Event()

    async def open(self) -> Mail:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        told = {"host": "127.0.0.1", "port": port, "tls": "none", "from": "hello@shop.example"}
        return Mail(MailSettings.model_validate(told, by_alias=True), Around(Path(), print))

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        to = ""
        try:
            while line := (await reader.readline()).decode().strip():
                verb, answer = line[:4].upper(), "250 ok"
                if verb == self._hangs_at:
                    self.hangs.set()
                    await asyncio.sleep(60)
                if verb == "RCPT":
                    to = line
                elif verb == "DATA":
                    writer.write(b"354 go\r\n")
                    while await reader.readline() != b".\r\n":
                        pass
                    self.taken[to] += 1
                    await asyncio.sleep(self._seconds)
                writer.write(f"{answer}\r\n".encode())
        except ConnectionError:
            pass
        finally:
            writer.close()

    def close(self) -> None:
        self._server.close()


def letter(row: Queued) -> Message:
    one = row.decision
    to = f"email:c{one.step}@buyer.example"
    return Message(one.id, one.minute, to, "mail", "t", "text", "title", customer=one.customer)


@pytest.mark.parametrize("purpose", ["marketing", "transactional"])
def test_a_mail_server_that_is_slow_gets_each_letter_once(
    ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch, purpose: Purpose
) -> None:
    monkeypatch.setattr(lane, "TIMEOUT", 2.0)
    slow = SlowMail(0.15)

    async def work() -> None:
        dispatcher = dispatcher_of(ledger, {"sms": [await slow.open()]}, clock, made=letter)
        for _ in range(4):
            await dispatcher.run_until_idle()
            clock.at += 400
        slow.close()

    queue(ledger, range(20), route(purpose))
    asyncio.run(work())
    assert sorted(slow.taken.values()) == [1] * 20
    assert set(states(ledger).values()) == {"sent"}


@pytest.mark.parametrize("purpose", ["marketing", "transactional"])
def test_an_smsc_that_is_slow_gets_each_text_once(
    ledger: Ledger, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, purpose: Purpose
) -> None:
    monkeypatch.setattr(lane, "TIMEOUT", 2.0)
    far = FarSmsc(tmp_path, window=1, response_seconds=2)
    plain = far.smsc.take

    def take(connection: Any, command: int, *rest: Any) -> None:
        if command == SUBMIT:
            far.smsc._loop.call_later(0.15, plain, connection, command, *rest)
        else:
            plain(connection, command, *rest)

    monkeypatch.setattr(far.smsc, "take", take)

    def text(row: Queued) -> Message:
        return replace(MESSAGE, id=row.decision.id, text=f"text {row.decision.step}")

    async def work() -> None:
        dispatcher = dispatcher_of(ledger, {"sms": [far.provider]}, clock, made=text)
        await dispatcher.open()
        for _ in range(4):
            await dispatcher.run_until_idle()
            clock.at += 400
        await dispatcher.close()

    queue(ledger, range(20), route(purpose))
    asyncio.run(work())
    assert sorted(Counter(far.smsc.messages()).values()) == [1] * 20
    assert set(states(ledger).values()) == {"sent"}
    far.smsc.close()


@pytest.mark.parametrize(("command", "end"), [("MAIL", Refused), ("RCPT", Refused), ("DATA", Unknown)])
def test_a_letter_that_is_announced_and_not_written_is_certainly_not_out(command: str, end: type) -> None:
    slow = SlowMail(0.0, command)
    batch = Batch([replace(one, to="email:li@buyer.example") for one in numbered(3)])

    async def work() -> None:
        mail = await slow.open()
        sending = asyncio.create_task(mail.send(batch))
        await asyncio.wait_for(slow.hangs.wait(), 10)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        slow.close()

    asyncio.run(work())
    outcomes = batch.outcomes("it was stopped")
    assert [type(one) for one in outcomes] == [end, Refused, Refused]
    assert outcomes[2] is NOT_BEGUN


def test_a_stop_lets_the_letter_on_its_way_come_to_its_end_and_begins_no_other(
    ledger: Ledger, clock: Clock
) -> None:
    slow = SlowMail(0.4)

    async def work() -> None:
        dispatcher = dispatcher_of(ledger, {"sms": [await slow.open()]}, clock, made=letter)
        asyncio.get_running_loop().call_later(0.9, dispatcher.stop)
        await dispatcher.run()
        slow.close()

    queue(ledger, range(10))
    asyncio.run(work())
    assert Counter(states(ledger).values()) == {"sent": len(slow.taken), "queued": 10 - len(slow.taken)}
    assert 1 <= len(slow.taken) < 10


class Stuck(Fake):
    """Takes three messages, tells of two, and does not come back."""

    async def send(self, batch: Batch) -> None:
        self.batches.append(len(batch))
        first, second, _ = batch.take(3)
        batch.tell(first, Accepted("r"))
        batch.tell(second, Refused("give_up", "", "no"))
        await asyncio.Event().wait()


def test_what_was_told_before_a_time_out_stands_and_what_was_not_begun_goes_to_the_next_provider(
    ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "TIMEOUT", 0.05)
    second = Fake()
    queue(ledger, range(6))
    asyncio.run(dispatcher_of(ledger, {"sms": [Stuck(), second]}, clock).run_until_idle())
    assert list(states(ledger).values()) == ["sent", "failed", "unknown", "sent", "sent", "sent"]
    assert [int(one, 16) for one in second.out] == [3, 4, 5]


def test_what_was_told_before_a_stop_stands_though_the_provider_hangs(
    ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sinks.deliveries.dispatch.GRACE_SECONDS", 0.05)
    stuck = Stuck()

    async def work() -> None:
        dispatcher = dispatcher_of(ledger, {"sms": [stuck]}, clock)
        asyncio.get_running_loop().call_later(0.2, dispatcher.stop)
        await dispatcher.run()

    queue(ledger, range(6))
    asyncio.run(work())
    assert list(states(ledger).values()) == ["sent", "failed", "unknown", "queued", "queued", "queued"]
    assert ledger.next_due("sms", [0]) == clock.at, "with whom it was, and at once"


class Slow(Fake):
    """Takes so long for each message."""

    seconds = 0.02

    async def send(self, batch: Batch) -> None:
        self.batches.append(len(batch))
        for message in batch:
            await asyncio.sleep(self.seconds)
            batch.tell(message, self._one(message))


def test_a_provider_is_handed_what_it_carried_before_and_more_when_it_is_quick_again(
    ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "TIMEOUT", 1.2)
    slow = Slow()
    queue(ledger, range(100))
    dispatcher = dispatcher_of(ledger, {"sms": [slow]}, clock)
    asyncio.run(dispatcher.run_until_idle())
    assert slow.batches[0] == 100
    assert all(size <= 16 for size in slow.batches[1:]), slow.batches
    assert len(slow.out) == len(set(slow.out)) == 100
    slow.seconds = 0.0
    slow.batches.clear()
    queue(ledger, range(100, 900))
    asyncio.run(dispatcher.run_until_idle())
    assert slow.batches[-2] == 200, slow.batches


def test_what_was_not_begun_says_nothing_against_its_provider(ledger: Ledger, clock: Clock) -> None:
    class OneByOne(Fake):
        async def send(self, batch: Batch) -> None:
            self.batches.append(len(batch))
            message = next(batch)
            batch.tell(message, self._one(message))

    one = OneByOne()
    queue(ledger, range(30))
    dispatcher = dispatcher_of(ledger, {"sms": [one]}, clock)
    asyncio.run(dispatcher.run_until_idle())
    assert len(one.out) == 30
    assert one.batches[0] == 30
    assert max(one.batches[1:]) == 2
    assert dispatcher.lanes[0].breaker.stand.value == "closed"


def test_what_was_not_begun_says_nothing_for_its_provider_either(ledger: Ledger, clock: Clock) -> None:
    """One batch of which all that was begun is unknown is enough to leave it alone."""

    class Losing(Fake):
        async def send(self, batch: Batch) -> None:
            batch.tell(next(batch), LOST)

    queue(ledger, range(30))
    dispatcher = dispatcher_of(ledger, {"sms": [Losing()]}, clock)
    asyncio.run(dispatcher.run_until_idle())
    assert ledger.unknown() == 1
    assert dispatcher.lanes[0].breaker.stand.value == "open"


def test_a_probe_that_was_given_back_is_not_waited_for_for_ever(ledger: Ledger, clock: Clock) -> None:
    class Handing(Fake):
        async def send(self, batch: Batch) -> None:
            self.batches.append(len(batch))
            batch.tell_all(LOST if len(self.batches) == 1 else NOT_BEGUN)

    handing = Handing()
    queue(ledger, range(210))
    dispatcher = dispatcher_of(ledger, {"sms": [handing]}, clock)
    for _ in range(3):
        asyncio.run(dispatcher.run_until_idle())
        clock.at += 400
    assert handing.batches == [200, 1, 1]


@pytest.mark.parametrize("does", [lambda _: 1 / 0, lambda batch: batch.end()])
def test_a_provider_that_begins_nothing_is_not_asked_again_at_once(
    ledger: Ledger, clock: Clock, does: Callable[[Batch], object]
) -> None:
    class Idle(Fake):
        async def send(self, batch: Batch) -> None:
            self.batches.append(len(batch))
            does(batch)

    idle = Idle()
    queue(ledger, range(3))
    asyncio.run(dispatcher_of(ledger, {"sms": [idle]}, clock).run_until_idle())
    assert set(states(ledger).values()) == {"queued"}
    assert idle.batches == [3]
    assert (ledger.next_due("sms", [0]) or 0) > clock.at


def test_a_message_that_is_not_told_of_is_unknown(ledger: Ledger, clock: Clock) -> None:
    class Silent(Fake):
        async def send(self, batch: Batch) -> None:
            next(batch)

    queue(ledger, range(2))
    asyncio.run(dispatcher_of(ledger, {"sms": [Silent()]}, clock).run_until_idle())
    assert states(ledger)[0] == "unknown"


# A batch


@pytest.fixture
def batch() -> Batch:
    return Batch(numbered(4))


def test_a_message_has_the_first_end_that_is_told(batch: Batch) -> None:
    message = next(batch)
    batch.tell(message, Accepted("r"))
    batch.tell(message, Unknown("it hangs"))
    assert batch.outcomes("lost")[0] == Accepted("r")


def test_an_error_of_one_way_lets_the_others_end(batch: Batch) -> None:
    async def send(message: Message) -> Accepted:
        if message.id.endswith("1"):
            raise ZeroDivisionError
        await asyncio.sleep(0.01)
        return Accepted(message.id)

    async def work() -> None:
        await side_by_side(2, asyncio.Semaphore(2), lambda: batch.carry_one(send))

    with pytest.raises(ZeroDivisionError):
        asyncio.run(work())
    assert [type(one) for one in batch.outcomes("lost")] == [Accepted, Unknown, Accepted, Accepted]


def test_who_waits_for_room_has_begun_nothing(batch: Batch) -> None:
    async def send(message: Message) -> Accepted:
        await asyncio.sleep(0.05)
        batch.end()
        return Accepted(message.id)

    asyncio.run(side_by_side(4, asyncio.Semaphore(1), lambda: batch.carry_one(send)))
    assert batch.begun == 1


def test_a_portion_is_never_nothing_and_never_more_than_most() -> None:
    portion = Portion(200)
    portion.learn(200, 0, 30.0, 30.0)
    assert portion.size == 1
    for _ in range(20):
        portion.learn(portion.size, portion.size, 0.1, 30.0)
    assert portion.size == 200
