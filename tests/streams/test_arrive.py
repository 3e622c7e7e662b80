"""Messages as they arrive: taken once, judged by their position, or put aside (W1 to W3)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from streams.arrive import Arrivals, Arrived
from streams.dead.letters import letters, mend
from streams.dead.mend import with_values
from streams.dead.replay import replay
from streams.errors import InputError
from streams.live import append_epoch
from streams.log.log import Log
from streams.log.rows import read_control, read_rows
from streams.message import Message
from tests.streams.small_shop import ORDERS, PARCELS, new_log, shop

T = 29_540_000
MAXWELL: dict[str, Any] = {"format": {"type": "maxwell"}, "event_time": {"column": "at", "zone": "UTC"}}
SHOP = shop(
    orders={**ORDERS, **MAXWELL, "columns": {**ORDERS["columns"], "id": {"type": "int"}}},
    parcels={**PARCELS, **MAXWELL, "columns": {**PARCELS["columns"], "parcel": {"type": "int"}}},
    plain=ORDERS,
)


def change(
    kind: str, key: int, position: int | None, amount: str = "1.00", member: str = "a", table: str = "orders"
) -> Message:
    """Return a change as Maxwell writes it; position: of the binary log."""
    row: dict[str, Any] = {"id": key, "member": member, "phone": None, "at": "2026-03-01 10:00:00",
                           "amount": amount, "status": "paid"}  # fmt: skip
    if table == "parcels":
        row = {"parcel": key, "order": int(member), "at": "2026-03-01 10:00:00", "carrier": "SF"}
    body = {"database": "shop", "table": table, "type": kind, "ts": 1_772_359_200, "xid": 1, "data": row}
    if position is not None:
        body["position"] = f"binlog.000001:{position}"
    return Message(table, f"feed/0/{position}", json.dumps(body).encode())


def take(log: Log, *messages: Message, request: str | None = None) -> Arrived:
    (answer,) = Arrivals(log).take(SHOP, [(messages, request)], T)
    return answer


def orders(log: Log) -> list[tuple[int, int, int | None]]:
    """Return (key, op, amount) of every record of orders."""
    frame = read_rows(log, SHOP.sources["orders"])
    found = [
        None if null else int(value)
        for value, null in zip(frame["amount"].fillna(0), frame["amount"].isna(), strict=True)
    ]
    return list(zip(frame["key_low"].tolist(), frame["op"].tolist(), found, strict=True))


def amounts(log: Log) -> list[int | None]:
    return [amount for _, _, amount in orders(log)]


def test_a_change_delivered_again_or_older_is_left_alone(tmp_path: Path) -> None:
    """W1: what stands at or before the row's position is ignored, whatever it says."""
    with new_log(tmp_path) as log:
        take(log, change("insert", 1, 100, "1.00"), change("update", 1, 200, "2.00"))
        assert amounts(log) == [100, 200]
        take(log, change("update", 1, 200, "2.00"), change("insert", 1, 100, "1.00"))
        take(log, change("update", 1, 150, "9.00"))
        assert amounts(log) == [100, 200]
        take(log, change("update", 1, 300, "2.00"))  # the same content, but a change all the same (D1)
        assert amounts(log) == [100, 200, 200]


def test_a_delete_outlives_its_row_and_one_before_it_too(tmp_path: Path) -> None:
    """W3: an older insert does not bring a deleted row back, known before or not."""
    with new_log(tmp_path) as log:
        take(log, change("insert", 1, 100), change("delete", 1, 200), change("insert", 1, 150))
        take(log, change("delete", 2, 200))
        take(log, change("insert", 2, 100))
        assert [key for key, _, _ in orders(log)] == [1, 1]
        take(log, change("insert", 2, 300))
        assert [key for key, _, _ in orders(log)] == [1, 1, 2]


