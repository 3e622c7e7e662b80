"""Changes that do not carry all columns: the others stay as the row's last record has them."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.arrive import Arrivals, Arrived
from streams.dead.letters import letters, mend
from streams.dead.replay import replay
from streams.log.log import Log
from streams.log.rows import read_rows
from streams.message import Message
from tests.called import hidden
from tests.streams.small_shop import new_log, shop

T = 29_540_000
PLACEHOLDER = "__debezium_unavailable_value"
FEED: dict[str, Any] = {
    "format": {"type": "debezium"}, "event_time": {"column": "at", "zone": "UTC"},
    "stale_after": "never",  # records of freshness would stand between those that are compared
}  # fmt: skip
ORDERS: dict[str, Any] = {
    **FEED, "key": ["id"],
    "references": [{"type": "member", "column": "member"}],
    "columns": {
        "id": {"type": "int"}, "amount": {"type": "decimal", "scale": 2}, "note": {"type": "text"},
        "paid": {"type": "bool"}, "due": {"type": "time", "zone": "UTC"},
        "total": {"type": "decimal", "scale": 2, "product": ["price", "pieces"]},
    },
}  # fmt: skip
PARCELS: dict[str, Any] = {
    **FEED, "key": ["parcel"], "via": {"source": "orders", "column": "order"},
    "columns": {"carrier": {"type": "text"}, "weight": {"type": "int", "required": True}},
}  # fmt: skip
SHOP = shop(
    orders=ORDERS,
    parcels=PARCELS,
    people={
        **FEED, "key": ["id"],
        "references": [{"type": "member", "column": "member"}, {"type": "phone", "column": "phone"}],
        "columns": {"city": {"type": "text"}},
    },
    agreed={**FEED, "kind": "consent", "key": ["id"], "references": [{"type": "member", "column": "member"}]},
)  # fmt: skip
ORDER: dict[str, Any] = {
    "id": 1, "member": "a", "at": "2026-03-01 10:00:00", "amount": "1.00", "note": "long", "paid": False,
    "due": "2026-03-05 00:00:00", "price": "2.50", "pieces": 3,
}  # fmt: skip
PARCEL: dict[str, Any] = {
    "parcel": 7, "order": 1, "at": "2026-03-02 10:00:00", "carrier": "SF", "weight": 900,
}  # fmt: skip


def change(source: str, op: str, lsn: int | None, row: dict[str, Any]) -> Message:
    """Return a change as Debezium writes it, at a place of PostgreSQL's log."""
    block = {"connector": "postgresql", "schema": "public", "table": source}
    if lsn is not None:
        block |= {"lsn": lsn}  # type: ignore[dict-item] # a number among texts, as the connector has it
    body = {"before": None, "after": row, "source": block, "op": op}
    return Message(source, f"feed/0/{lsn}", json.dumps(body).encode())


def without(row: dict[str, Any], *names: str, **changed: Any) -> dict[str, Any]:
    """Return the row with placeholders for some columns, and other values for some."""
    return {**row, **dict.fromkeys(names, PLACEHOLDER), **changed}


def take(log: Log, *messages: Message) -> Arrived:
    (answer,) = Arrivals(log).take(SHOP, [(messages, None)], T)
    return answer


def told(log: Log, source: str, *columns: str) -> list[tuple[Any, ...]]:
    """Return these columns of all records of a source."""
    frame = read_rows(log, SHOP.sources[source])[list(columns)].astype(object)
    return [tuple(row) for row in frame.where(frame.notna(), None).itertuples(index=False)]


