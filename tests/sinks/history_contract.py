"""What every store of history does, run on each: the embedded engine and a server, new tables and old."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import astuple

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sinks.history.history import EFFECTS, History, Page
from sinks.history.pages import of_effects
from sinks.history.results import read_results
from streams.errors import InputError
from tests.sinks.history_shop import decision, transition
from tests.sinks.results_world import GOAL, SCHEMA, World

ORDERS = "changes_订单"
Open = Callable[[], History]


def orders(first: int, last: int, partition: int = 0, **more: pa.Array) -> Page:
    """A page of an order each step, as `of_blocks` makes it."""
    count = last - first + 1
    steps = pa.array(range(first, last + 1), pa.int64())
    texts = {
        "mode": "live",
        "op": "insert",
        "customer": "ab" * 16,
        "reference": "member:M1",
        "状态": "已付款",
    }
    columns = {
        "partition": pa.array([partition] * count, pa.int32()),
        "step": steps,
        "minute": pa.array(range(first, last + 1), pa.int32()),
        "epoch": pa.array([0] * count, pa.int32()),
        **{name: pa.array([text] * count) for name, text in texts.items()},
        **dict.fromkeys(("key_high", "key_low", "position", "offset"), steps),
        "event_us": pa.array([step * 60_000_000 for step in range(first, last + 1)]),
        "amount": pa.array([None, *range(first + 1, last + 1)], pa.int64()),
    }
    return Page(partition, first, last, pa.table({**columns, **more}))


def steps(history: History, table: str = ORDERS) -> list[tuple[int, int]]:
    held = history.query(f"SELECT partition, step FROM `{table}` ORDER BY partition, step").to_pylist()
    return [(row["partition"], row["step"]) for row in held]


class HistoryContract:
    """Each test is given ``opened``, which opens the same history again; what was open before is closed."""

    def test_a_page_that_comes_twice_counts_once(self, opened: Open) -> None:
        history = opened()
        history.write(ORDERS, [orders(0, 9)])
        history.write(ORDERS, [orders(0, 9)])
        assert steps(history) == [(0, step) for step in range(10)]

    def test_a_page_that_comes_again_after_a_restart_counts_once(self, opened: Open) -> None:
        opened().write(ORDERS, [orders(0, 9)])
        history = opened()
        history.write(ORDERS, [orders(0, 9)])
        assert steps(history) == [(0, step) for step in range(10)]

    def test_of_a_page_cut_differently_only_the_new_rows_count(self, opened: Open) -> None:
        opened().write(ORDERS, [orders(0, 9), orders(0, 3, partition=1)])
        history = opened()
        history.write(ORDERS, [orders(4, 14), orders(2, 5, partition=1)])
        assert steps(history) == [(0, step) for step in range(15)] + [(1, step) for step in range(6)]

    def test_however_pages_are_cut_and_delivered_again_each_row_counts_once(self, opened: Open) -> None:
        """L1: any cut, any redelivery of what was delivered before, and restarts in between."""
        numbers = iter(range(1000))

        @settings(max_examples=12, deadline=None, derandomize=True, database=None)
        @given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9), st.booleans()), max_size=5))
        def law(pages: list[tuple[int, int, bool]]) -> None:
            table, end, history = f"changes_{next(numbers)}", 0, opened()
            for back, more, again in [(0, 3, False), *pages]:
                first = max(0, end - back)
                history.write(table, [orders(first, first + more)])
                end = max(end, first + more + 1)
                history = opened() if again else history
            assert steps(history, table) == [(0, step) for step in range(end)]

        law()

    def test_a_question_is_answered_while_another_thread_writes(self, opened: Open) -> None:
        history = opened()
        history.write(ORDERS, [orders(0, 9)])

        def write() -> None:
            for first in range(10, 300, 10):
                history.write(ORDERS, [orders(first, first + 9)])

        writer = threading.Thread(target=write)
        writer.start()
        seen = [len(steps(history))]
        while writer.is_alive():
            seen.append(len(steps(history)))
        writer.join()
        assert len(steps(history)) == 300
        assert seen == sorted(seen)
        assert all(count % 10 == 0 for count in seen)  # whole pages only

    def test_what_is_drained_is_read_from_the_data(self, opened: Open) -> None:
        history = opened()
        assert history.drained(ORDERS) == {}
        history.write(ORDERS, [orders(0, 9), orders(20, 29, partition=3)])
        history.write(EFFECTS, [of_effects([transition(1, 0), decision(1, 1)])])
        again = opened()
        assert (again.drained(ORDERS), again.drained(EFFECTS)) == ({0: 9, 3: 29}, {1: 1})

    def test_values_come_back_as_they_went_in(self, opened: Open) -> None:
        texts = ["高价值", "it's", 'a"b\\c\n', "\x00z", None, "😀", ""]
        numbers = [None, 0, 1, -1, 2**63 - 1, -(2**63), 7]
        history = opened()
        page = orders(0, 6, 状态=pa.array(texts), amount=pa.array(numbers, pa.int64()))
        history.write(ORDERS, [page])
        held = history.query(f"SELECT `状态`, amount, customer FROM `{ORDERS}` ORDER BY step")
        assert held["状态"].to_pylist() == texts
        assert held["amount"].to_pylist() == numbers
        assert set(held["customer"].to_pylist()) == {"ab" * 16}

    def test_a_column_declared_later_is_null_before_and_in_older_blocks(self, opened: Open) -> None:
        opened().write(ORDERS, [orders(0, 1)])
        history = opened()
        history.write(ORDERS, [orders(2, 3, 尺寸=pa.array(["L", "M"]))])
        again = opened()
        again.write(ORDERS, [orders(4, 5)])
        for table in (ORDERS, "rows_订单"):
            held = again.query(f"SELECT `尺寸` FROM `{table}` ORDER BY step")["尺寸"].to_pylist()
            assert held == [None, None, "L", "M", None, None]

    def test_a_column_that_becomes_of_another_type_is_refused_and_told(self, opened: Open) -> None:
        history = opened()
        history.write(ORDERS, [orders(0, 1)])
        with pytest.raises(InputError, match=r"column 'amount' holds .*Int64.*, and new rows have .*String"):
            history.write(ORDERS, [orders(2, 3, amount=pa.array(["a", "b"]))])
        assert steps(history) == [(0, 0), (0, 1)]

    def test_a_shop_may_have_columns_named_like_the_computed_ones(self, opened: Open) -> None:
        history = opened()
        history.write(ORDERS, [orders(0, 1, at=pa.array([5, 6]), event_time=pa.array(["x", "y"]))])
        assert history.query(f"SELECT at, event_time FROM `{ORDERS}` ORDER BY step").to_pylist() == [
            {"at": 5, "event_time": "x"}, {"at": 6, "event_time": "y"},
        ]  # fmt: skip
        assert history.query("SELECT at FROM `rows_订单` ORDER BY at")["at"].to_pylist() == [5, 6]

    def test_times_are_the_shops(self, opened: Open) -> None:
        history = opened()
        history.write(ORDERS, [orders(29_538_241, 29_538_241)])
        told = history.query(
            f"SELECT at, event_time, toString(toDate(at)) AS day, toStartOfHour(at) AS hour FROM `{ORDERS}`"
        ).to_pylist()[0]
        assert {name: str(value)[:19] for name, value in told.items()} == {
            "at": "2026-03-01 00:01:00", "event_time": "2026-03-01 00:01:00", "day": "2026-03-01",
            "hour": "2026-03-01 00:00:00",
        }  # fmt: skip

    def test_the_newest_change_of_a_key_is_its_row_and_a_delete_ends_it(self, opened: Open) -> None:
        """W1: by position, not by arrival; the first half of a move between customers is no row."""
        ops = ["insert", "update", "move out", "read", "insert", "delete"]
        keys, offsets = [1, 1, 1, 1, 2, 2], [0, 1, 2, 3, 4, 5]
        more = {
            "op": pa.array(ops), "key_low": pa.array(keys), "offset": pa.array(offsets),
            "key_high": pa.array([0] * 6), "position": pa.array([0] * 6),
            "customer": pa.array(["a", "a", "a", "b", "c", "c"]),
        }  # fmt: skip
        history = opened()
        history.write(ORDERS, [orders(0, 5, **more)])
        held = history.query("SELECT customer, amount FROM `rows_订单`").to_pylist()
        assert held == [{"customer": "b", "amount": 3}]

    def test_transitions_and_decisions_are_told_apart(self, opened: Open) -> None:
        history = opened()
        effects = [
            transition(0, 0, after="铂金"),
            decision(0, 1, guard="consent", outcome="refused"),
            transition(0, 2),
        ]
        history.write(EFFECTS, [of_effects(effects)])
        moved = history.query("SELECT seq, what, after, values FROM transitions ORDER BY seq").to_pylist()
        assert moved == [
            {"seq": 0, "what": "高价值客户", "after": "铂金", "values": '{"sum(orders.amount)":500}'},
            {"seq": 2, "what": "高价值客户", "after": None, "values": '{"sum(orders.amount)":500}'},
        ]
        made = history.query("SELECT id, trigger, outcome, guard, cause, values FROM decisions").to_pylist()
        assert made == [{
            "id": f"{1:032x}", "trigger": "vip_welcome", "outcome": "refused", "guard": "consent",
            "cause": '{"minute":29538000}', "values": '{"\'引号\'":null}',
        }]  # fmt: skip

    def test_no_more_rows_are_fetched_than_asked_for_and_their_order_is_kept(self, opened: Open) -> None:
        history = opened()
        history.write(ORDERS, [orders(0, 99_999)])
        every = history.query(f"SELECT step FROM `{ORDERS}` ORDER BY sipHash64(step)")["step"].to_pylist()
        some = history.query(f"SELECT step FROM `{ORDERS}` ORDER BY sipHash64(step)", most=5)[
            "step"
        ].to_pylist()
        assert len(every) == 100_000
        assert some == every[:5]
        assert history.query("SELECT number FROM system.numbers", most=2).num_rows == 2

    def test_an_answer_without_rows_has_its_columns(self, opened: Open) -> None:
        empty = opened().query("SELECT customer, at FROM transitions")
        assert (empty.column_names, empty.num_rows) == (["customer", "at"], 0)

    @pytest.mark.parametrize(
        ("value", "type_"),
        [("高价值", "String"), ("it's \\ \n", "String"), (7, "Int64"), (None, "Nullable(String)")],
    )
    def test_a_value_is_never_read_as_sql(self, opened: Open, value: object, type_: str) -> None:
        found = opened().query(f"SELECT {{x:{type_}}} AS x", {"x": value})["x"].to_pylist()
        assert found == [value]

    @pytest.mark.parametrize(
        "sql",
        [
            "INSERT INTO controls VALUES (1)",
            "DROP TABLE controls",
            "TRUNCATE TABLE controls",
            "ALTER TABLE controls DELETE WHERE 1",
            "SELECT 1; DROP TABLE controls",
            "SELECT 1) ; DROP TABLE controls; SELECT * FROM (SELECT 1",
            "SELECT 1 INTO OUTFILE 'x'",
            "SELECT 1 into /* x */ -- y\n outfile 'x'",
            "SELECT * FROM file('/etc/hosts', 'LineAsString')",
            "SELECT * FROM file('/etc/hosts', 'LineAsString') SETTINGS readonly = 0",
            "SELECT * FROM url('http://127.0.0.1:9/', 'LineAsString')",
            "SET readonly = 0",
            "WITH x AS (SELECT 1) INSERT INTO controls SELECT * FROM controls",
            "SYSTEM SHUTDOWN",
            "KILL QUERY WHERE 1",
            "",
        ],
    )
    def test_a_question_changes_nothing_and_reads_nothing_else(self, opened: Open, sql: str) -> None:
        history = opened()
        for most in (None, 3):
            with pytest.raises(InputError, match=r"^question: "):
                history.query(sql, most=most)
        assert history.query("SELECT count() AS n FROM controls").to_pylist() == [{"n": 0}]

    @pytest.mark.parametrize(
        ("sql", "problem"),
        [
            ("SELECT nope FROM transitions", "nope"),
            ("SELECT * FROM changes_nope", "changes_nope"),
            ("SELECT count( FROM transitions", "Syntax error"),
            ("SELECT {x:Int64}", "`x` is not set"),
            ("SELECT throwIf(number = 200000) FROM system.numbers LIMIT 1000000", "throwIf"),
        ],
    )
    def test_a_wrong_question_is_told_and_the_next_one_is_answered(
        self, opened: Open, sql: str, problem: str
    ) -> None:
        """chdb 4.4 puts what a failed question had already written before the next answer."""
        history = opened()
        with pytest.raises(InputError, match=re.escape(problem)) as told:
            history.query(sql)
        assert "DB::Exception" not in str(told.value)
        assert history.query("SELECT 5 AS five").to_pylist() == [{"five": 5}]

    def test_a_name_too_long_for_a_table_is_told(self, opened: Open) -> None:
        with pytest.raises(InputError, match="too long for a table: give the source's file a shorter name"):
            opened().write("changes_" + "订" * 30, [orders(0, 1)])

    @pytest.mark.parametrize("seed", range(3))
    def test_results_of_a_trigger_are_what_counting_one_by_one_gives(self, opened: Open, seed: int) -> None:
        """D8: customers' first decisions, rows as they are by now, each act's own rows; of a span, too."""
        history, world = opened(), World.of(seed)
        assert read_results(history, SCHEMA, "hello", GOAL, None, None).acts == 0  # before anything came
        world.erased = {f"{2:032x}": 99_999, f"{7:032x}": 99_999}
        world.write(history)
        for since, until in ((None, None), (200, None), (100, 300)):
            found = read_results(history, SCHEMA, "hello", GOAL, since, until)
            wanted = world.counted(since or 0, until or 1 << 30)
            assert {
                "reached": list(astuple(found.reached)), "held_out": list(astuple(found.held_out)),
                "open": found.open, "acts": found.acts, "converted": found.converted,
            } == wanted  # fmt: skip
            assert found.as_of == 499
            assert min(wanted["converted"], wanted["reached"][1], wanted["held_out"][0]) > 0
