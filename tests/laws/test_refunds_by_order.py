"""Refunds that count at the event time of their order (semantics R1), in any order of arrival."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.inspect import audit_minutes, held_at
from app.replay import Replay
from app.runtime import keep_settings
from app.shop import Shop
from engine.outcome import Decision, decisions
from reference.pieces import Pieces
from streams.change import DELETE, MOVE_OUT
from streams.intake import import_files
from streams.live import append_changes, append_ticks
from streams.log.log import Log
from streams.log.rows import read_rows
from tests.called import id_of
from tests.laws.effort import effort
from tests.streams.small_shop import write_csv

TEN = 29539320  # 2026-03-01 10:00
HEADINGS = {"orders": ("id", "member", "at", "amount"), "refunds": ("id", "order", "amount")}
COLUMNS = {"id": {"type": "int"}, "amount": {"type": "int"}}
MONEY = "sum(orders.amount) - sum(refunds.amount)"
NET = 'sum(orders.amount, "1h") - sum(refunds.amount, "1h")'
SHOP = Shop.model_validate({
    "settings": {"name": "refunds"},
    "sources": {
        "orders": {
            "name": "orders", "key": ["id"], "references": [{"type": "member", "column": "member"}],
            "event_time": {"column": "at"}, "columns": COLUMNS,
        },
        "refunds": {
            "name": "refunds", "key": ["id"], "via": {"source": "orders", "column": "order"},
            "event_time": {"parent": True}, "columns": COLUMNS,
        },
    },
    "metrics": {"net": NET, "late": 'last(refunds.amount, "1h")'},
    "rfm": [{
        "window": "2h", "frequency": "count(orders)", "monetary": MONEY, "refund_at": "order", "bins": 3,
    }],
    "tags": {"even": {"name": "even", "rule": "net == 0"}, "top": {"name": "top", "rule": "rfm.m == 3"}},
    "triggers": {
        "refunded": {
            "name": "refunded", "when": {"event": {"source": "refunds", "operations": ["insert", "update"]}},
            "action": {"channel": "sms"},
        }
    },
    "channels": {"sms": {}},
})  # fmt: skip
PIECES = Pieces.of(SHOP, SHOP.triggers)
ID = {member: id_of(f"member:{member}") for member in (1, 2, 3)}
Row = dict[str, Any]
Change = tuple[str, str, Row]  # source, operation, row


def order(number: int, at: str, member: int = 1, amount: int = 100) -> Row:
    return {"id": number, "member": member, "at": f"2026-03-01 {at}", "amount": amount}


def refund(number: int, of: int, amount: int = 40) -> Row:
    return {"id": number, "order": of, "amount": amount}


class Story:
    """One log, its changes by import or live, and what came of them."""

    def __init__(self, folder: Path, partitions: int = 1) -> None:
        self.folder = folder
        self.log = Log.create(folder, "refunds", partitions)
        keep_settings(self.log, SHOP)
        self.made: list[Decision] = []
        self.replay = Replay(
            self.log, SHOP, lambda number, p, raw: self.made.extend(decisions(p, number, raw))
        )

    def take(self, minute: int, source: str, operation: str, row: Row) -> None:
        append_ticks(self.log, minute)
        append_changes(self.log, SHOP, source, [row], minute, operations=[operation])

    def take_file(self, source: str, row: Row) -> None:
        text = ",".join(HEADINGS[source]) + "\n" + ",".join(str(row[name]) for name in HEADINGS[source])
        import_files(self.log, SHOP, [(source, write_csv(self.folder / f"{source}.csv", text))])

    def differences(self, minute: int) -> list[dict[str, Any]]:
        """Follow to a minute and compare everything with a recompute from scratch."""
        append_ticks(self.log, minute)
        self.replay.follow()
        held = held_at(self.replay.engine, PIECES)
        report = audit_minutes(self.log, SHOP, minute, minute, None, 1, read=held)
        return list(report["differences"])

    def held(self, frame: str, column: str) -> list[int]:
        """Return a number of each customer, as the engine holds it."""
        return [int(x) for x in held_at(self.replay.engine, PIECES)[frame][column].tolist()]

    def standing(self) -> dict[int, tuple[str, int, int]]:
        """Return refund -> (customer, event minute, amount) of the rows that stand, by the log's records."""
        stand: dict[int, tuple[str, int, int]] = {}
        frame = read_rows(self.log, SHOP.sources["refunds"])
        frame = frame.sort_values(["offset", "op"], ascending=[True, False])  # a move out comes first
        columns = (frame[name].tolist() for name in ("op", "key_low", "customer", "event_us", "amount"))
        for op, key, customer, event_us, amount in zip(*columns, strict=True):
            stand.pop(key, None)
            if op not in (DELETE, MOVE_OUT):
                stand[key] = (customer, event_us // 60_000_000, amount)
        return stand


CHANGES: list[Change] = [
    ("orders", "upsert", order(1, "09:30")),
    ("refunds", "upsert", refund(1, 1)),
    ("orders", "upsert", order(2, "09:50", member=2, amount=70)),
    ("refunds", "upsert", refund(2, 2, 70)),
]
ARRIVALS = [order for order in itertools.permutations(range(4)) if order.index(0) < order.index(2)]


@pytest.mark.parametrize("by_file", [False, True], ids=["live", "import"])
@pytest.mark.parametrize("arrival", ARRIVALS, ids=str)
def test_a_refund_leaves_the_window_together_with_its_order(
    tmp_path: Path, arrival: tuple[int, ...], by_file: bool
) -> None:
    """R1, L2: whichever comes first, the net falls to 0 when the order leaves, and not below."""
    story = Story(tmp_path)
    for at in arrival:
        source, operation, row = CHANGES[at]
        if by_file:
            story.take_file(source, row)
        else:
            story.take(TEN, source, operation, row)
    assert story.differences(TEN + 20) == []
    assert sorted(story.held("rfm rfm", "monetary")) == [0, 60]
    assert story.differences(TEN + 29) == []
    assert sorted(story.held("metrics", "sum(refunds.amount, \"1h\")")) == [40, 70]
    assert story.differences(TEN + 30) == []
    assert sorted(story.held("metrics", "sum(refunds.amount, \"1h\")")) == [0, 70]


TABLE: list[tuple[str, list[Change], dict[int, tuple[int, int, int]]]] = [
    ("the refund comes first", [
        ("refunds", "insert", refund(1, 1)), ("orders", "insert", order(1, "09:30")),
    ], {1: (1, -30, 40)}),
    ("the order's time changes later", [
        ("orders", "insert", order(1, "09:30")), ("refunds", "insert", refund(1, 1)),
        ("orders", "update", order(1, "08:10")),
    ], {1: (1, -110, 40)}),
    ("the order is deleted", [
        ("orders", "insert", order(1, "09:30")), ("refunds", "insert", refund(1, 1)),
        ("orders", "delete", {"id": 1}),
    ], {1: (1, -30, 40)}),
    ("the order is deleted before the refund comes", [
        ("orders", "insert", order(1, "09:30")), ("orders", "update", order(1, "09:20")),
        ("orders", "delete", {"id": 1}), ("refunds", "insert", refund(1, 1)),
    ], {1: (1, -40, 40)}),
    ("the order moves to another customer", [
        ("orders", "insert", order(1, "09:30")), ("refunds", "insert", refund(1, 1)),
        ("orders", "update", order(1, "09:30", member=2)),
    ], {1: (2, -30, 40)}),
    ("the order moves and changes its time, then the refund its amount", [
        ("refunds", "insert", refund(1, 1)), ("orders", "insert", order(1, "09:30")),
        ("orders", "update", order(1, "09:00", member=2)), ("refunds", "update", refund(1, 1, 10)),
    ], {1: (2, -60, 10)}),
    ("the refund is of another order after all", [
        ("orders", "insert", order(1, "09:30")), ("orders", "insert", order(2, "09:45", member=2)),
        ("refunds", "insert", refund(1, 1)), ("refunds", "update", refund(1, 2)),
        ("orders", "update", order(1, "09:00")),
    ], {1: (2, -15, 40)}),
    ("the refund is taken back", [
        ("orders", "insert", order(1, "09:30")), ("refunds", "insert", refund(1, 1)),
        ("refunds", "delete", {"id": 1}), ("orders", "update", order(1, "09:00")),
    ], {}),
]  # fmt: skip


@pytest.mark.parametrize("partitions", [1, 4])
@pytest.mark.parametrize(("what", "changes", "expected"), TABLE, ids=[case[0] for case in TABLE])
def test_a_refund_stands_where_its_order_stands_or_stood_last(
    tmp_path: Path, what: str, changes: list[Change], expected: dict[int, tuple[int, int, int]],
    partitions: int,
) -> None:  # fmt: skip
    """R1, W7, W8, L3: (member, minute after 10:00, amount) of each refund; all else is the recompute."""
    story = Story(tmp_path, partitions)
    for minute, (source, operation, row) in enumerate(changes):
        story.take(TEN + minute, source, operation, row)
        assert story.differences(TEN + minute) == [], what
    assert story.standing() == {key: (ID[m], TEN + at, amount) for key, (m, at, amount) in expected.items()}
    for later in (15, 16, 20, 21, 30, 31, 45, 60, 125):
        assert story.differences(TEN + later) == [], what


def test_following_the_orders_time_is_no_event(tmp_path: Path) -> None:
    """D1: the refund's own insert and update set the trigger off, its order's new times do not."""
    story = Story(tmp_path)
    for minute, (source, operation, row) in enumerate([
        ("orders", "insert", order(1, "09:30")), ("refunds", "insert", refund(1, 1)),
        ("orders", "update", order(1, "09:20")), ("orders", "update", order(1, "09:10", member=2)),
        ("refunds", "update", refund(1, 1, 10)), ("orders", "update", order(1, "09:15", member=2)),
    ]):  # fmt: skip
        story.take(TEN + minute, source, operation, row)
    assert story.differences(TEN + 10) == []
    assert [one.minute - TEN for one in story.made] == [1, 4]


minutes = st.integers(0, 59).map(lambda minute: f"09:{minute:02}")
keys, members = st.integers(1, 2), st.integers(1, 3)
orders = st.builds(order, keys, minutes, members, st.integers(0, 3))
refunds = st.builds(refund, st.integers(1, 3), keys, st.integers(0, 3))
changes = st.one_of(
    st.tuples(st.sampled_from(["file", "upsert"]), st.just("orders"), orders),
    st.tuples(st.sampled_from(["file", "upsert"]), st.just("refunds"), refunds),
    st.tuples(st.just("delete"), st.just("orders"), orders),
    st.tuples(st.just("delete"), st.just("refunds"), refunds),
)


@effort(25)
@given(st.lists(changes, min_size=3, max_size=12), st.sampled_from([1, 4]))
def test_in_any_order_refunds_end_where_their_orders_are(made: list[Any], partitions: int) -> None:
    """R1, L2, L3: files and live changes, orders that move, change their time, go and come back."""
    known: dict[int, Row] = {}  # the last that was said of each order, though it may be deleted since
    stands: dict[str, dict[int, Row]] = {"orders": {}, "refunds": {}}
    with tempfile.TemporaryDirectory() as folder:
        story = Story(Path(folder), partitions)
        for minute, (way, source, row) in enumerate(made):
            if way == "file":
                story.take_file(source, row)
            else:
                story.take(TEN + minute, source, way, row)
            if way == "delete":
                stands[source].pop(row["id"], None)
                continue
            stands[source][row["id"]] = row
            if source == "orders":
                known[row["id"]] = row
        expected = {
            key: (ID[of["member"]], TEN - 60 + int(of["at"][-2:]), row["amount"])
            for key, row in stands["refunds"].items()
            if (of := known.get(row["order"])) is not None
        }
        assert story.standing() == expected
        assert story.differences(TEN + 20) == []
        assert story.differences(TEN + 45) == []
        story.log.close()
