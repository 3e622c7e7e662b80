"""A shop in one process, when something beside it fails: it says so, loses nothing, and goes on."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.embedded import STORE_FOLDER, Embedded, open_embedded
from app.service import Stopped
from streams.control import switch
from streams.errors import InputError
from streams.live import append_controls
from streams.log.lock import WrittenElsewhere
from streams.log.log import Log, Unwritable
from streams.message import Message
from tests.app.little_shop import write_shop
from tests.app.stored import FromScratch, profiles_of

SECONDS = 60.0
START = 29_540_000 * 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    toml = 'name = "Test"\nzone = "UTC"\nhistory = false\n\n[groups]\nvalue = ["vip", "普通"]\n'
    return write_shop(tmp_path / "shop", {"tintype.toml": toml})


@contextmanager
def at_work(folder: Path, said: list[str] | None = None) -> Iterator[Embedded]:
    lines = said if said is not None else []
    began = time.time()
    with open_embedded(folder, lines.append, now=lambda: START + time.time() - began) as shop:
        shop.wait_until_ready()
        yield shop


def orders(first: int, count: int) -> list[Message]:
    rows = [
        {"order_id": n, "member_id": f"M{n % 7}", "created_at": "2026-03-01 10:00", "amount": "20.00",
         "status": "paid"}
        for n in range(first, first + count)
    ]  # fmt: skip
    return [Message("orders", f"test:{row['order_id']}", json.dumps(row).encode()) for row in rows]


def until(true: Callable[[], object]) -> None:
    """Wait for something to become true; fail when it does not."""
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def check(shop: Embedded) -> None:
    """Everything accepted is served, and equals the recompute."""
    shop.service.ask(lambda owner: owner.engine.clock).result(SECONDS)
    with Log.open(shop.data) as log:
        scratch = FromScratch(log, shop.shop)
        assert profiles_of(shop.store, shop.shop, 1) == scratch.profiles()
        assert scratch.differences() == []


def test_a_killed_store_is_started_again_and_filled(folder: Path) -> None:
    """P5: nothing that was accepted is missing, though the store may have lost its last second."""
    said: list[str] = []
    with at_work(folder, said) as shop:
        shop.service.accept(orders(0, 50)).result(SECONDS)
        os.kill(shop.server.pid, signal.SIGKILL)
        for first in range(50, 100, 10):
            shop.service.accept(orders(first, 10)).result(SECONDS)
        check(shop)
        assert len(profiles_of(shop.store, shop.shop, 1)) == 7
    assert any("the profile store had ended and was started again" in line for line in said)


def test_while_the_store_is_away_the_log_takes_what_comes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accepted means durable: whoever sends does not wait for the store, whoever asks does."""
    with at_work(folder) as shop:
        shop.service.accept(orders(0, 10)).result(SECONDS)
        with monkeypatch.context() as patched:
            take_store_away(shop, patched)
            since = shop.service.figures.behind_since
            for first in range(10, 40, 10):
                assert shop.service.accept(orders(first, 10)).result(SECONDS).accepted == 10
            asked = shop.service.ask(lambda owner: owner.engine.steps)
            assert shop.service.accept(orders(40, 10)).result(SECONDS).accepted == 10
            assert (shop.service.ready, shop.service.taking, asked.done()) == (False, True, False)
            assert shop.service.figures.behind_since == since is not None, "lag is that of the oldest"
        assert asked.result(SECONDS) == shop.log.next_steps()
        check(shop)
        assert shop.service.ready
        assert shop.service.figures.behind_since is None


def take_store_away(shop: Embedded, patched: pytest.MonkeyPatch) -> None:
    """Kill the store and let nobody start it again; return when a commit waits for it."""
    patched.setattr(shop.server, "revive", lambda: False)
    os.kill(shop.server.pid, signal.SIGKILL)
    shop.service.accept(orders(1000, 1)).result(SECONDS)
    until(lambda: shop.service.figures.store_away)