def test_what_an_update_does_not_carry_stays(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        take(log, change("orders", "c", 100, ORDER))
        partial = without(ORDER, "note", "due", "price", "pieces", amount="2.00", paid=True)
        assert take(log, change("orders", "u", 200, partial)).rejected == []
        columns = ("op", "amount", "note", "paid", "due", "total")
        first, second = told(log, "orders", *columns)
        assert first == (1, 100, "long", 0, 29_544_480, 750)
        assert second == (2, 200, "long", 1, 29_544_480, 750)


def test_a_column_that_is_not_in_the_message_at_all_stays_too(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        take(log, change("orders", "c", 100, ORDER), change("orders", "u", 200, {"id": 1, "amount": "3.00"}))
        assert told(log, "orders", "amount", "note", "reference") == [
            (100, "long", hidden("member:a")), (300, "long", hidden("member:a")),
        ]  # fmt: skip


def test_event_time_and_customer_stay_where_they_are_not_carried(tmp_path: Path) -> None:
    with new_log(tmp_path, partitions=4) as log:
        take(log, change("orders", "c", 100, ORDER))
        take(log, change("orders", "u", 200, without(ORDER, "at", "member", amount="2.00")))
        first, second = told(log, "orders", "event_us", "customer", "reference", "partition")
        assert first == second


def test_several_partial_updates_of_a_row_in_one_batch_build_on_each_other(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        take(
            log, change("orders", "c", 100, ORDER),
            change("orders", "u", 200, without(ORDER, "note", amount="2.00")),
            change("orders", "u", 300, without(ORDER, "amount", note="new")),
            change("orders", "u", 400, without(ORDER, "amount", "note", paid=True)),
        )  # fmt: skip
        assert told(log, "orders", "amount", "note", "paid") == [
            (100, "long", 0), (200, "long", 0), (200, "new", 0), (200, "new", 1),
        ]  # fmt: skip


def test_a_partial_update_may_move_the_row_to_another_customer(tmp_path: Path) -> None:
    """W7: leave there, arrive here, with the values it had; the next one knows where it is."""
    with new_log(tmp_path, partitions=4) as log:
        take(log, change("orders", "c", 100, ORDER))
        take(log, change("orders", "u", 200, without(ORDER, "note", "at", member="b")))
        take(log, change("orders", "u", 300, without(ORDER, "note", "member", amount="5.00")))
        records = told(log, "orders", "op", "reference", "amount", "note")
        assert sorted(record for record in records if record[0] != 5) == [
            (1, hidden("member:a"), 100, "long"), (2, hidden("member:b"), 500, "long"),
            (4, hidden("member:b"), 100, "long"),
        ]  # fmt: skip


def test_a_parked_row_is_completed_from_what_is_parked(tmp_path: Path) -> None:
    """W8: its parent is not known yet, and stays the one it names."""
    with new_log(tmp_path) as log:
        take(log, change("parcels", "c", 100, PARCEL))
        partial = without(PARCEL, "weight", "order", "at", carrier="YTO")
        assert take(log, change("parcels", "u", 200, partial)).rejected == []
        assert told(log, "parcels", "carrier") == []
        take(log, change("orders", "c", 300, ORDER))
        assert told(log, "parcels", "carrier", "weight", "reference") == [("YTO", 900, "orders:1")]
        take(log, change("parcels", "u", 400, without(PARCEL, "weight", "order", carrier="EMS")))
        assert told(log, "parcels", "carrier", "weight", "reference")[1:] == [("EMS", 900, "orders:1")]


def test_a_partial_update_comes_again_without_effect(tmp_path: Path) -> None:
    """W1, W3: also after its row has been deleted."""
    with new_log(tmp_path) as log:
        partial = change("orders", "u", 200, without(ORDER, "note", amount="2.00"))
        gone = change("orders", "d", 300, {})
        gone = Message("orders", gone.place, gone.value, b'{"id": 1}')
        take(log, change("orders", "c", 100, ORDER), partial, partial)
        assert len(told(log, "orders", "op")) == 2
        take(log, gone, partial)
        assert [op for (op,) in told(log, "orders", "op")] == [1, 2, 3]
        assert letters(log) == []


REFUSED = [
    ("an unknown row", [], change("orders", "u", 200, without(ORDER, "note")),
     "does not carry note, and the row is not known here"),
    ("a deleted row", [change("orders", "c", 100, ORDER), Message("orders", "x", None, b'{"id": 1}'),
                       Message("orders", "y", change("orders", "d", 150, {}).value, b'{"id": 1}')],
     change("orders", "u", 200, without(ORDER, "note")), "and the row is not known here"),
    ("a new row", [], change("orders", "c", 200, {"id": 1, "amount": "1.00"}), "a new row without"),
    ("a factor", [change("orders", "c", 100, ORDER)], change("orders", "u", 200, without(ORDER, "price")),
     "total: the message does not carry its factor price"),
    ("one of two references", [],
     change("people", "u", 200, without({"id": 1, "member": "a", "at": "2026-03-01 10:00:00", "city": "x"},
                                        "phone")),
     "carries member, but not phone: whose row it is now is not certain"),
    ("consent", [], change("agreed", "u", 200, {"id": 1, "member": "a", "at": "2026-03-01 10:00:00"}),
     "a row of consent without channel, granted, purpose"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "before", "message", "problem"), REFUSED, ids=[case[0] for case in REFUSED])
def test_what_cannot_be_completed_is_a_dead_letter(
    tmp_path: Path, what: str, before: list[Message], message: Message, problem: str
) -> None:
    with new_log(tmp_path) as log:
        take(log, *before)
        steps = log.next_steps()
        (rejected,) = take(log, message).rejected
        assert problem in rejected.problem, what
        assert "whole rows" in rejected.hint
        assert log.next_steps() == steps
        assert [letter.value for letter in letters(log)] == [message.value]


def test_a_required_column_that_the_last_record_does_not_have_is_asked_for(tmp_path: Path) -> None:
    """A column that was declared later is null in the records before."""
    with new_log(tmp_path) as log:
        early = shop(orders=ORDERS, parcels={**PARCELS, "columns": {"carrier": {"type": "text"}}})
        messages = [change("orders", "c", 100, ORDER), change("parcels", "c", 110, PARCEL)]
        Arrivals(log).take(early, [(messages, None)], T)
        (rejected,) = take(log, change("parcels", "u", 200, without(PARCEL, "weight"))).rejected
        assert rejected.problem == "weight: a required value is missing"


def test_a_letter_without_all_columns_is_taken_once_its_row_is_known(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        take(log, change("orders", "u", 200, without(ORDER, "note", amount="2.00")))
        take(log, change("orders", "c", 100, ORDER))
        (letter,) = letters(log)
        assert [one.problem for one in replay(log, SHOP, [letter], T)] == [None]
        assert told(log, "orders", "amount", "note") == [(100, "long"), (200, "long")]


def test_a_letter_that_lacks_columns_can_be_mended(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        take(log, change("orders", "u", 200, without(ORDER, "note")))
        (letter,) = letters(log)
        mend(log, letter.id, change("orders", "u", 200, ORDER).value or b"")
        assert [one.problem for one in replay(log, SHOP, letters(log), T)] == [None]
        assert told(log, "orders", "note") == [("long",)]


VALUES: dict[str, list[Any]] = {
    "member": ["a", "b", "c"], "at": ["2026-03-01 10:00:00", "2026-03-01 10:07:00"], "amount": ["1.00", None],
    "note": ["x", "y", None], "paid": [True, None], "due": [None, "2026-03-05 00:00:00"],
    "price": ["2.50", "1.10"], "pieces": [3, 4],
}  # fmt: skip
EVENTS = st.lists(
    st.tuples(
        st.integers(1, 3),  # the row
        st.fixed_dictionaries({name: st.sampled_from(values) for name, values in VALUES.items()}),
        st.booleans(),  # whether a batch ends here
    ),
    min_size=1, max_size=14,
)  # fmt: skip


@settings(max_examples=60, deadline=None, derandomize=True)
@given(events=EVENTS)
def test_leaving_out_what_did_not_change_changes_nothing(
    events: list[tuple[int, dict[str, Any], bool]],
) -> None:
    """The records of partial updates are those of whole rows, however both are cut into batches (L1)."""
    state: dict[int, dict[str, Any]] = {}
    whole: list[list[Message]] = [[]]
    partial: list[list[Message]] = [[]]
    for at, (key, values, ends) in enumerate(events):
        row = {"id": key, **values}
        before = state.get(key)
        kept = [] if before is None else [name for name in VALUES if before[name] == row[name]]
        if {"price", "pieces"} & set(kept) and not {"price", "pieces"} <= set(kept):
            kept = [name for name in kept if name not in ("price", "pieces")]
        op = "c" if before is None else "u"
        whole[-1].append(change("orders", op, at + 1, row))
        partial[0].append(change("orders", op, at + 1, without(row, *kept)))
        state[key] = row
        if ends:
            whole.append([])
    assert _records(whole) == _records(partial)


def _records(batches: list[list[Message]]) -> Any:
    with tempfile.TemporaryDirectory() as folder, new_log(Path(folder), partitions=4) as log:
        for batch in batches:
            assert take(log, *batch).rejected == []
        frame = read_rows(log, SHOP.sources["orders"]).drop(columns="step")  # ticks go with the batches
        return frame.astype(object).where(frame.notna(), None).to_dict("records")
