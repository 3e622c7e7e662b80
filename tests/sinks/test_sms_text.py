"""Texts as parts of SMS: the limits of each alphabet to the character, and nothing cut in two."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.channels.sms_text import Counted, count, decode, encode
from sinks.channels.unsubscribing import UNSUBSCRIBING, unsubscribes

EMOJI = "😀"
FAMILY = "👨‍👩‍👧"

COUNTED = [
    # the 7-bit alphabet: 160, then 153 a part
    ("", "gsm", 0, 1),
    ("a" * 160, "gsm", 160, 1),
    ("a" * 161, "gsm", 161, 2),
    ("a" * 306, "gsm", 306, 2),
    ("a" * 307, "gsm", 307, 3),
    ("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà", "gsm", 44, 1),
    # the extension table counts two
    ("€", "gsm", 2, 1),
    ("^{}\\[~]|€\f", "gsm", 20, 1),
    ("€" * 80, "gsm", 160, 1),
    ("€" * 81, "gsm", 162, 2),
    ("a" * 159 + "€", "gsm", 161, 2),
    # an escape and its character stay together: 152 septets of 153 in a part that would end between them
    ("a" * 152 + "€" + "a" * 152, "gsm", 306, 3),
    ("a" * 151 + "€" + "a" * 153, "gsm", 306, 2),
    ("€" * 152, "gsm", 304, 2),
    ("€" * 153, "gsm", 306, 3),
    # UCS-2: 70, then 67 a part
    ("字" * 70, "ucs2", 70, 1),
    ("字" * 71, "ucs2", 71, 2),
    ("字" * 134, "ucs2", 134, 2),
    ("字" * 135, "ucs2", 135, 3),
    ("a" * 69 + "字", "ucs2", 70, 1),
    ("`", "ucs2", 1, 1),
    ("\x1b", "ucs2", 1, 1),
    # an emoji is two units
    (EMOJI, "ucs2", 2, 1),
    (EMOJI * 35, "ucs2", 70, 1),
    (EMOJI * 36, "ucs2", 72, 2),
    ("字" * 69 + EMOJI, "ucs2", 71, 2),
    (EMOJI * 66, "ucs2", 132, 2),
    (EMOJI * 67, "ucs2", 134, 3),  # 67 units hold 33 pairs
    ("字" + EMOJI * 66, "ucs2", 133, 2),
    (FAMILY, "ucs2", 8, 1),
]


@pytest.mark.parametrize(("text", "alphabet", "units", "parts"), COUNTED)
def test_a_text_takes_so_many_units_and_parts(
    text: str, alphabet: Literal["gsm", "ucs2"], units: int, parts: int
) -> None:
    assert count(text) == Counted(alphabet, units, parts)


@pytest.mark.parametrize(
    ("text", "parts"), [("a" * 304, 2), ("a" * 305, 3), ("字" * 132, 2), ("字" * 133, 3)]
)
def test_a_reference_of_sixteen_bits_takes_a_byte_more(text: str, parts: int) -> None:
    assert count(text, reference_bits=16).parts == parts


@pytest.mark.parametrize(("letters", "parts"), [(70, 1), (71, 2), (134, 2), (135, 3)])
def test_chinese_providers_count_seventy_for_latin_letters_too(letters: int, parts: int) -> None:
    assert count("a" * letters, always_ucs2=True) == Counted("ucs2", letters, parts)


def test_the_parts_are_these_bytes() -> None:
    alphabet, parts = encode("字" * 66 + EMOJI + "二二二", 0x1FE)
    assert alphabet == "ucs2"
    assert list(parts) == [
        bytes.fromhex("050003fe0201") + "字".encode("utf-16-be") * 66,
        bytes.fromhex("050003fe0202") + bytes.fromhex("d83dde004e8c4e8c4e8c"),
    ]
    alphabet, parts = encode("a" * 151 + "€a", 0x1FE, reference_bits=16)
    assert (alphabet, list(parts)) == ("gsm", [b"a" * 151 + b"\x1b\x65a"])
    alphabet, parts = encode("a" * 151 + "€" * 5, 0x101FE, reference_bits=16)
    assert list(parts) == [
        bytes.fromhex("06080401fe0201") + b"a" * 151,
        bytes.fromhex("06080401fe0202") + b"\x1b\x65" * 5,
    ]


@given(
    st.text(st.sampled_from("a€[字" + EMOJI), min_size=60, max_size=400),
    st.sampled_from([8, 16]),
    st.booleans(),
)
def test_every_part_is_whole_characters_and_together_they_are_the_text(
    text: str, bits: Literal[8, 16], always_ucs2: bool
) -> None:
    alphabet, parts = encode(text, 7, reference_bits=bits, always_ucs2=always_ucs2)
    header = 0 if len(parts) == 1 else 6 if bits == 8 else 7
    pieces = [decode(part[header:], alphabet) for part in parts]
    assert "".join(pieces) == text
    assert "�" not in "".join(pieces)
    bits_of = {"gsm": 7, "ucs2": 8}[alphabet]
    assert all((len(part) - header) * bits_of <= (140 - header) * 8 for part in parts)
    assert count(text, reference_bits=bits, always_ucs2=always_ucs2).parts == len(parts)


@given(st.text(st.sampled_from("@£€^\fàñ§ 1"), max_size=50))
def test_what_is_read_back_is_what_was_written(text: str) -> None:
    _, (part,) = encode(text, 1)
    assert decode(part, "gsm") == text


def test_more_than_255_parts_are_no_sms() -> None:
    assert count("a" * 153 * 255).parts == 255
    with pytest.raises(ValueError, match="256 parts"):
        count("a" * (153 * 255 + 1))


def test_half_of_a_character_is_no_text() -> None:
    with pytest.raises(ValueError, match="half of a character"):
        encode("字\ud83d", 1)


AS_PEOPLE_WRITE = [
    "td", "stop", " TD。", "回T退订", "ＴＤ", "回复TD", "“T”", "拒收请回复R", "退订回T", "退订请回复“TD”",
    "取消订阅，请发送 N", "退 订", "T D", "TD\u200b", "\ufeff退订", "Stop\u00a0all", "退订，回T",
    "回 QX 取消",
]  # fmt: skip
ANSWERS = [
    "", "好的", "谢谢", "TDX", "TD 2", "Nice", "don't stop", "取消明天的订单", "回", "1", "如何退订？",
    "退订请回复什么", "请回复我", "怎么取消", "拒收的包裹退回来了吗",
]  # fmt: skip


@pytest.mark.parametrize("text", [*sorted(UNSUBSCRIBING), *AS_PEOPLE_WRITE])
def test_these_answers_unsubscribe(text: str) -> None:
    assert unsubscribes(text)


@pytest.mark.parametrize("text", ANSWERS)
def test_these_answers_do_not(text: str) -> None:
    assert not unsubscribes(text)