def test_a_service_that_stops_while_the_store_is_away_has_lost_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it took then is in the log, and the next start serves it."""
    with at_work(folder) as shop, monkeypatch.context() as patched:
        take_store_away(shop, patched)
        shop.service.accept(orders(0, 10)).result(SECONDS)
        asked = shop.service.ask(lambda owner: None)
    with pytest.raises(Stopped):
        asked.result(SECONDS)
    with at_work(folder) as shop:
        check(shop)
        assert len(profiles_of(shop.store, shop.shop, 1)) == 7


def test_minutes_pass_while_the_store_is_away(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """T2: a store that is away for long leaves no gap in the log's time."""
    now = [float(START)]
    with open_embedded(folder, lambda _: None, now=lambda: now[0]) as shop:
        shop.wait_until_ready()
        with monkeypatch.context() as patched:
            take_store_away(shop, patched)
            for minute in (9, 18, 27):
                now[0] = START + 60.0 * minute
                until(lambda: clock_of(shop) == now[0] // 60)
            shop.service.accept(orders(0, 10)).result(SECONDS)
        check(shop)
        assert shop.service.ask(lambda owner: owner.engine.clock).result(SECONDS) == START // 60 + 27


def clock_of(shop: Embedded) -> int | None:
    """Return the minute at which the log ends."""
    with Log.open(shop.data) as log:
        return log.clock()


def test_a_store_that_cannot_start_is_told(folder: Path) -> None:
    """Trying for ever would hide it; what it is about stands in the server's own log."""
    with at_work(folder) as shop:
        shop.service.accept(orders(0, 10)).result(SECONDS)
    for file in (folder / "data" / STORE_FOLDER / "appendonlydir").glob("*.incr.aof"):
        file.write_bytes(b"no commands\n" * 100)
    with pytest.raises(InputError, match="the profile store does not start"), at_work(folder):
        pass


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.98])
def test_a_store_whose_file_was_cut_heals(folder: Path, share: float) -> None:
    """P5: whatever is left of the append-only file, the profiles come out the same."""
    with at_work(folder) as shop:
        for first in range(0, 60, 10):
            shop.service.accept(orders(first, 10)).result(SECONDS)
        shop.service.ask(lambda owner: None).result(SECONDS)
    for file in (folder / "data" / STORE_FOLDER / "appendonlydir").glob("*.incr.aof"):
        os.truncate(file, int(file.stat().st_size * share))
    with at_work(folder) as shop:
        check(shop)
        shop.service.accept(orders(60, 10)).result(SECONDS)
        check(shop)


def test_a_full_disk_refuses_what_comes_and_goes_on_when_there_is_room(folder: Path) -> None:
    """Nothing half done: who was not answered sends again, and it counts once."""
    said: list[str] = []
    with at_work(folder, said) as shop:
        shop.service.accept(orders(0, 10)).result(SECONDS)
        pages = shop.service.ask(lambda owner: _pages(owner.log, 0)).result(SECONDS)
        shop.service.ask(lambda owner: _pages(owner.log, pages)).result(SECONDS)  # as small as it is now
        with pytest.raises(Unwritable, match="make room on the disk"):
            shop.service.accept(orders(10, 3000), "again").result(SECONDS)
        check(shop)
        shop.service.ask(lambda owner: _pages(owner.log, 1_000_000)).result(SECONDS)
        shop.service.accept(orders(10, 3000), "again").result(SECONDS)
        check(shop)
        with Log.open(shop.data) as log:
            assert sum(FromScratch(log, shop.shop).replay.engine.steps) > 3010
    assert any("the log cannot be written" in line for line in said)


def _pages(log: Log, most: int) -> int:
    """Set how many pages the log's file may have; return how many it has."""
    log.connection.execute(f"PRAGMA max_page_count = {most}")
    return int(log.connection.execute("PRAGMA page_count").fetchone()[0])


def test_a_second_process_on_the_folder_is_refused(folder: Path) -> None:
    with at_work(folder), pytest.raises(WrittenElsewhere, match="process"), open_embedded(folder):
        pass


def test_what_comes_while_it_stops_is_refused_and_not_lost_in_silence(folder: Path) -> None:
    with at_work(folder) as shop:
        shop.service.accept(orders(0, 10)).result(SECONDS)
    late = shop.service.accept(orders(10, 10))
    with pytest.raises(Stopped):
        late.result(SECONDS)


def test_a_question_that_fails_is_the_askers_alone(folder: Path) -> None:
    with at_work(folder) as shop:
        with pytest.raises(ZeroDivisionError):
            shop.service.ask(lambda owner: 1 / 0).result(SECONDS)
        shop.service.accept(orders(0, 10)).result(SECONDS)
        check(shop)


