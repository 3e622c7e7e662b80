"""A ClickHouse server as a store of history: the contract, with the tables that an old one can have."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from deploy.servers.places import HOST, Place
from sinks.history.client import ServerAddress, ServerConnection
from sinks.history.errors import Away, SetBack
from sinks.history.history import EFFECTS, History
from sinks.history.pages import of_effects
from sinks.history.server import ServerHistory
from streams.errors import InputError
from tests.sinks.history_contract import ORDERS, HistoryContract, Open, orders, steps
from tests.sinks.history_shop import transition


@pytest.fixture
def address(clickhouse: Place, name: str) -> Iterator[ServerAddress]:
    """A database of this test's own, which the first that uses it makes."""
    found = ServerAddress(HOST, clickhouse.port, f"店 {name}", password=clickhouse.password)
    yield found
    connection = ServerConnection(found)
    connection.make_database()
    connection.do(f"DROP DATABASE `{found.database}`")
    connection.close()


@pytest.fixture
def opened(address: ServerAddress) -> Iterator[Open]:
    kept: list[ServerHistory] = []

    def open_again() -> History:
        if kept:
            kept.pop().close()
        kept.append(ServerHistory(address, "Asia/Shanghai"))
        return kept[0]

    yield open_again
    for one in kept:
        one.close()


@pytest.fixture
def another(address: ServerAddress) -> Iterator[Callable[[], ServerHistory]]:
    """Further writers of the same history, beside each other."""
    made: list[ServerHistory] = []

    def make() -> ServerHistory:
        made.append(ServerHistory(address, "Asia/Shanghai"))
        return made[-1]

    yield make
    for one in made:
        one.close()


def away(*_: object) -> None:
    raise Away("history", "the server is away", "")


class TestServerHistory(HistoryContract):
    def test_an_insert_whose_answer_was_lost_counts_once(
        self, opened: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        history = opened()
        history.write(ORDERS, [orders(0, 3)])
        insert = ServerConnection.insert

        def lose(connection: ServerConnection, into: str, columns: Sequence[Any], settings: Any) -> None:
            insert(connection, into, columns, settings)
            raise Away("history", "the answer was lost", "")

        with monkeypatch.context() as patched:
            patched.setattr(ServerConnection, "insert", lose)
            with pytest.raises(Away):
                history.write(ORDERS, [orders(4, 9)])
        history.write(ORDERS, [orders(4, 9)])
        assert steps(history) == [(0, step) for step in range(10)]

    def test_an_insert_is_in_as_a_whole_or_not_at_all(self, opened: Open, address: ServerAddress) -> None:
        """One insert makes one part, and a part is in or is not; also with more rows than a block has."""
        history = opened()
        history.write(ORDERS, [orders(0, 149_999), orders(0, 79_999, partition=1)])
        parts = history.query(
            "SELECT rows FROM system.parts WHERE active AND table = {kept:String} AND database = {of:String}",
            {"kept": f"kept_{ORDERS}", "of": address.database},
        )
        assert parts.to_pylist() == [{"rows": 230_000}]


def test_rows_that_two_writers_brought_count_once(another: Callable[[], ServerHistory]) -> None:
    """A relay that lost its partition and does not know it yet, and the one that has it now."""
    old, new = another(), another()
    old.write(ORDERS, [orders(0, 9)])
    new.write(ORDERS, [orders(10, 19)])
    old.write(ORDERS, [orders(10, 24)])  # it believes that the table ends at 9
    effects = [transition(0, seq) for seq in range(6)]
    assert old.drained(EFFECTS) == new.drained(EFFECTS) == {}
    old._last[EFFECTS] = {}
    new.write(EFFECTS, [of_effects(effects[:4])])
    old.write(EFFECTS, [of_effects(effects)])
    assert steps(new) == [(0, step) for step in range(25)]
    assert steps(new, "rows_订单") == [(0, step) for step in range(25)]
    held = new.query("SELECT count() AS n, sum(seq) AS seqs FROM transitions").to_pylist()
    assert held == [{"n": 6, "seqs": 15}]
    kept = new.query(f"SELECT count() AS n FROM `kept_{ORDERS}`").to_pylist()
    assert kept == [{"n": 35}]  # ten came twice


def test_writers_of_several_partitions_make_tables_and_columns_side_by_side(
    another: Callable[[], ServerHistory],
) -> None:
    begun = threading.Barrier(6)

    def work(partition: int) -> None:
        history = another()
        begun.wait()
        for turn in range(5):
            more = {f"c{partition}_{turn}": pa.array([turn, partition])}
            history.write(ORDERS, [orders(2 * turn, 2 * turn + 1, partition, **more)])

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, range(6)))
    history = another()
    assert steps(history) == [(partition, step) for partition in range(6) for step in range(10)]
    held = history.query("SELECT * FROM `rows_订单` LIMIT 1")
    assert {f"c{partition}_{turn}" for partition in range(6) for turn in range(5)} <= set(held.column_names)


