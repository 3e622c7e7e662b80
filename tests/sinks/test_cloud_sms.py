"""What providers in the cloud share: imports, broken connections, what goes in one request."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.channels.cloud.errors import broke
from sinks.channels.cloud.message import Prepared, grouped
from sinks.channels.outcome import Refused, Unknown
from tests.sinks.provider_contract import MESSAGE


def test_the_kinds_load_no_client() -> None:
    """The command line starts fast, and without them."""
    heavy = ("alibabacloud_dysmsapi20170525", "alibabacloud_tea_openapi", "tencentcloud", "twilio")
    asked = f"import sys, sinks.channels.kinds; print([one for one in {heavy} if one in sys.modules])"
    command = [sys.executable, "-c", asked]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.strip() == "[]"


def wrapped(inner: Exception) -> Exception:
    """Return an error as a client raises it: another one, that only came from what broke."""
    try:
        try:
            raise inner
        except (OSError, ValueError):
            raise RuntimeError("GET /?PhoneNumbers=13800001001") from None
    except RuntimeError as error:
        return error


@pytest.mark.parametrize(
    "inner",
    [
        ConnectionRefusedError(111, "Connection refused"),
        socket.gaierror(-2, "Name or service not known"),
        ssl.SSLCertVerificationError("certificate verify failed"),
    ],
)
def test_what_breaks_before_writing_may_be_tried_again(inner: Exception) -> None:
    outcome = broke(wrapped(inner))
    assert isinstance(outcome, Refused)
    assert outcome.verdict == "retry"
    assert "13800001001" not in outcome.reason


@pytest.mark.parametrize(
    "inner",
    [TimeoutError("timed out"), ConnectionResetError(104, "reset"), ssl.SSLEOFError("eof"), ValueError("x")],
)
def test_what_may_have_been_written_is_unknown(inner: Exception) -> None:
    outcome = broke(wrapped(inner))
    assert isinstance(outcome, Unknown)
    assert "13800001001" not in outcome.reason


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("123")), max_size=30), st.integers(1, 4))
def test_a_request_holds_equal_things_few_enough_and_no_number_twice(
    drawn: list[tuple[str, str]], most: int
) -> None:
    messages = [replace(MESSAGE, id=f"{n:032x}") for n in range(len(drawn))]
    prepared = [Prepared(m, number, code, {}) for m, (code, number) in zip(messages, drawn, strict=True)]
    groups = grouped(prepared, lambda one: one.template, most)
    assert sorted(one.message.id for group in groups for one in group) == [one.id for one in messages]
    for group in groups:
        assert 1 <= len(group) <= most
        assert len({one.template for one in group}) == 1
        assert len({one.number for one in group}) == len(group)
