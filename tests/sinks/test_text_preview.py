"""The preview says what would be sent, and how an SMS is charged."""

from __future__ import annotations

import pytest

from sinks.channels.message import HeldBack, Message
from sinks.texts.preview import Parts, Preview, note_on_parts, parts_of, preview

LONG = "您好" + "。" * 72


def message(text: str) -> Message:
    return Message("0" * 32, 1, "phone:1", "sms", "hello", text)


def test_a_preview_is_the_message_with_its_length_and_parts() -> None:
    shown = preview(lambda: message(LONG), parts_of)
    assert shown == Preview(message(LONG), None, 74, Parts("UCS-2", 74, 2))
    assert shown.sms is not None
    assert note_on_parts(shown.sms) == "is charged as 2 messages (74 units of UCS-2)"


def test_a_text_of_one_part_needs_no_note() -> None:
    assert note_on_parts(parts_of("您好")) is None


def test_providers_in_china_charge_latin_letters_as_chinese() -> None:
    assert parts_of("a" * 71).parts == 1
    assert parts_of("a" * 71, always_ucs2=True) == Parts("UCS-2", 71, 2)


def test_a_preview_of_no_sms_has_no_parts() -> None:
    assert preview(lambda: message("hi")).sms is None


@pytest.mark.parametrize("text", ["", "字" * 20_000])
def test_a_preview_says_why_a_message_would_be_held_back(text: str) -> None:
    def make() -> Message:
        if not text:
            raise HeldBack("'name' is not known of this customer")
        return message(text)

    many = "the text takes 299 parts; an SMS has 255 at most"
    assert preview(make, parts_of) == Preview(None, many if text else "'name' is not known of this customer")
