"""The scanner reads what a feed repeats; what it reads is what the general decoder and the contract make of
it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.jit import COMPILED, ROOT
from streams.arrive import _row
from streams.cdc.change import Counted, Refused, RowChange
from streams.cdc.open import open_decoder
from streams.change import Changes
from streams.contract.source import Source
from streams.message import Message
from streams.scan.arriving import WORTH_WHILE, Scans
from streams.scan.changes import ChangeScanner
from streams.scan.envelope import scan
from streams.scan.scanner import Buffer, Scanner
from streams.scan.settle import settle
from streams.scan.warm import compile_scanner
from streams.taking import checked

ZONE = ZoneInfo("Asia/Shanghai")
MINUTE = 29_000_480  # 2025-02-20T05:20Z
ORDERS: dict[str, Any] = {
    "name": "orders", "format": {"type": "debezium"}, "key": ["id"], "event_time": {"column": "at"},
    "references": [{"type": "member", "column": "member"}, {"type": "phone", "column": "phone"}],
    "columns": {
        "amount": {"type": "decimal", "scale": 2, "minimum": 0}, "items": {"type": "int"},
        "status": {"type": "text", "allowed": ["paid", "done", "已付款"]}, "city": {"type": "text"},
        "gift": {"type": "bool"}, "day": {"type": "date"}, "paid": {"type": "time"},
        "fee": {"type": "decimal", "scale": 4, "wire": "text"},
        "weight": {"type": "decimal", "scale": 1, "round": "down"},
    },
}  # fmt: skip
WHOLE = {**ORDERS, "name": "whole", "columns": {**ORDERS["columns"], "id": {"type": "int"}}}
ONE = {**ORDERS, "name": "one", "references": ORDERS["references"][:1], "max_future": "1h"}
SOURCES = [Source.model_validate(declared) for declared in (ORDERS, WHOLE, ONE)]
ROW: dict[str, Any] = {
    "id": 1_000_001, "member": "M1", "phone": "138", "amount": "12.50", "items": 3, "status": "paid",
    "city": "上海", "gift": True, "day": "2025-02-20", "paid": "2025-02-20T08:05:00Z", "fee": "1234",
    "weight": 2, "at": "2025-02-20T05:05:00.123456Z", "note": None,
}  # fmt: skip
BLOCK = {
    "version": "3.7.0.Final", "connector": "postgresql", "name": "shop", "ts_ms": 1_740_000_000_000,
    "snapshot": "false", "db": "shop", "sequence": '["1","2"]', "schema": "public", "table": "orders",
    "txId": 5, "lsn": 24_023_128, "xmin": None,
}  # fmt: skip


def envelope(after: Any, before: Any = None, op: Any = "c", **block: Any) -> dict[str, Any]:
    return {
        "before": before,
        "after": after,
        "source": {**BLOCK, **block},
        "op": op,
        "ts_ms": 5,
        "transaction": None,
    }


def written(message: Any) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def generally(source: Source, message: bytes) -> Changes | None:
    """Return what decoder and contract make of one message; None where it is refused or changes no row."""
    try:
        decoded = open_decoder(source).decode(None, message)
        rows = [] if isinstance(decoded, Counted) else [_row(source, change) for change in decoded]
    except Refused:
        return None
    if len(rows) != 1:
        return None
    found = checked({source.name: source}, source.name, rows, MINUTE, ZONE)
    return found.changes if len(found.changes) == 1 else None


def plain(changes: Changes) -> list[Any]:
    names = ("op", "epoch", "position", "offset", "key_high", "key_low", "event_us", "content", "parent_high")
    arrays = [getattr(changes, name).tolist() for name in names]
    texts = [column.to_pylist() for column in [*changes.references, changes.parent]]
    return [changes.source, *arrays, *texts, changes.columns.to_pydict(), changes.columns.schema]


def scanned(source: Source, messages: Sequence[bytes]) -> tuple[Changes, list[int]]:
    """Read messages with a scanner that knows the form of the plainest one."""
    scanner = ChangeScanner(Scanner(source, ZONE))
    scanner.learn(written(envelope(ROW)))
    changes, which = scanner.read(Buffer.of(messages), np.arange(len(messages)), MINUTE)
    return changes, which.tolist()


def check_agree(source: Source, messages: Sequence[bytes]) -> list[int]:
    """Assert that what is scanned is what the general decoder says; return which messages that were."""
    changes, which = scanned(source, messages)
    for at, message in enumerate(which):
        expected = generally(source, messages[message])
        assert expected is not None, messages[message]
        assert plain(changes.take(np.array([at]))) == plain(expected), messages[message]
    return which


PLAIN = [
    ("an insert", envelope(ROW)),
    ("an update", envelope(ROW, op="u")),
    ("an update with the old row of the same key", envelope(ROW, {**ROW, "amount": "1.00"}, "u")),
    ("a delete with the old row", envelope(None, ROW, "d")),
    ("a delete with the old key only", envelope(None, {**dict.fromkeys(ROW), "id": 7}, "d")),
    ("a read row", envelope(ROW, op="r")),
    ("an amount without decimals", envelope({**ROW, "amount": "125"})),
    ("an amount as a number", envelope({**ROW, "amount": 7})),
    ("a quantity as text", envelope({**ROW, "items": "-12"})),
    ("nulls", envelope({**ROW, "amount": None, "status": None, "city": None, "gift": None, "day": None})),
    ("empty text", envelope({**ROW, "city": "", "phone": ""})),
    ("escaped text", envelope({**ROW, "city": 'a"b\\c\n', "note": 'x"y'})),
    ("a number in a text column", envelope({**ROW, "city": 12})),
    ("text in a column that is passed over", envelope({**ROW, "note": "备注 \\ \" / "})),
    ("a fraction in a column that is passed over", envelope({**ROW, "note": -1.5e-7})),
    ("nanoseconds", envelope({**ROW, "at": "2025-02-20T05:05:00.123456789Z"})),
    ("whole seconds", envelope({**ROW, "at": "2024-02-29 05:05:00Z"})),
    ("an offset", envelope({**ROW, "at": "2025-02-20T13:05:00+08:00"})),
    ("a fraction that is rounded", envelope({**ROW, "weight": 2.55})),
]  # fmt: skip


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
@pytest.mark.parametrize("message", [message for _, message in PLAIN], ids=[name for name, _ in PLAIN])
def test_plain_messages_are_scanned_to_what_the_general_decoder_says(source: Source, message: Any) -> None:
    assert check_agree(source, [written(message)]) == [0]


LEFT = [
    ("a key in another place", envelope({"member": "M1", **ROW})),
    ("a column less", envelope({name: ROW[name] for name in ROW if name != "city"})),
    ("a column more", envelope({**ROW, "new": 1})),
    ("another table", envelope(ROW, table="refunds")),
    ("another connector", envelope(ROW, connector="mysql")),
    ("an incremental snapshot", envelope(ROW, snapshot="incremental")),
    ("no position", envelope(ROW, lsn=None)),
    ("a changed key", envelope(ROW, {**ROW, "id": 5}, "u")),
    ("a truncate", envelope(None, None, "t")),
    ("an insert without a row", envelope(None)),
    ("a delete without the old row", envelope(None, None, "d")),
    ("an amount that may be base64", envelope({**ROW, "amount": "1234"})),
    ("an amount with a third decimal", envelope({**ROW, "amount": "1.005"})),
    ("an amount below the minimum", envelope({**ROW, "amount": "-1.00"})),
    ("an amount beyond 10^13", envelope({**ROW, "amount": "999999999999.00"})),
    ("a fraction that may not be exact", envelope({**ROW, "amount": 1.5})),
    ("a status that is not allowed", envelope({**ROW, "status": "lost"})),
    ("a value that is not in the message", envelope({**ROW, "city": "__debezium_unavailable_value"}, op="u")),
    ("a key that is not in the message", envelope({**ROW, "id": "__debezium_unavailable_value"}, op="u")),
    ("a nested value", envelope({**ROW, "city": {"a": 1}})),
    ("a date of 2200", envelope({**ROW, "at": "2200-01-01T00:00:00Z"})),
    ("a 30th of February", envelope({**ROW, "at": "2024-02-30T00:00:00Z"})),
    ("a 29th of February", envelope({**ROW, "at": "2023-02-29T00:00:00Z"})),
    ("a 31st of April", envelope({**ROW, "at": "2024-04-31T00:00:00Z"})),
    ("a 13th month", envelope({**ROW, "at": "2023-13-01T00:00:00Z"})),
    ("a 25th hour", envelope({**ROW, "at": "2024-04-30T24:00:00Z"})),
    ("a time too far ahead", envelope({**ROW, "at": "2026-02-20T00:00:00Z"})),
    ("no time", envelope({**ROW, "at": None})),
    ("nobody", envelope({**ROW, "member": None, "phone": None})),
    ("a name that cannot be seen", envelope({**ROW, "member": " ", "phone": "1\u200b"})),
    ("no key", envelope({**ROW, "id": None})),
    ("a time that may be local", envelope({**ROW, "at": "2025-02-20 05:05:00"})),
]  # fmt: skip


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
@pytest.mark.parametrize("message", [message for _, message in LEFT], ids=[name for name, _ in LEFT])
def test_what_is_not_plain_or_breaks_the_contract_is_left_to_the_general_decoder(
    source: Source, message: Any
) -> None:
    assert check_agree(source, [written(message)]) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw + b" ",
        lambda raw: raw[:-1],
        lambda raw: raw + b"}",
        lambda raw: b" " + raw,
        lambda raw: b"",
        lambda raw: raw.replace(b'"paid"', b'"pa\x01id"'),
        lambda raw: raw.replace(b"1000001", b"01"),
        lambda raw: raw.replace(b'"note":null', b'"note":nul'),
        lambda raw: raw.replace(b'"note":null', b'"note":-'),
        lambda raw: raw.replace(b'"note":null', b'"note":1.'),
        lambda raw: raw.replace(b'"note":null', b'"note":"\\q"'),
        lambda raw: raw.replace("上海".encode(), b"\xe4\xb8"),
        lambda raw: raw.replace(b"M1", b"M1\\u12"),
    ],
)  # fmt: skip
def test_spoilt_bytes_are_left_to_the_general_decoder_wherever_they_stand(spoil: Any) -> None:
    raw = written(envelope(ROW))
    assert check_agree(SOURCES[1], [raw, spoil(raw), raw]) == [0, 2]


def test_a_message_that_ends_too_early_does_not_read_on_into_the_next() -> None:
    raw = written(envelope(ROW))
    cut = raw.index(b'"op":"c"')
    assert scanned(SOURCES[1], [raw[:cut], raw[cut:]])[1] == []


@pytest.mark.skipif(not COMPILED, reason="nothing is compiled")
def test_what_the_installation_compiles_is_what_a_feed_uses() -> None:
    """The first batch of a feed does not wait for the compiler."""
    assert compile_scanner() == 1
    check_agree(SOURCES[0], [written(envelope(ROW))] * 2)
    scans = Scans({"orders": SOURCES[0]}, ZONE)
    message = Message("orders", "feed/0/0", written(envelope(ROW)))
    scans.learn(message, as_decoded(message))
    assert len(scans.read([message] * WORTH_WHILE, MINUTE)["orders"][1]) == WORTH_WHILE
    compiled: list[Any] = [scan, settle]
    assert [len(function.signatures) for function in compiled] == [1, 1]
    install = (ROOT / "requirements" / "install.sh").read_text(encoding="utf-8")
    assert "-m engine.warm\n" in install
    assert "-m streams.scan.warm\n" in install


def as_decoded(message: Message) -> list[RowChange]:
    """Return the row changes of a message, as `Scans.learn` gets them."""
    found = open_decoder(SOURCES[0]).decode(None, message.value or b"")
    assert not isinstance(found, Counted)
    return [one for one in found if isinstance(one, RowChange)]


def test_all_values_of_a_batch_are_remembered_apart() -> None:
    messages = [
        written(envelope({**ROW, "id": at, "member": f"M{at}", "city": f"城市{at % 700}"}))
        for at in range(3_000)
    ]
    assert check_agree(SOURCES[1], messages) == list(range(3_000))


def test_a_form_that_was_learnt_anew_replaces_the_old_one() -> None:
    scanner = ChangeScanner(Scanner(SOURCES[0], ZONE))
    wider = written(envelope({**ROW, "new": 1}))
    scanner.learn(written(envelope(ROW)))
    scanner.learn(b"[]")
    buffer = Buffer.of([wider])
    assert scanner.read(buffer, np.arange(1), MINUTE)[1].tolist() == []
    scanner.learn(wider)
    assert scanner.read(buffer, np.arange(1), MINUTE)[1].tolist() == [0]


@pytest.mark.parametrize(
    "change",
    [
        {"occurrence": True}, {"key": ["id", "member"]}, {"format": {"type": "canal"}},
        {"event_time": {"parent": True}},
        {"columns": {"total": {"type": "decimal", "product": ["amount", "items"]}}},
        {"columns": {"op": {"type": "text"}}},
    ],
)  # fmt: skip
def test_a_source_that_the_scanner_cannot_read_has_no_scanner(change: dict[str, Any]) -> None:
    assert not ChangeScanner(Scanner(Source.model_validate({**ORDERS, **change}), ZONE)).can_read


TEXTS = st.text(max_size=12) | st.sampled_from(
    [
        "", "M1", "12.50", "1234", "-1", "-0", "007", "1e3", "+5", "12.", ".5", "9" * 19, "true", "null",
        "已付款", "__debezium_unavailable_value", "2025-02-20", "2025-02-20T05:05:00Z",
        "2025-13-01T00:00:00Z",
        "2025-02-20T24:00:00Z", "2025-02-20T05:05:60Z", "2025-02-20T05:05:00.Z", "\u2028",
        'a"b', "\\", "\x7f", "😀",
    ]
)  # fmt: skip
VALUES = (
    st.none() | st.booleans() | TEXTS | st.integers(-(2**70), 2**70) | st.integers(-20, 20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(-1000, 1000, places=2).map(str) | st.lists(st.integers(), max_size=2)
    | st.datetimes().map(lambda moment: moment.isoformat() + "Z")
)  # fmt: skip
ROWS = st.dictionaries(st.sampled_from([*ROW]), VALUES, max_size=3).map(lambda changed: {**ROW, **changed})
ENVELOPES = st.builds(
    envelope, ROWS | st.none(), ROWS | st.none(), st.sampled_from(["c", "u", "d", "r", "t", "m", "x"]),
    lsn=st.integers(-2, 2**64) | st.none() | st.just("5"), ts_ms=VALUES, sequence=VALUES,
)  # fmt: skip


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.sampled_from(SOURCES), st.lists(ENVELOPES, min_size=1, max_size=5), st.booleans())
@example(SOURCES[1], [envelope({**ROW, "id": "-0"})], True)
def test_whatever_the_values_what_is_scanned_is_what_the_general_decoder_says(
    source: Source, messages: list[dict[str, Any]], ascii_only: bool
) -> None:
    check_agree(
        source, [json.dumps(one, ensure_ascii=ascii_only, separators=(",", ":")).encode() for one in messages]
    )


@settings(max_examples=600, deadline=None, derandomize=True)
@given(st.data())
def test_whatever_the_bytes_what_is_scanned_is_what_the_general_decoder_says(data: st.DataObject) -> None:
    raw = bytearray(written(data.draw(st.sampled_from([message for _, message in PLAIN]))))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        what = data.draw(
            st.binary(max_size=3)
            | st.sampled_from([b'"', b"\\", b",", b"0", b"-", b".", b"e", b"}", b"{", b" "])
        )
        raw[at : at + data.draw(st.integers(0, 3))] = what
    intact = written(envelope(ROW))
    assert check_agree(data.draw(st.sampled_from(SOURCES)), [intact, bytes(raw), intact])[::2][:1] == [0]