def test_in_a_new_epoch_positions_begin_again(tmp_path: Path) -> None:
    """W2: what a connector made anew sends is newer than everything before, and the old is old for good."""
    with new_log(tmp_path) as log:
        take(log, change("insert", 1, 500, "1.00"))
        take(log, change("update", 1, 20, "2.00"))
        assert amounts(log) == [100]
        assert append_epoch(log, "orders") == 1
        take(log, change("update", 1, 20, "2.00"))
        take(log, change("update", 1, 20, "2.00"), change("update", 1, 10, "3.00"))
        assert amounts(log) == [100, 200]
        assert read_control(log, kinds=["epoch"])["body"].tolist() == ['{"epoch":1,"source":"orders"}']


def test_rows_without_a_position_take_their_sources_last_and_count(tmp_path: Path) -> None:
    """W2: an incremental snapshot's row stands where the feed stands, behind what came before it."""
    with new_log(tmp_path) as log:
        take(log, change("insert", 1, 100, "1.00"), change("bootstrap-insert", 1, None, "3.00"))
        take(log, change("update", 1, 90, "9.00"))
        assert amounts(log) == [100, 300]
        take(log, change("update", 1, 101, "4.00"))
        assert amounts(log) == [100, 300, 400]
        frame = read_rows(log, SHOP.sources["orders"])
        assert frame["position"].tolist()[0] == frame["position"].tolist()[1]
        assert frame["offset"].tolist()[1] > frame["offset"].tolist()[0]


def test_a_parked_row_keeps_its_position_and_a_moved_one_takes_the_next_change(tmp_path: Path) -> None:
    """W7, W8: parking and moving lose no position."""
    with new_log(tmp_path) as log:
        take(log, change("insert", 7, 500, member="1", table="parcels"))
        take(log, change("insert", 7, 400, member="2", table="parcels"))  # older: the parent stays 1
        take(log, change("insert", 1, 100, member="a"))
        frame = read_rows(log, SHOP.sources["parcels"])
        assert frame["key_low"].tolist() == [7]
        position = int(frame["position"][0])
        take(log, change("update", 1, 600, member="b"))  # its parcel moves with the order
        take(log, change("update", 7, 450, member="2", table="parcels"))  # old by now
        frame = read_rows(log, SHOP.sources["parcels"])
        assert frame["op"].tolist() == [0, 5, 4]
        assert set(frame["position"]) == {position}
        take(log, change("update", 7, 700, member="1", table="parcels"))
        assert len(read_rows(log, SHOP.sources["parcels"])) == 4


def test_a_repeated_request_gets_the_first_answer_and_changes_nothing(tmp_path: Path) -> None:
    """Accepted means durable; sent again, it counts once."""
    first = Message("plain", "http:1", b'{"id": 1, "member": "a", "at": "2026-03-01 10:00", "amount": 5}')
    other = Message("plain", "http:2", b'{"id": 1, "member": "a", "at": "2026-03-01 10:00", "amount": 7}')
    bad = Message("plain", "http:3", b'{"id": 2, "member": "a", "at": "never"}')
    with new_log(tmp_path) as log:
        answer = take(log, first, bad, request="r1")
        assert (answer.accepted, len(answer.rejected)) == (1, 1)
        take(log, other, request="r2")
        assert take(log, first, bad, request="r1") == answer
        assert read_rows(log, SHOP.sources["plain"])["amount"].tolist() == [500, 700]
        twice = Arrivals(log).take(SHOP, [([first], "r3"), ([first], "r3")], T)
        assert twice[0] is twice[1]


BAD = [
    (b"", "this is empty"),
    (b"{", "this is no JSON"),
    (b"[1]", "this is no JSON object"),
    (b'{"id": NaN}', "NaN is no number of JSON"),
    (b'{"id": 1, "id": 2}', "a name stands more than once"),
    (b"[" * 100_000, "nested too deeply"),
    (b'{"id": "\xff"}', "byte 8 (hex ff) is not UTF-8"),
    (b'{"member": "a", "at": "2026-03-01 10:00"}', "id"),
    (b'{"id": 1, "at": "2026-03-01 10:00"}', "the row names no customer"),
    (b'{"id": 1, "member": "a", "at": "1.3.26"}', "1.3.26"),
    (b'{"id": 1, "member": "a", "at": "2126-03-01 10:00"}', "more than 1d ahead"),
    (b'{"id": 1, "member": "a", "at": "2026-03-01 10:00", "amount": 0.001}', "more than 2 decimals"),
    (b'{"id": 1, "member": "a", "at": "2026-03-01 10:00", "amount": 1e99}', "beyond the limit"),
]


