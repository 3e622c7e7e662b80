"""The preview says what would be sent, and how an SMS is charged."""

from __future__ import annotations

from sinks.texts.preview import Parts, Preview, note_on_parts, preview
from sinks.texts.texts import Texts, Written

TEXTS = Texts("zh", "Asia/Shanghai", "CNY")


def seventy(text: str) -> Parts:
    """A rule such as that of SMS: 70 characters a part."""
    return Parts("UCS-2", len(text), -(-len(text) // 70))


def test_a_preview_is_what_would_be_sent_with_its_length_and_parts() -> None:
    shown = preview(TEXTS, "{{ name }}，您好" + "。" * 66, {"name": "李…雷"}, "sms", seventy)
    text = "李...雷，您好" + "。" * 66
    assert shown == Preview(Written("", text, "", "zh"), None, 74, Parts("UCS-2", 74, 2))
    assert shown.sms is not None
    assert note_on_parts(shown.sms) == "is charged as 2 messages (74 units of UCS-2)"


def test_a_text_of_one_part_needs_no_note() -> None:
    assert note_on_parts(seventy("您好")) is None


def test_a_preview_of_no_sms_has_no_parts() -> None:
    assert preview(TEXTS, "hi", {}).sms is None


def test_a_preview_says_why_a_message_would_be_held_back() -> None:
    shown = preview(TEXTS, "{{ name }}", {"name": None}, "sms", seventy)
    assert shown == Preview(None, "'name' is not known of this customer")
