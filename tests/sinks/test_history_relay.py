"""The relay: what is in the log and the outbox is in history once, whatever happens in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sinks.history.embedded import ChdbHistory
from sinks.history.history import EFFECTS, History, Page
from sinks.history.relay import HistoryRelay, Lag
from streams.errors import InputError
from streams.live import append_changes, append_ticks
from streams.log.log import Log
from tests.called import hidden
from tests.sinks.history_shop import SHOP, START, Outbox, differences, fill, go_live
from tests.streams.small_shop import new_log


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with new_log(tmp_path / "log", 4) as made:
        fill(made, tmp_path)
        yield made


@pytest.fixture
def history(tmp_path: Path) -> Iterator[ChdbHistory]:
    made = ChdbHistory(tmp_path / "history", "Asia/Shanghai")
    yield made
    made.close()


def seqs(history: History) -> list[list[int]]:
    held = history.query("SELECT partition, seq FROM effects ORDER BY partition, seq").to_pylist()
    return [[row["seq"] for row in held if row["partition"] == part] for part in range(4)]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("rows", [1, 7, 100, 200_000])
def test_everything_is_copied_however_large_the_batches(log: Log, history: ChdbHistory, rows: int) -> None:
    outbox = Outbox(4)
    for partition in range(3):
        outbox.add(partition, 30 * partition)
    relay = HistoryRelay(history, log, outbox, rows=rows)
    records = sum(log.next_steps())
    assert relay.lag().rows == records + 90
    assert relay.catch_up() == records + 90
    assert differences(history, log) == {}
    assert seqs(history) == [[], list(range(30)), list(range(60)), []]
    assert relay.lag() == Lag(0, 0.0)
    assert relay.drained == (log.next_steps(), [0, 30, 60, 0])


def test_what_comes_later_is_copied_by_the_same_relay_and_by_the_next(log: Log, history: ChdbHistory) -> None:
    outbox = Outbox(4)
    relay = HistoryRelay(history, log, outbox)
    relay.catch_up()
    for number in range(3):
        go_live(log, START + 10 + 5 * number, 2)
        outbox.add(1, 7)
        if number == 2:
            relay = HistoryRelay(history, log, outbox)
        relay.catch_up()
    assert differences(history, log) == {}
    assert seqs(history)[1] == list(range(21))


def test_a_row_that_moves_between_customers_is_one_row_of_the_newest(
    tmp_path: Path, history: ChdbHistory
) -> None:
    """W7: two records, perhaps in two partitions, and the first of them may be read later."""
    with new_log(tmp_path / "log", 4) as log:
        relay = HistoryRelay(history, log)
        for number, member in enumerate(["1", "2", "3", "1"]):
            row = {"id": "A1", "member": member, "at": "2026-02-28 12:00", "amount": number, "status": "paid"}
            append_changes(log, SHOP, "orders", [row], START + number)
            relay.catch_up()
        assert sum(count > 0 for count in log.next_steps()) > 1
    held = history.query("SELECT reference, amount FROM rows_orders").to_pylist()
    assert held == [{"reference": hidden("member:1"), "amount": 300}]


def test_a_relay_begins_where_its_tables_end_although_a_source_was_silent_for_long(
    log: Log, history: ChdbHistory
) -> None:
    """The parcels came first and never again: nothing of the log is read a second time for them."""
    HistoryRelay(history, log).catch_up()
    for number in range(5):
        append_ticks(log, START + 100 + number)
    HistoryRelay(history, log).catch_up()
    assert HistoryRelay(history, log).lag().rows == 0


def test_a_source_that_was_never_copied_is_copied_from_its_beginning(log: Log, history: ChdbHistory) -> None:
    class WithoutParcels:
        """A history whose writer is stopped before the parcels, each time."""

        drained = history.drained

        def write(self, table: str, pages: Sequence[Page]) -> None:
            if table != "changes_包裹":
                history.write(table, pages)

    HistoryRelay(WithoutParcels(), log, rows=50).catch_up()  # type: ignore[arg-type]  # asks no questions
    assert "changes_包裹" not in [row["name"] for row in history.query("SHOW TABLES").to_pylist()]
    HistoryRelay(history, log, rows=50).catch_up()
    assert differences(history, log) == {}


def test_a_batch_is_copied_when_enough_rows_wait_or_the_oldest_has_waited_long_enough(
    log: Log, history: ChdbHistory
) -> None:
    clock, outbox = Clock(), Outbox(4)
    relay = HistoryRelay(history, log, outbox, rows=1000, seconds=5, clock=clock)
    relay.catch_up()
    outbox.add(0, 10)
    assert (relay.step(), relay.lag()) == (0, Lag(10, 0.0))
    clock.now += 4
    outbox.add(0, 10)
    assert (relay.step(), relay.lag()) == (0, Lag(20, 4.0))
    clock.now += 1
    assert (relay.step(), relay.lag()) == (20, Lag(0, 0.0))
    outbox.add(0, 1001)
    assert relay.step() == 1000
    assert relay.lag() == Lag(1, 0.0)
    clock.now += 5
    assert relay.step() == 1


def test_the_lag_is_that_of_what_waits_now_and_not_of_what_was_copied(log: Log, history: ChdbHistory) -> None:
    clock, outbox = Clock(), Outbox(4)
    relay = HistoryRelay(history, log, outbox, rows=10, seconds=60, clock=clock)
    relay.catch_up()
    outbox.add(0, 10)
    assert relay.lag() == Lag(10, 0.0)
    clock.now += 30
    outbox.add(0, 5)
    assert relay.step() == 10
    assert relay.lag() == Lag(5, 0.0)


def test_no_more_is_read_at_once_than_a_batch(log: Log, history: ChdbHistory) -> None:
    asked: list[int] = []

    class Watched(Outbox):
        def read(self, partition: int, after_seq: int, limit: int) -> Sequence:  # type: ignore[type-arg]
            asked.append(limit)
            return super().read(partition, after_seq, limit)

    outbox = Watched(4)
    for partition in range(4):
        outbox.add(partition, 100)
    relay = HistoryRelay(history, log, outbox, rows=40)
    relay.catch_up()
    assert max(asked) <= 40
    assert seqs(history) == [list(range(100))] * 4


def test_an_effect_that_is_missing_is_told_and_nothing_behind_it_is_copied(
    log: Log, history: ChdbHistory
) -> None:
    """P3: a consumer sees a gap."""
    outbox = Outbox(4)
    outbox.add(2, 20)
    del outbox.effects[2][:5]
    with pytest.raises(
        InputError, match="of partition 2, effect 0 is neither here nor in the outbox, which goes on at 5"
    ):
        HistoryRelay(history, log, outbox).catch_up()
    assert history.drained(EFFECTS) == {}


def test_an_outbox_that_was_set_back_is_waited_for(
    log: Log, history: ChdbHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P5: the store may lose its last second, and a replay fills it again with the same effects."""
    outbox = Outbox(4)
    outbox.add(1, 20)
    relay = HistoryRelay(history, log, outbox)
    relay.catch_up()
    for held in (15, 0):
        del outbox.effects[1][held:]
        assert (relay.lag(), relay.catch_up()) == (Lag(0, 0.0), 0)
    outbox.add(1, 25)
    with monkeypatch.context() as patched:  # set back between two of its answers
        patched.setattr(outbox, "read", lambda *_: [])
        assert relay.catch_up() == 0
    assert relay.catch_up() == 5
    assert seqs(history)[1] == list(range(25))