@pytest.mark.parametrize(("value", "problem"), BAD, ids=[problem for _, problem in BAD])
def test_what_breaks_the_contract_is_put_aside_and_the_rest_is_taken(
    tmp_path: Path, value: bytes, problem: str
) -> None:
    """Nothing is dropped, nothing stops the feed: raw message, place, reason and hint are kept."""
    good = Message("plain", "t/0/2", b'{"id": 9, "member": "a", "at": "2026-03-01 10:00", "amount": 5}')
    with new_log(tmp_path) as log:
        answer = take(log, Message("plain", "t/0/1", value, b"key"), good)
        assert answer.accepted == 1
        (one,) = answer.rejected
        assert one.place == "t/0/1"
        assert problem in one.problem
        assert one.hint
        (letter,) = letters(log)
        assert (letter.value, letter.key, letter.id) == (value, b"key", one.dead_letter)
        assert len(read_rows(log, SHOP.sources["plain"])) == 1
        take(log, Message("plain", "t/0/1", value, b"key"))
        assert len(letters(log)) == 1  # delivered again, it is the same letter


def test_an_unknown_source_is_a_dead_letter_too(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        answer = take(log, Message("order", "t/0/1", b"{}"))
        assert "there is no such source" in answer.rejected[0].problem


def test_a_mended_letter_keeps_the_position_it_had(tmp_path: Path) -> None:
    """W2: replayed after a later change of its row, it does not undo that; of another row it counts."""
    with new_log(tmp_path) as log:
        body = b'{"id": 1, "member": "a", "at": "2026-03-01 10:00", "amount": "x"}'
        take(log, Message("plain", "t/0/1", body))
        take(log, Message("plain", "t/0/2", body.replace(b'"x"', b"7")))
        (letter,) = letters(log)
        (done,) = replay(log, SHOP, [letter], T)
        assert done.problem is not None
        mend(log, letter.id, with_values(letter.value, {"amount": "5"}, "here"))
        (done,) = replay(log, SHOP, letters(log), T)
        assert done.problem is None
        assert read_rows(log, SHOP.sources["plain"])["amount"].tolist() == [700]
        take(log, Message("plain", "t/0/1", body))  # the feed delivers the bad one again
        assert letters(log) == []
        with pytest.raises(InputError, match="it has been replayed"):
            mend(log, letter.id, b"{}")


def test_a_mended_letter_of_a_feed_is_taken_at_its_own_position(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        take(log, change("insert", 1, 100, "x"), change("update", 1, 200, "2.00"))
        take(log, change("insert", 2, 300, "y"))
        first, second = letters(log)
        for letter in (first, second):
            mend(log, letter.id, with_values(letter.value, {"amount": '"3.00"'}, "here"))
        assert [one.problem for one in replay(log, SHOP, letters(log), T)] == [None, None]
        assert orders(log) == [(1, 2, 200), (2, 1, 300)]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b'{"a": 1}', {"a": 2}),
        (b'{"after": {"a": 1}, "op": "c"}', {"after": {"a": 2}, "op": "c"}),
        (b'{"payload": {"after": {"a": 1}}}', {"payload": {"after": {"a": 2}}}),
        (b'{"data": [{"a": 1}], "type": "INSERT"}', {"data": [{"a": 2}], "type": "INSERT"}),
        (b'{"data": {"a": 1}, "type": "insert"}', {"data": {"a": 2}, "type": "insert"}),
    ],
)
def test_mending_finds_the_row_of_each_kind_of_message(message: bytes, expected: Any) -> None:
    assert json.loads(with_values(message, {"a": "2"}, "here")) == expected


@pytest.mark.parametrize("message", [b"", b"{", b"[1]", b'{"data": [{"a": 1}, {"a": 2}]}'])
def test_mending_refuses_what_has_no_single_row(message: bytes) -> None:
    with pytest.raises(InputError, match="the message"):
        with_values(message, {"a": "2"}, "here")