def test_a_view_that_was_made_by_somebody_who_knew_less_is_made_anew(
    another: Callable[[], ServerHistory], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading the columns and making the view, another writer adds one and makes the view with it."""
    first, second = another(), another()
    first.write(ORDERS, [orders(0, 1)])
    do = ServerConnection.do
    begun: list[str] = []

    def interrupted(connection: ServerConnection, statement: str) -> None:
        if statement.startswith("DROP TABLE") and not begun:
            begun.append(statement)
            second.write(ORDERS, [orders(10, 11, 1, 颜色=pa.array(["红", "蓝"]))])
        do(connection, statement)

    monkeypatch.setattr(ServerConnection, "do", interrupted)
    first.write(ORDERS, [orders(2, 3, 尺寸=pa.array(["L", "M"]))])
    assert begun
    held = first.query("SELECT `颜色`, `尺寸` FROM `rows_订单` ORDER BY partition, step").to_pylist()
    assert [tuple(row.values()) for row in held] == [
        (None, None), (None, None), (None, "L"), (None, "M"), ("红", None), ("蓝", None),
    ]  # fmt: skip


def test_a_question_reaches_no_other_server_and_no_file(opened: Open) -> None:
    for place in ("url('http://127.0.0.1:9/', 'TSV', 'a String')", "file('x.tsv', 'TSV', 'a String')"):
        with pytest.raises(InputError, match="readonly"):
            opened().query(f"SELECT * FROM {place}")


def test_another_zone_of_the_shop_is_in_the_answers(
    another: Callable[[], ServerHistory], address: ServerAddress
) -> None:
    another().write(ORDERS, [orders(29_538_241, 29_538_241)])
    moved = ServerHistory(address, "Europe/Berlin")
    moved.write(ORDERS, [orders(29_538_242, 29_538_242)])
    at = moved.query(f"SELECT at FROM `{ORDERS}` ORDER BY step")["at"]
    moved.close()
    assert str(at.type) == "timestamp[s, tz=Europe/Berlin]"
    assert str(at.to_pylist()[0]) == "2026-02-28 17:01:00+01:00"


def test_a_server_that_lost_what_it_had_is_told_and_then_filled_again(
    another: Callable[[], ServerHistory], address: ServerAddress
) -> None:
    history = another()
    history.write(ORDERS, [orders(0, 9)])
    connection = ServerConnection(address)
    connection.do(f"DROP DATABASE `{address.database}`")
    connection.close()
    with pytest.raises(SetBack, match="is gone"):
        history.write(ORDERS, [orders(10, 14)])
    assert history.drained(ORDERS) == {}
    history.write(ORDERS, [orders(0, 14)])
    assert steps(history) == [(0, step) for step in range(15)]


def test_a_server_that_lost_its_newest_rows_while_it_was_away_is_told(
    another: Callable[[], ServerHistory], address: ServerAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old server does not sync its parts: after a power cut it may have less."""
    history = another()
    history.write(ORDERS, [orders(0, 9)])
    with monkeypatch.context() as patched:
        patched.setattr(ServerConnection, "insert", away)
        with pytest.raises(Away):
            history.write(ORDERS, [orders(10, 14)])
    connection = ServerConnection(address)
    connection.do(f"TRUNCATE TABLE `kept_{ORDERS}`")
    connection.close()
    with pytest.raises(SetBack, match="partition 0 of changes_订单 ended at 9 and ends at -1"):
        history.write(ORDERS, [orders(10, 14)])


def test_a_page_that_has_no_row_of_its_last_numbers_is_no_loss(
    another: Callable[[], ServerHistory], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page reaches as far as the log's blocks; a source has few of their steps."""
    history = another()
    history.write(ORDERS, [replace(orders(0, 4), last=900)])
    with monkeypatch.context() as patched:
        patched.setattr(ServerConnection, "insert", away)
        with pytest.raises(Away):
            history.write(ORDERS, [orders(1000, 1004)])
    history.write(ORDERS, [orders(1000, 1004)])
    assert history.drained(ORDERS) == {0: 1004}


def test_a_server_that_is_not_there_is_away(free_address: str) -> None:
    host, port = free_address.split(":")
    history = ServerHistory(ServerAddress(host, int(port), "tintype"))
    for act in (lambda: history.drained(ORDERS), lambda: history.write(ORDERS, [orders(0, 1)]),
                lambda: history.query("SELECT 1")):  # fmt: skip
        with pytest.raises(Away, match=f"history at {free_address}: the server does not answer"):
            act()


def test_a_password_that_does_not_fit_is_told_and_not_shown(clickhouse: Place) -> None:
    address = ServerAddress(HOST, clickhouse.port, "tintype", password="not this one")
    with pytest.raises(Away, match=r"the server takes nothing for now: .*assword") as told:
        ServerHistory(address).drained(ORDERS)
    assert "not this one" not in str(told.value) + repr(address)