def test_a_worker_that_has_some_partitions_copies_them_under_their_own_numbers(
    log: Log, history: ChdbHistory, tmp_path: Path
) -> None:
    """A worker has logs of one partition each, number 0 there; in history they are those of the shop."""
    HistoryRelay(history, log, Outbox(4)).catch_up()
    with new_log(tmp_path / "own", 1) as own:
        fill(own, tmp_path)
        outbox = Outbox(1)
        outbox.add(0, 12)
        assert HistoryRelay(history, own, outbox, rows=40, numbers=[7]).catch_up() == own.next_step(0) + 12
        assert HistoryRelay(history, own, outbox, numbers=[7]).lag().rows == 0
        for table in ("changes_orders", "changes_包裹", "controls"):
            drained = history.drained(table)
            assert sorted(drained) == [0, 1, 2, 3, 7]
        held = history.query("SELECT partition, seq FROM effects ORDER BY seq").to_pylist()
        assert held == [{"partition": 7, "seq": seq} for seq in range(12)]
        outbox.add(0, 3)
        del outbox.effects[0][12]
        with pytest.raises(InputError, match="of partition 7, effect 12 is neither here"):
            HistoryRelay(history, own, outbox, numbers=[7]).catch_up()


def test_a_write_that_fails_leaves_the_place_where_it_was(log: Log, history: ChdbHistory) -> None:
    """As with a full disk: an error, nothing lost, and it goes on when the cause is gone."""

    class Full:
        drained = history.drained
        fails = True

        def write(self, table: str, pages: Sequence[Page]) -> None:
            if self.fails and table == "changes_包裹":
                raise InputError("history", "the disk is full", "make room")
            history.write(table, pages)

    full, outbox = Full(), Outbox(4)
    outbox.add(0, 3)
    relay = HistoryRelay(full, log, outbox)  # type: ignore[arg-type]  # asks no questions
    with pytest.raises(InputError, match="the disk is full"):
        relay.catch_up()
    assert relay.drained == ([0] * 4, [0] * 4)
    full.fails = False
    relay.catch_up()
    assert differences(history, log) == {}
    assert seqs(history)[0] == [0, 1, 2]
