"""A letter by itself: no message adds a header, and no address is more than one plain address."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sinks.channels.mail.letter import Letterhead, NoAddress, Unsubscribe, address_of, one_line, write_letter
from tests.sinks.provider_contract import MESSAGE

LETTER = replace(MESSAGE, to="email:li@buyer.example")
INJECTED = st.text(st.characters(blacklist_categories=["Cs"]), max_size=60).flatmap(
    lambda text: st.sampled_from([
        text, f"{text}\r\nBcc: evil@example.org", f"{text}\nBcc: evil@example.org",
        f"{text}\rBcc: x@example.org",
        f"{text}\u2028Bcc: x@example.org", f"{text}\x0bBcc: x@example.org", f"{text}\x85Bcc: x@example.org",
        f"{text}\r\n\r\nBcc: body@example.org", f"{text}=?utf-8?q?=0ABcc:_x?=",
    ])
)  # fmt: skip
KNOWN = {
    "message-id", "date", "from", "to", "subject", "auto-submitted", "content-type", "mime-version",
    "content-transfer-encoding", "reply-to", "list-unsubscribe", "list-unsubscribe-post",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\n b", "a b"), ("a\x00b\x7fc", "a b c"), ("a\u2028b\x85c\x0bd", "a b c d"), (" a\t", "a"),
        ("=?utf-8?q?=0ABcc:_x?=", "= ?utf-8?q?=0ABcc:_x?="),
        ("谢谢 😀", "谢谢 😀"), ("\u202eabc", "abc"), ("👨\u200d👩", "👨\u200d👩"),
    ],
)  # fmt: skip
def test_a_header_is_one_line_that_says_what_it_shows(text: str, expected: str) -> None:
    assert one_line(text) == expected


@settings(max_examples=150, deadline=None)
@given(INJECTED, INJECTED, st.text(max_size=40))
def test_nothing_of_a_message_adds_a_header(title: str, name: str, customer: str) -> None:
    how = Unsubscribe("s@shop.example", "https://s.example/{{ customer }}")
    head = Letterhead("hello@shop.example", name, "", how)
    try:
        customer.encode()
    except UnicodeEncodeError:
        customer = ""
    raw = write_letter(head, replace(LETTER, title=title, text="text", customer=customer)).as_bytes()
    headers, _, body = raw.partition(b"\r\n\r\n")
    unfolded = headers.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")
    names = [line.partition(b":")[0].decode().lower() for line in unfolded.split(b"\r\n")]
    assert set(names) <= KNOWN
    assert len(names) == len(set(names))
    assert b"\n" not in unfolded.replace(b"\r\n", b"")
    assert b"\r" not in unfolded.replace(b"\r\n", b"")
    assert body.strip() == b"text"


@given(st.text(max_size=30))
def test_an_address_is_ascii_or_refused(text: str) -> None:
    try:
        found = address_of(text)
    except NoAddress:
        return
    assert found.isascii()
    assert found.isprintable()
    assert " " not in found
