"""The SMPP provider against an SMSC on loopback: the contract, long texts, pace, refusals, broken links."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sinks.channels.batch import Batch
from sinks.channels.message import Message
from sinks.channels.outcome import Accepted, Outcome, Refused, Unknown
from sinks.channels.smpp.codes import VERDICTS, refused
from tests.sinks.far_smsc import LONG, QUEUE_FULL, THROTTLED, FarSmsc, Opened, long, references
from tests.sinks.loopback_smsc import DELIVER, ENQUIRE, NACK, UNBIND, Bind
from tests.sinks.provider_contract import MESSAGE, Loop, ProviderContract, handed, numbered


class TestSmpp(ProviderContract):
    @pytest.fixture
    def far(self, tmp_path: Path) -> Iterator[FarSmsc]:
        far = FarSmsc(tmp_path)
        yield far
        far.smsc.close()


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    made = Opened(tmp_path, response_seconds=1, enquire_seconds=1)
    yield made
    made.close()


# What goes out


def test_the_bind_says_who_we_are_and_closing_unbinds(tmp_path: Path) -> None:
    opened = Opened(tmp_path, system_type="VMA")
    assert opened.smsc.binds == [Bind("transceiver", "shop", "secret", "VMA", 0x34)]
    opened.loop.run(opened.far.provider.close())
    assert opened.smsc.unbinds == 1
    opened.close()


def test_a_submit_has_the_addresses_and_asks_for_a_receipt(opened: Opened) -> None:
    opened.send(replace(MESSAGE, id="0" * 32, to="phone:+8613800001001", text="hello"), MESSAGE)
    first, second = opened.smsc.submitted
    assert (first.source, first.destination, first.numbers) == ("TINTYPE", "8613800001001", (5, 0, 1, 1))
    assert (first.registered, first.coding, first.content) == (1, 0, b"hello")
    assert (second.coding, second.text) == (8, MESSAGE.text)


def test_a_long_chinese_text_goes_out_in_parts_and_is_one_message(opened: Opened) -> None:
    (outcome,) = opened.send(long())
    assert outcome == Accepted("00000001", 3)
    assert [one.part and one.part[1:] for one in opened.smsc.submitted] == [(3, 1), (3, 2), (3, 3)]
    assert [len(one.content) for one in opened.smsc.submitted] == [134, 132, 40]  # no emoji is cut
    assert opened.smsc.messages() == [LONG]


def test_two_long_texts_to_one_phone_have_different_references(opened: Opened) -> None:
    opened.send(long(), replace(long(LONG[::-1]), id="0" * 32))
    assert sorted(opened.smsc.messages()) == sorted([LONG, LONG[::-1]])


def test_references_of_sixteen_bits_are_a_setting(tmp_path: Path) -> None:
    opened = Opened(tmp_path, reference_bits=16)
    assert opened.send(long("字" * 133)) == [Accepted("00000001", 3)]
    assert opened.smsc.messages() == ["字" * 133]
    opened.close()


@pytest.mark.parametrize(
    "message",
    [
        replace(MESSAGE, to="email:a@b.example"), replace(MESSAGE, to="phone:"),
        replace(MESSAGE, to="phone:" + "1" * 21), replace(MESSAGE, text="字" * (67 * 255 + 1)),
    ],
)  # fmt: skip
def test_what_can_never_be_an_sms_is_given_up(opened: Opened, message: Message) -> None:
    outcome, next_one = opened.send(message, *numbered(1))
    assert isinstance(outcome, Refused)
    assert outcome.verdict == "give_up"
    assert isinstance(next_one, Accepted)


# Refusals


@pytest.mark.parametrize("code", sorted(VERDICTS))
def test_each_code_has_its_verdict(opened: Opened, code: int) -> None:
    opened.smsc.statuses.append(code)
    (outcome,) = opened.send(MESSAGE)
    assert isinstance(outcome, Refused)
    assert (outcome.verdict, outcome.code) == (VERDICTS[code][1], f"0x{code:08X}")
    assert VERDICTS[code][0] in outcome.reason


def test_a_code_of_the_provider_alone_gives_the_message_up() -> None:
    assert refused(0x0404, "submit_sm").verdict == "give_up"


@pytest.mark.parametrize("code", [THROTTLED, QUEUE_FULL])
def test_a_throttled_message_may_come_again_after_a_while(opened: Opened, code: int) -> None:
    opened.smsc.statuses.extend([code, 0])
    first, second = opened.send(*numbered(2))
    assert isinstance(first, Refused)
    assert first.verdict == "retry"
    assert first.after is not None
    assert first.after > 0
    assert isinstance(second, Accepted)


def test_a_generic_nack_of_a_submit_is_its_refusal(opened: Opened) -> None:
    opened.smsc.nack = True
    (outcome,) = opened.send(MESSAGE)
    assert isinstance(outcome, Refused)
    assert (outcome.verdict, outcome.code) == ("retry", "0x00000008")


def test_a_generic_nack_without_a_number_leaves_what_is_in_flight_unknown(opened: Opened) -> None:
    opened.smsc.hold = True

    async def work() -> Sequence[Outcome]:
        sending = asyncio.create_task(handed(opened.far.provider, [MESSAGE]))
        while not opened.smsc.held:
            await asyncio.sleep(0.005)
        await asyncio.to_thread(opened.smsc.request, NACK, b"", 0)
        return await sending

    (outcome,) = opened.loop.run(work())
    assert isinstance(outcome, Unknown)


def test_a_refused_first_part_holds_the_others_back(opened: Opened) -> None:
    opened.smsc.statuses.append(QUEUE_FULL)
    (outcome,) = opened.send(long())
    assert isinstance(outcome, Refused)
    assert outcome.verdict == "retry"
    assert opened.smsc.submitted == []


def test_a_later_part_that_is_refused_leaves_the_message_unknown(opened: Opened) -> None:
    """Sent again as a whole, the first part would come twice."""
    opened.smsc.statuses.extend([0, 0x0B, 0])
    (outcome,) = opened.send(long())
    assert isinstance(outcome, Unknown)
    assert outcome.reason == (
        "2 of 3 parts are out, another is not: submit_sm was refused with 0x0000000B (ESME_RINVDSTADR)"
    )
    opened.smsc.receipt("00000001", "EXPIRED")
    opened.smsc.write("13800001001", "在吗")
    opened.until(lambda: opened.receipts)
    assert [one.state for one in opened.receipts] == ["replied"]  # nobody waits for the parts' receipts


def test_a_later_part_that_is_throttled_comes_again(opened: Opened) -> None:
    opened.smsc.statuses.extend([0, THROTTLED])
    assert opened.send(long()) == [Accepted("00000001", 3)]
    assert opened.smsc.messages() == [LONG]


def test_a_connection_that_breaks_between_parts_leaves_the_message_unknown(opened: Opened) -> None:
    opened.smsc.breaks_after_part = 2
    (outcome,) = opened.send(long())
    assert isinstance(outcome, Unknown)


# Pace


def test_no_more_than_the_window_is_in_flight(tmp_path: Path) -> None:
    opened = Opened(tmp_path, window=4)
    opened.smsc.hold = True
    seen: list[int] = []

    async def work() -> Sequence[Outcome]:
        sending = asyncio.create_task(handed(opened.far.provider, [*numbered(9), long()]))
        while not sending.done():
            before = len(opened.smsc.held)
            await asyncio.sleep(0.02)
            if before == len(opened.smsc.held) > 0:
                seen.append(before)
                await asyncio.to_thread(opened.smsc.release)
        return await sending

    outcomes = opened.loop.run(work())
    assert len(references(outcomes)) == 10
    assert max(seen) == 4
    opened.close()


def test_an_answer_that_does_not_come_leaves_the_message_unknown_and_the_window_free(opened: Opened) -> None:
    opened.smsc.hold = True
    outcomes = opened.send(*numbered(12))  # the window is ten
    assert [type(one) for one in outcomes] == [Unknown] * 12
    opened.smsc.hold = False
    assert isinstance(opened.send(MESSAGE)[0], Accepted)
    opened.smsc.release()  # they come now, and nobody waits


def test_cancelled_sending_leaves_the_window_free(opened: Opened) -> None:
    opened.smsc.hold = True

    async def work() -> None:
        sending = [asyncio.create_task(handed(opened.far.provider, [*numbered(9), long()])) for _ in range(3)]
        while len(opened.smsc.held) < 10:
            await asyncio.sleep(0.005)
        for one in sending:
            one.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
        opened.smsc.hold = False
        await asyncio.to_thread(opened.smsc.release)

    opened.loop.run(work())
    assert len(references(opened.send(*numbered(20)))) == 20


def test_a_batch_that_ends_while_it_waits_for_the_window_lets_the_next_one_in(tmp_path: Path) -> None:
    opened = Opened(tmp_path, window=1)
    opened.smsc.hold = True
    first, second = Batch(numbered(2)), Batch([MESSAGE])

    async def work() -> None:
        sending = [asyncio.create_task(opened.far.provider.send(one)) for one in (first, second)]
        while not opened.smsc.held:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        first.end()
        opened.smsc.hold = False
        await asyncio.to_thread(opened.smsc.release)
        await asyncio.wait_for(asyncio.gather(*sending), 5)

    opened.loop.run(work())
    assert [type(one) for one in first.outcomes("lost")] == [Accepted, Refused]
    assert isinstance(second.outcomes("lost")[0], Accepted)
    opened.close()


# The link


def test_enquire_link_is_answered(opened: Opened) -> None:
    opened.smsc.request(ENQUIRE, sequence=77)
    opened.until(lambda: opened.smsc.answered)
    assert opened.smsc.answered == [(ENQUIRE | NACK, 0, 77)]


def test_a_silent_link_is_enquired_and_a_dead_one_made_anew(opened: Opened) -> None:
    opened.until(lambda: opened.smsc.enquiries == 2)
    assert len(opened.smsc.binds) == 1
    opened.smsc.deaf = True
    opened.until(lambda: len(opened.smsc.binds) == 2)
    opened.smsc.deaf = False
    assert isinstance(opened.send(MESSAGE)[0], Accepted)


def test_a_lost_link_is_made_anew_without_a_message(opened: Opened) -> None:
    opened.smsc.go_away()
    opened.smsc.come_back()
    opened.until(lambda: len(opened.smsc.binds) == 2)


def test_a_connection_that_closed_while_the_loop_stood_still_takes_no_message(tmp_path: Path) -> None:
    """Written to it, the message would be unknown though it is certainly not out."""
    far = FarSmsc(tmp_path)
    with asyncio.Runner() as runner:
        runner.run(far.provider.open())
        far.smsc.go_away()
        (outcome,) = runner.run(handed(far.provider, [MESSAGE]))
        assert isinstance(outcome, Refused)
        assert outcome.verdict == "retry"
        runner.run(far.provider.close())
    far.smsc.close()


def test_an_smsc_that_unbinds_is_answered_and_bound_anew(opened: Opened) -> None:
    opened.smsc.request(UNBIND, sequence=5)
    opened.until(lambda: len(opened.smsc.binds) == 2)
    assert opened.smsc.answered == [(UNBIND | NACK, 0, 5)]


def test_after_failures_a_message_is_refused_at_once_with_the_time_to_wait(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sinks.channels.smpp.session.FIRST_SECONDS", 20.0)
    opened.smsc.go_away()
    opened.send(MESSAGE)  # the link is seen to be lost
    (outcome,) = opened.send(MESSAGE)
    assert isinstance(outcome, Refused)
    assert outcome.after is not None
    assert 5 < outcome.after <= 30


@pytest.mark.parametrize(("status", "verdict"), [(0x0E, "stop"), (0x0D, "stop"), (0x05, "retry")])
def test_a_refused_bind_refuses_messages(tmp_path: Path, status: int, verdict: str) -> None:
    far = FarSmsc(tmp_path)
    far.smsc.bind_status = status
    loop = Loop()
    loop.run(far.provider.open())
    (outcome,) = loop.run(handed(far.provider, [MESSAGE]))
    assert isinstance(outcome, Refused)
    assert (outcome.verdict, outcome.code) == (verdict, f"0x{status:08X}")
    assert far.smsc.submitted == []
    loop.run(far.provider.close())
    loop.close()
    far.smsc.close()


@pytest.mark.parametrize("password", [None, "", "ninechars", "pässe"])
def test_a_password_that_cannot_be_used_stops(tmp_path: Path, password: str | None) -> None:
    far = FarSmsc(tmp_path)
    del far.environment["SMS_PASSWORD"]
    if password is not None:
        far.environment["SMS_PASSWORD"] = password
    loop = Loop()
    loop.run(far.provider.open())
    (outcome,) = loop.run(handed(far.provider, [MESSAGE]))
    assert isinstance(outcome, Refused)
    assert outcome.verdict == "stop"
    assert "SMS_PASSWORD" in outcome.reason
    assert far.smsc.binds == []
    loop.run(far.provider.close())
    loop.close()
    far.smsc.close()


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\x05\0\0\0\0", b"\0\0\0\0"])
def test_what_is_no_smpp_ends_the_link(opened: Opened, data: bytes) -> None:
    opened.smsc.raw(data)
    opened.until(lambda: len(opened.smsc.binds) == 2)
    assert [one[:2] for one in opened.smsc.answered] == [(NACK, 0x02)]


def test_a_command_that_nobody_knows_is_refused_and_the_link_goes_on(opened: Opened) -> None:
    opened.smsc.request(0x7777, sequence=8)
    opened.smsc.request(DELIVER, b"\0", sequence=9)
    opened.until(lambda: len(opened.smsc.answered) == 2)
    assert opened.smsc.answered[0] == (NACK, 0x03, 8)
    assert len(opened.smsc.binds) == 1