def test_a_defect_while_following_leaves_nobody_waiting(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who sent something or asked has an answer, and the service says what stopped it."""
    with at_work(folder) as shop:
        monkeypatch.setattr("app.owner.Owner.follow", lambda *_: 1 / 0)
        asked = shop.service.ask(lambda owner: None)
        with pytest.raises(ZeroDivisionError):
            asked.result(SECONDS)
        until(lambda: shop.service.failed)
        assert not shop.service.ready


@pytest.mark.parametrize(
    "relay", ["app.sending.courier_relay.CourierRelay", "sinks.history.relay.HistoryRelay"]
)
def test_a_defect_of_a_relay_ends_the_service(
    folder: Path, monkeypatch: pytest.MonkeyPatch, relay: str
) -> None:
    """What is decided would wait in the outbox for ever, and nobody would know."""
    toml = (folder / "tintype.toml").read_text(encoding="utf-8")
    (folder / "tintype.toml").write_text(toml.replace("history = false\n", ""), encoding="utf-8")
    broken = threading.Event()

    def step(_: object) -> int:
        return 1 // 0 if broken.is_set() else 0

    monkeypatch.setattr(f"{relay}.step", step)
    with at_work(folder) as shop:
        broken.set()
        until(lambda: not shop.worker.is_alive())
        assert isinstance(shop.service.failed, ZeroDivisionError)
        assert not shop.service.ready
        with pytest.raises(Stopped):
            shop.service.accept(orders(0, 1)).result(SECONDS)


def test_a_defect_of_the_dispatcher_ends_the_service(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = threading.Event()

    def pause(*_: object) -> float:
        return 1 // 0 if broken.is_set() else 0.05

    monkeypatch.setattr("sinks.deliveries.dispatch.Dispatcher._pause", pause)
    with at_work(folder) as shop:
        broken.set()
        until(lambda: not shop.worker.is_alive())
        assert isinstance(shop.service.failed, ZeroDivisionError)


def test_time_passes_though_nobody_says_anything(folder: Path) -> None:
    """T2: a minute's end is a record too."""
    now = [float(START)]
    with open_embedded(folder, lambda _: None, now=lambda: now[0]) as shop:
        shop.wait_until_ready()
        shop.service.accept(orders(0, 1)).result(SECONDS)
        now[0] += 180

        def clock() -> int:
            return shop.service.ask(lambda owner: owner.engine.clock).result(SECONDS)

        until(lambda: clock() == START // 60 + 3)


def test_a_stop_of_days_is_one_record_and_the_clock_goes_on(folder: Path) -> None:
    """T2, D1: the time in between was a stop, not an endless row of ticks."""
    now = [float(START)]
    for days in (0, 3):
        now[0] = START + days * 86_400.0
        with open_embedded(folder, lambda _: None, now=lambda: now[0]) as shop:
            shop.wait_until_ready()
            shop.service.accept(orders(days, 1)).result(SECONDS)
            check(shop)
            steps = shop.service.ask(lambda owner: sum(owner.engine.steps)).result(SECONDS)
    assert steps < 20


def test_rows_after_a_disk_that_was_full_for_long_find_the_clock_ticked(folder: Path) -> None:
    """T2: no minute could be written meanwhile, and the log can be followed all the same."""
    now = [float(START)]
    with open_embedded(folder, lambda _: None, now=lambda: now[0]) as shop:
        shop.wait_until_ready()
        shop.service.accept(orders(0, 10)).result(SECONDS)
        shop.service.ask(lambda owner: _pages(owner.log, 1)).result(SECONDS)
        for _ in range(4):
            now[0] += 480
            with pytest.raises(Unwritable):
                shop.service.accept(orders(10, 3000)).result(SECONDS)
        shop.service.ask(lambda owner: _pages(owner.log, 1_000_000)).result(SECONDS)
        shop.service.accept(orders(10, 10)).result(SECONDS)
        check(shop)


def test_rows_after_a_sleep_of_the_machine_find_the_clock_ticked(folder: Path) -> None:
    """Rows may come before the next minute's tick: the minutes between are written before them."""
    clock = [float(START)]
    with open_embedded(folder, lambda _: None, now=lambda: clock[0]) as shop:
        shop.wait_until_ready()
        shop.service.accept(orders(0, 5)).result(SECONDS)
        clock[0] += 45 * 60
        shop.service.accept(orders(5, 5)).result(SECONDS)
        shop.service.ask(lambda _: None).result(SECONDS)
        assert shop.service.failed is None
        check(shop)


def test_a_change_after_a_sleep_of_the_machine_finds_the_clock_ticked(folder: Path) -> None:
    """What people switch, and what became of messages, may be the first that comes."""
    clock = [float(START)]
    with open_embedded(folder, lambda _: None, now=lambda: clock[0]) as shop:
        shop.wait_until_ready()
        shop.service.accept(orders(0, 5)).result(SECONDS)
        shop.service.ask(lambda _: None).result(SECONDS)
        clock[0] += 45 * 60
        said = [switch("", False, "nothing was off")]
        shop.service.change(lambda log, _, minute: append_controls(log, said, minute)).result(SECONDS)
        assert shop.service.failed is None
        check(shop)
