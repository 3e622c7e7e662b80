"""What an SMSC sends of its own accord, by SMPP: receipts, of parts too, and what customers write."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sinks.channels.message import Message
from sinks.channels.outcome import Accepted, Outcome
from sinks.channels.provider import Receipt
from sinks.channels.smpp.parts import Parts, Whole
from sinks.channels.smpp.smpp import Smpp
from tests.sinks.far_smsc import LONG, Opened, long, references
from tests.sinks.loopback_smsc import DELIVER, NACK
from tests.sinks.provider_contract import MESSAGE, handed, numbered


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    made = Opened(tmp_path, response_seconds=1, enquire_seconds=1)
    yield made
    made.close()


def test_a_receipt_is_told_with_its_time_and_code(opened: Opened) -> None:
    first, second = references(opened.send(*numbered(2)))
    assert first is not None
    assert second is not None
    opened.smsc.receipt(first)
    opened.smsc.receipt(second, "UNDELIV", "027", "261130083015")
    opened.until(lambda: len(opened.receipts) == 2)
    assert opened.receipts == [
        Receipt(first, "delivered", 1_796_027_400.0, code="000"),
        Receipt(second, "failed", 1_796_027_415.0, code="027", reason="UNDELIV"),
    ]
    opened.until(lambda: [one[:2] for one in opened.smsc.answered] == [(DELIVER | NACK, 0)] * 2)


@pytest.mark.parametrize(
    ("state", "told"), [(2, "delivered"), (3, "failed"), (4, "failed"), (5, "failed"), (8, "failed")]
)
def test_a_receipt_by_optional_parameters_is_told(opened: Opened, state: int, told: str) -> None:
    (reference,) = references(opened.send(MESSAGE))
    assert reference is not None
    opened.smsc.receipt_by_parameters(reference, state)
    opened.until(lambda: opened.receipts)
    assert [(one.reference, one.state) for one in opened.receipts] == [(reference, told)]


@pytest.mark.parametrize("stat", ["ENROUTE", "ACCEPTD", "UNKNOWN"])
def test_what_is_not_final_is_no_receipt(opened: Opened, stat: str) -> None:
    opened.smsc.receipt("00000001", stat)
    opened.smsc.receipt("00000001", "MK:0012")
    opened.until(lambda: opened.receipts)
    assert [(one.state, one.reason) for one in opened.receipts] == [("failed", "MK:0012")]


def test_a_message_of_parts_is_delivered_with_its_last_part(opened: Opened) -> None:
    opened.send(long())
    for part in ("00000003", "00000001"):
        opened.smsc.receipt(part)
    opened.until(lambda: len(opened.smsc.answered) == 2)
    assert opened.receipts == []
    opened.smsc.receipt("00000002")
    opened.until(lambda: opened.receipts)
    assert [(one.reference, one.state) for one in opened.receipts] == [("00000001", "delivered")]


def test_a_message_of_parts_has_failed_with_its_first_failure_and_once(opened: Opened) -> None:
    opened.send(long())
    opened.smsc.receipt("00000001")
    opened.smsc.receipt("00000002", "EXPIRED")
    opened.smsc.receipt("00000003", "UNDELIV")
    opened.until(lambda: len(opened.smsc.answered) == 3)
    assert [(one.reference, one.state) for one in opened.receipts] == [("00000001", "failed")]


def test_receipts_may_have_the_id_in_decimal(tmp_path: Path) -> None:
    opened = Opened(tmp_path, receipt_ids="decimal")
    outcomes = opened.send(*numbered(12))
    assert references(outcomes)[9:] == ["10", "11", "12"]  # answered as 0000000A ...
    opened.close()


def test_dates_of_receipts_are_of_the_zone(tmp_path: Path) -> None:
    opened = Opened(tmp_path, zone="Asia/Shanghai")
    opened.smsc.receipt("1", date="2611300830")
    opened.smsc.receipt("2", date="yesterday")
    opened.until(lambda: len(opened.receipts) == 2)
    assert [one.at for one in opened.receipts] == [1_796_027_400.0 - 8 * 3600, None]
    opened.close()


# What customers write


def test_a_reply_is_told_with_its_address(opened: Opened) -> None:
    opened.smsc.write("8613800001001", "好的，谢谢")
    opened.until(lambda: opened.receipts)
    assert opened.receipts == [Receipt(None, "replied", address="8613800001001", text="好的，谢谢")]


@pytest.mark.parametrize("text", ["TD", "退订", "stop", "Ｔ", "QX"])
def test_an_answer_of_those_words_unsubscribes(opened: Opened, text: str) -> None:
    opened.smsc.write("8613800001001", text)
    opened.until(lambda: opened.receipts)
    assert [(one.state, one.address) for one in opened.receipts] == [("unsubscribed", "8613800001001")]


def test_a_long_reply_is_put_together_from_its_parts(opened: Opened) -> None:
    opened.smsc.write("8613800001001", LONG, room=60)
    opened.until(lambda: opened.receipts)
    assert [one.text for one in opened.receipts] == [LONG]


def test_an_answer_in_the_default_alphabet_is_read(opened: Opened) -> None:
    opened.smsc.deliver("8613800001001", b"5 \x1b\x65 @\x00")
    opened.until(lambda: opened.receipts)
    assert [one.text for one in opened.receipts] == ["5 € ¡@"]


def test_what_was_not_taken_in_is_not_acknowledged(tmp_path: Path) -> None:
    """The SMSC keeps it and sends it again."""
    opened = Opened(tmp_path)
    taken: list[str] = []

    def receive(receipts: Sequence[Receipt]) -> None:
        raise RuntimeError("the disk is full")

    opened.loop.run(opened.far.provider.close())
    provider = Smpp(opened.far.settings, replace(opened.far.around, receive=receive))

    async def work() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, told: taken.append(str(told["exception"])))
        await provider.open()
        await asyncio.to_thread(opened.smsc.write, "8613800001001", "TD")
        while opened.smsc.connections:
            await asyncio.sleep(0.005)
        await provider.close()

    opened.loop.run(work())
    assert taken == ["the disk is full"]
    assert opened.smsc.answered == []
    opened.close()


def test_a_long_reply_whose_last_part_was_not_taken_in_is_whole_when_that_comes_again(tmp_path: Path) -> None:
    """The parts before it are acknowledged: the SMSC does not send them again."""
    opened = Opened(tmp_path)
    taken: list[Receipt] = []
    faults = [RuntimeError("the disk is full")] * 2

    def receive(receipts: Sequence[Receipt]) -> None:
        if receipts and faults:
            raise faults.pop()
        taken.extend(receipts)

    opened.loop.run(opened.far.provider.close())
    provider = Smpp(opened.far.settings, replace(opened.far.around, receive=receive))

    async def work() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        await provider.open()
        await asyncio.to_thread(opened.smsc.write, "8613800001001", LONG, 60)
        for _ in range(2):  # each of the faults ends the connection
            while opened.smsc.connections:
                await asyncio.sleep(0.005)
            await handed(provider, [MESSAGE])  # which connects again
            await asyncio.to_thread(opened.smsc.write, "8613800001001", LONG, 60, last=True)
        async with asyncio.timeout(10):
            while not taken:
                await asyncio.sleep(0.005)
        await provider.close()

    opened.loop.run(work())
    assert [one.text for one in taken if one.state == "replied"] == [LONG]
    opened.close()


# Receipts that come before the answer to the submit


def early(opened: Opened, told: dict[int, tuple[str, str]], *messages: Message) -> list[Outcome]:
    """Send messages to an SMSC that holds its answers, and sends these receipts, by how many submits it has
    by then, before it answers them.
    """
    opened.smsc.hold = True

    async def work() -> list[Outcome]:
        sending = asyncio.create_task(handed(opened.far.provider, messages))
        for count in sorted(told):
            while len(opened.smsc.submitted) + len(opened.smsc.held) < count:
                await asyncio.sleep(0.005)
            known = len(opened.smsc.answered)
            await asyncio.to_thread(opened.smsc.receipt, *told[count])
            while len(opened.smsc.answered) == known:
                await asyncio.sleep(0.005)
            opened.smsc.hold = count < max(told)
            await asyncio.to_thread(opened.smsc.release)
        return await sending

    return opened.loop.run(work())


def told(opened: Opened) -> list[tuple[str | None, str]]:
    return [(one.reference, one.state) for one in opened.receipts]


def test_a_first_part_that_arrives_before_its_answer_does_not_speak_for_the_others(opened: Opened) -> None:
    """A ledger that has heard `delivered` keeps it."""
    (outcome,) = early(opened, {1: ("00000001", "DELIVRD")}, long())
    assert outcome == Accepted("00000001", 3)
    opened.smsc.receipt("00000002")
    opened.smsc.receipt("00000003", "UNDELIV")
    opened.until(lambda: opened.receipts)
    assert told(opened) == [("00000001", "failed")]


@pytest.mark.parametrize("which", ["00000002", "00000003"])
def test_a_later_part_that_arrives_before_its_answer_is_counted(opened: Opened, which: str) -> None:
    others = {"00000001", "00000002", "00000003"} - {which}
    (outcome,) = early(opened, {1: ("00000009", "ENROUTE"), 3: (which, "DELIVRD")}, long())
    assert outcome == Accepted("00000001", 3)
    for one in sorted(others):
        opened.smsc.receipt(one)
    opened.until(lambda: opened.receipts)
    assert told(opened) == [("00000001", "delivered")]


def test_a_part_that_fails_before_its_answer_fails_the_message(opened: Opened) -> None:
    early(opened, {1: ("00000001", "EXPIRED")}, long())
    assert told(opened) == [("00000001", "failed")]


def test_a_receipt_of_another_message_waits_for_the_parts_in_flight_only(opened: Opened) -> None:
    early(opened, {1: ("00000077", "DELIVRD")}, long())
    assert told(opened) == [("00000077", "delivered")]
    opened.smsc.receipt("00000078")
    opened.until(lambda: len(opened.receipts) == 2)


def test_a_receipt_is_handed_on_when_the_answer_never_comes(opened: Opened) -> None:
    opened.smsc.hold = True

    async def work() -> None:
        sending = asyncio.create_task(handed(opened.far.provider, [long()]))
        while not opened.smsc.held:
            await asyncio.sleep(0.005)
        await asyncio.to_thread(opened.smsc.receipt, "00000001")
        await sending

    opened.loop.run(work())
    opened.until(lambda: opened.receipts)
    assert told(opened) == [("00000001", "delivered")]


def test_of_two_early_receipts_of_a_part_the_one_that_says_it_arrived_counts() -> None:
    parts, whole = Parts(), Whole(left=1)
    ticket = parts.begun()
    assert parts.heard(Receipt("a", "delivered")) is None
    assert parts.heard(Receipt("a", "failed")) is None
    assert parts.accepted(whole, "a") == [Receipt("a", "delivered")]
    assert parts.settled(ticket) == []
