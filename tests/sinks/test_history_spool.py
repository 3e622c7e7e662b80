"""What waits for history's server: in order, bounded, on disk, and never twice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from sinks.history.errors import Away, SetBack
from sinks.history.fresh import end_of, fresh_of
from sinks.history.history import EFFECTS, Page, sequence_of
from sinks.history.pages import of_effects
from sinks.history.relay import HistoryRelay
from sinks.history.spool import Spool, SpoolFigures, SpoolFull
from sinks.history.spool_metrics import SpoolCollector
from sinks.history.spooled import SpooledHistory
from streams.errors import InputError
from tests.sinks.history_contract import ORDERS, orders
from tests.sinks.history_shop import Outbox, decision, fill, transition
from tests.streams.small_shop import new_log

ROOT = Path(__file__).resolve().parents[2]


class Shelf:
    """A history in memory that can be away, before it takes something or after it."""

    def __init__(self) -> None:
        self.tables: dict[str, list[Page]] = {}
        self.away = False
        self.answers = True
        self.asked = 0

    def write(self, table: str, pages: Sequence[Page]) -> None:
        self._check()
        self.tables.setdefault(table, []).extend(fresh_of(table, pages, self._last(table)))
        if not self.answers:
            raise Away("history", "no answer", "")

    def drained(self, table: str) -> dict[int, int]:
        self._check()
        return self._last(table)

    def _last(self, table: str) -> dict[int, int]:
        return {page.partition: end_of(table, page) for page in self.tables.get(table, [])}

    def query(self, *_: object) -> pa.Table:
        raise NotImplementedError

    def close(self) -> None:
        pass

    def _check(self) -> None:
        self.asked += 1
        if self.away:
            raise Away("history", "the server does not answer", "")

    def steps(self, table: str = ORDERS, column: str = "step") -> list[int]:
        return [step for page in self.tables.get(table, []) for step in page.table[column].to_pylist()]


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Opener:
    """Opens the same spool again, as after a restart."""

    def __init__(self, folder: Path, shelf: Shelf, clock: Clock) -> None:
        self.folder = folder
        self._shelf, self._clock = shelf, clock
        self._open: SpooledHistory | None = None

    def __call__(self, limit: int = 1 << 20) -> SpooledHistory:
        self.close()
        spool = Spool(self.folder, limit, self._clock)
        self._open = SpooledHistory(self._shelf, spool, self._clock)
        return self._open

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


@pytest.fixture
def opened(tmp_path: Path, shelf: Shelf, clock: Clock) -> Iterator[Opener]:
    opener = Opener(tmp_path / "spool", shelf, clock)
    yield opener
    opener.close()


def test_what_the_server_takes_never_lies_on_disk(opened: Opener, shelf: Shelf) -> None:
    history = opened()
    history.write(ORDERS, [orders(0, 9)])
    assert shelf.steps() == list(range(10))
    assert history.figures() == SpoolFigures(0, 0, 0.0)


def test_what_the_server_does_not_take_waits_and_goes_in_order_when_it_is_back(
    opened: Opener, shelf: Shelf, clock: Clock
) -> None:
    history = opened()
    history.write(ORDERS, [orders(0, 1)])
    shelf.away = True
    for first in (2, 4, 6):
        history.write(ORDERS, [orders(first, first + 1)])
        history.write("controls", [orders(first, first + 1)])
    shelf.away = False
    history.write(ORDERS, [orders(8, 9)])  # before the pause is over: behind what waits
    assert shelf.steps() == [0, 1]
    clock.now += 60
    history.write(ORDERS, [orders(10, 11)])
    assert shelf.steps() == list(range(12))
    assert shelf.steps("controls") == [2, 3, 4, 5, 6, 7]
    assert history.figures().files == 0


def test_what_waits_is_taken_over_but_has_not_arrived(opened: Opener, shelf: Shelf) -> None:
    """P5: the outbox may forget it, snapshots and log may not."""
    history = opened()
    history.write(ORDERS, [orders(0, 4), orders(0, 2, partition=3)])
    shelf.away = True
    history.write(ORDERS, [orders(5, 9)])
    shelf.away = False
    assert history.arrived(ORDERS) == {0: 4, 3: 2}
    assert history.drained(ORDERS) == {0: 9, 3: 2}


def test_what_waits_survives_the_process_and_goes_from_the_next(
    opened: Opener, shelf: Shelf, clock: Clock
) -> None:
    history = opened()
    shelf.away = True
    effects = [of_effects([transition(2, seq, after="铂金") for seq in range(3)] + [decision(2, 3)])]
    history.write(EFFECTS, effects)
    history.write(ORDERS, [orders(0, 3, 尺寸=pa.array(["L", None, "M", "S"])), orders(1, 2, partition=1)])
    again = opened()
    assert again.figures().files == 2
    shelf.away = False
    assert again.drained(ORDERS) == {0: 3, 1: 2}
    again.write(ORDERS, [orders(0, 6)])
    assert [page.table.num_rows for page in shelf.tables[ORDERS]] == [4, 2, 3]
    assert shelf.tables[EFFECTS][0].table.equals(effects[0].table)
    assert shelf.tables[ORDERS][0].table["尺寸"].to_pylist() == ["L", None, "M", "S"]


def test_what_arrived_although_its_answer_was_lost_goes_once(
    opened: Opener, shelf: Shelf, clock: Clock
) -> None:
    history = opened()
    shelf.answers = False
    history.write(ORDERS, [orders(0, 4)])
    shelf.answers = True
    assert history.figures().files == 1
    clock.now += 60
    history.write(ORDERS, [orders(5, 9)])
    assert shelf.steps() == list(range(10))


def test_a_full_spool_takes_nothing_more_and_goes_on_when_there_is_room(
    opened: Opener, shelf: Shelf, clock: Clock
) -> None:
    history = opened(limit=20_000)
    shelf.away = True
    step = 0
    while history.figures().bytes < 16_000:
        history.write(ORDERS, [orders(step, step + 9)])
        step += 10
    with pytest.raises(SpoolFull, match="bytes wait for history's server, and no more may"):
        history.write(ORDERS, [orders(step, step + 99)])
    assert history.figures().bytes <= 20_000
    assert sum(one.stat().st_size for one in opened.folder.glob("*.arrow")) == history.figures().bytes
    shelf.away = False
    clock.now += 60
    history.write(ORDERS, [orders(step, step + 9)])
    assert shelf.steps() == list(range(step + 10))


def test_a_batch_that_met_a_full_spool_half_way_comes_again_and_counts_once(
    opened: Opener, shelf: Shelf, clock: Clock, tmp_path: Path
) -> None:
    """The relay does not move on before all tables of a batch are taken: it brings the first ones again."""
    with new_log(tmp_path / "log", 2) as log:
        fill(log, tmp_path)
        outbox = Outbox(2)
        outbox.add(1, 500)
        history = opened(limit=60_000)
        relay = HistoryRelay(history, log, outbox, rows=60)
        shelf.away = True
        for _ in range(4):
            with pytest.raises(SpoolFull):
                relay.catch_up()
        waiting = history.figures()
        assert waiting.bytes <= 60_000
        shelf.away = False
        while relay.lag().rows or history.figures().files:
            clock.now += 60
            history.drain()
            relay.catch_up()
        wanted = Shelf()
        HistoryRelay(wanted, log, outbox).catch_up()
    for table in wanted.tables:
        column = "seq" if table == EFFECTS else "step"
        assert sorted(shelf.steps(table, column)) == sorted(wanted.steps(table, column))


def test_what_comes_again_does_not_wait_twice(opened: Opener, shelf: Shelf) -> None:
    history = opened(limit=40_000)
    shelf.away = True
    for _ in range(3):
        history.write(ORDERS, [orders(0, 9)])
        with pytest.raises(SpoolFull):
            history.write("controls", [orders(0, 9_999)])
    assert history.figures().files == 1


def test_nothing_overtakes_what_waits(opened: Opener, shelf: Shelf, clock: Clock) -> None:
    """More waits than goes at once: what is new goes behind it, or the rest would be taken for double."""
    history = opened()
    shelf.away = True
    for step in range(50):
        history.write(ORDERS, [orders(step, step)])
    shelf.away = False
    clock.now += 60
    history.write(ORDERS, [orders(50, 50)])
    assert shelf.steps() == list(range(20))
    while history.drain():
        pass
    assert shelf.steps() == list(range(51))


def test_a_server_that_is_away_is_not_asked_all_the_time(opened: Opener, shelf: Shelf, clock: Clock) -> None:
    history = opened()
    shelf.away = True
    for step in range(120):
        clock.now += 1
        history.write(ORDERS, [orders(step, step)])
    assert 5 <= shelf.asked <= 12  # after 1, 2, 4, 8, 16, 30, 30 s ...


def test_what_waits_goes_without_anything_new(opened: Opener, shelf: Shelf, clock: Clock) -> None:
    history = opened()
    shelf.away = True
    for step in range(50):
        history.write(ORDERS, [orders(step, step)])
    shelf.away = False
    clock.now += 60
    moved = []
    while rows := history.drain():
        moved.append(rows)
    assert moved == [20, 20, 10]
    assert shelf.steps() == list(range(50))


def test_a_server_that_lost_what_it_had_before_gets_nothing_behind_the_hole(
    opened: Opener, shelf: Shelf, clock: Clock
) -> None:
    """Also when the process has been another one since: each file says what was there before it."""
    history = opened()
    history.write(ORDERS, [replace(orders(0, 9), last=30)])
    shelf.away = True
    history.write(ORDERS, [orders(40, 49)])
    shelf.away = False
    shelf.tables[ORDERS] = [orders(0, 4)]
    again = opened()
    assert again.drained(ORDERS) == {0: 49}
    with pytest.raises(SetBack, match="ended at 9 before what waits, and ends at 4"):
        again.drain()
    assert again.drained(ORDERS) == {0: 4}
    again.write(ORDERS, [orders(5, 9), orders(40, 49)])
    assert shelf.steps() == [*range(10), *range(40, 50)]


@pytest.mark.parametrize("drained_by", ["the relay", "its caller"])
def test_a_relay_begins_again_where_a_server_ends_that_lost_something(
    opened: Opener, shelf: Shelf, clock: Clock, tmp_path: Path, drained_by: str
) -> None:
    outbox = Outbox(2)
    with new_log(tmp_path / "log", 2) as log:
        fill(log, tmp_path)
        outbox.add(1, 50)
        history = opened()
        relay = HistoryRelay(history, log, outbox, rows=60, seconds=0.0)
        relay.catch_up()
        wanted = {table: sorted(shelf.steps(table, sequence_of(table))) for table in shelf.tables}
        shelf.away = True
        outbox.add(1, 1)
        relay.step()
        shelf.away = False
        changes = [name for name in shelf.tables if name.startswith("changes_")]
        shelf.tables = {name: shelf.tables[name][:1] for name in changes}
        clock.now += 60
        outbox.add(1, 1)
        with pytest.raises(SetBack):
            history.drain() if drained_by == "its caller" else relay.step()
        if drained_by == "its caller":
            with pytest.raises(SetBack):  # whoever writes has to hear it, too
                history.write(EFFECTS, [of_effects([transition(1, 51)])])
            with pytest.raises(SetBack):
                relay.step()
        while relay.step():
            pass
    wanted[EFFECTS] = [effect["seq"] for effect in outbox.effects[1]]
    for table, numbers in wanted.items():
        assert sorted(shelf.steps(table, sequence_of(table))) == numbers


def test_the_figures_tell_how_much_waits_and_for_how_long(opened: Opener, shelf: Shelf, clock: Clock) -> None:
    history = opened()
    shelf.away = True
    history.write(ORDERS, [orders(0, 0)])
    clock.now += 7
    history.write(ORDERS, [orders(1, 1)])
    told = history.figures()
    assert (told.files, told.oldest_seconds) == (2, 7.0)
    registry = CollectorRegistry()
    registry.register(SpoolCollector(lambda: {3: told}))
    text = generate_latest(registry).decode()
    assert f'tintype_history_spool_bytes{{partition="3"}} {float(told.bytes)}' in text
    assert 'tintype_history_spool_oldest_seconds{partition="3"} 7.0' in text


def test_a_file_that_was_not_finished_is_none(opened: Opener, shelf: Shelf) -> None:
    shelf.away = True
    opened().write(ORDERS, [orders(0, 0)])
    (opened.folder / "000000000001.new").write_bytes(b"half")
    assert opened().figures().files == 1
    assert sorted(one.name for one in opened.folder.iterdir()) == ["000000000000.arrow", "lock"]


def test_a_damaged_file_is_told(opened: Opener, shelf: Shelf) -> None:
    shelf.away = True
    opened().write(ORDERS, [orders(0, 0)])
    (opened.folder / "000000000000.arrow").write_bytes(b"\0" * 20)
    with pytest.raises(InputError, match=r"000000000000\.arrow: the file is damaged"):
        opened()


def test_a_disk_that_is_full_is_a_full_spool(
    opened: Opener, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = opened()
    shelf.away = True
    history.write(ORDERS, [orders(0, 0)])

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(SpoolFull, match="No space left"):
            history.write(ORDERS, [orders(1, 1)])
    history.write(ORDERS, [orders(1, 1)])
    assert opened().figures().files == 2


def test_two_processes_do_not_share_a_spool(opened: Opener) -> None:
    opened()
    program = (
        "import sys, pathlib; from sinks.history.spool import Spool\n"
        "from streams.errors import InputError\n"
        "try: Spool(pathlib.Path(sys.argv[1]))\n"
        "except InputError as error: sys.stdout.write(str(error))\n"
    )
    command = [sys.executable, "-c", program, str(opened.folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "another process has this spool" in done.stdout
