"""Records of nobody in a cluster's log stand once in another, whenever its partitions had them (L4)."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from app.load import load_shop
from app.migrating.compare import _states
from app.replay import Replay, settings_body
from app.runtime import keep_settings
from app.shop import Shop
from engine.plan import settings_hash
from rfm.merge import merged
from rfm.record import said
from streams.changes.controls import control_block
from streams.changes.copy import Copy
from streams.changes.wire import Incoming, Outgoing, outgoing
from streams.control import CUTS, FRESH, RESUME, SETTINGS, TICK, Control, cuts, fresh
from streams.live import append_changes
from streams.log.log import Log
from streams.log.rows import read_control
from streams.migrate.former import directory, window, windows
from streams.migrate.gather import Gathering
from streams.migrate.nobodys import Nobodys, complete, nobodys
from streams.migrate.part import Part
from streams.migrate.regroup import Clocks, Regroup, settings_for
from tests.app.little_shop import write_shop
from tests.app.test_migrate import START, order, replayed, traded
from tests.called import SECRET

PARTITIONS = 3


@dataclass
class Written:
    """What workers have written: messages of each partition, whose minutes are the brokers'."""

    folder: Path
    shop: Shop
    messages: list[list[Incoming]] = field(default_factory=lambda: [[] for _ in range(PARTITIONS)])

    def put(self, part: int, minute: int, one: Outgoing) -> None:
        """Append a message."""
        mine = self.messages[part]
        mine.append(Incoming(part, len(mine), minute, one.value, dict(one.headers)))

    def control(self, part: int, minute: int, one: Control) -> None:
        """Append a control record."""
        self.put(part, minute, outgoing(control_block([one], 0, 0, part), [f"!{one.kind}"]))

    def rows(self, log: Log, rng: random.Random, minute: int) -> None:
        """Append some orders, taken in by a log that has only this to do, and a tick where none come."""
        before = log.next_steps()
        some = [order(rng.randrange(60), f"M{rng.randrange(15)}", rng.randrange(1, 900_000) / 100)
                for _ in range(rng.randrange(1, 6))]  # fmt: skip
        append_changes(log, self.shop, "orders", some, minute)
        for part in range(PARTITIONS):
            for block in log.blocks(part, before[part]):
                holds = next(held for step, _, held in log.holdings(part) if step == block.first_step)
                self.put(part, minute, outgoing(block, holds))
            self.control(part, minute, Control(TICK, None, "{}"))

    def copies(self, name: str) -> list[Copy]:
        """Return copies as workers would have them."""
        found = [Copy(self.folder / name / str(part), "Test", part, SECRET) for part in range(PARTITIONS)]
        for copy in found:
            copy.add(self.messages[copy.partition])
        return found

    def cuts(self, minute: int) -> Control:
        """Return the cut points of all partitions as they are now."""
        told: list[Any] = []
        for copy in self.copies(f"at {minute}"):
            replay = Replay(copy.log, self.shop, lambda *_: None, apart=True)
            replay.follow()
            assert replay.engine.apart is not None
            replay.engine.apart.report = lambda _, __, models: told.append(models)
            replay.engine.apart.tell(0, minute)
            copy.close()
        models = [(one, merged(one, [report[one.name] for report in told])) for one in self.shop.rfm]
        return cuts(said(minute, models))


def written(folder: Path) -> Written:
    """Let partitions have the same at different minutes, stop at the same time, and one lack the last."""
    shop = load_shop(write_shop(folder / "shop", {}))
    vip = shop.tags["vip"].model_copy(update={"rule": "rfm.m >= 5"})
    later = shop.model_copy(update={"tags": {**shop.tags, "vip": vip}})
    made, rng = Written(folder, shop), random.Random(5)
    with Log.create(folder / "rows", "Test", PARTITIONS, SECRET) as log:
        for part, late in enumerate((0, 0, 1)):
            made.control(part, START + late, Control(SETTINGS, None, settings_body(shop)))
        for minute in range(START + 1, START + 12):
            made.rows(log, rng, minute)
            first = made.cuts(minute) if minute == START + 5 else None
            for part, late in enumerate((0, 0, 1)):
                if minute == START + 8 + late:
                    made.control(part, minute, Control(SETTINGS, None, settings_body(later)))
                if first is not None:
                    made.control(part, minute + late, first)
                if minute == START + 10:
                    made.control(part, minute, fresh("orders", minute))
        for minute in range(START + 60, START + 64):
            made.rows(log, rng, minute)
        last = made.cuts(START + 63)
        for part in (0, 1):
            made.control(part, START + 63, last)
    return made


def gathered(messages: list[list[Incoming]], folder: Path) -> Log:
    """Return the log that messages are, read as a migration reads them."""
    gathering = Gathering(Log.create(folder, "Test", len(messages), SECRET))
    for mine in messages:
        gathering.take(mine)
    gathering.finish()
    return gathering.log


def regrouped(
    log: Log, partitions: int, apart: Nobodys | None, most: int = 100_000
) -> list[list[Incoming]]:  # fmt: skip
    """Return a log's records as messages of so many partitions."""
    found: list[list[Incoming]] = [[] for _ in range(partitions)]
    clocks, spans = Clocks([-1] * partitions), list(windows(log, -1, most))
    regroup = Regroup(directory(log), partitions, settings_for(partitions, "Test", settings_hash), clocks)
    for at, (first, last) in enumerate(spans):
        for said_ in regroup.take(window(log, first, last, apart), at == len(spans) - 1).blocks:
            one = outgoing(*said_, keeps_minutes=True)
            mine = found[one.partition]
            mine.append(Incoming(one.partition, len(mine), START + 9999, one.value, dict(one.headers)))
    return found


def states(logs: list[Log], shop: Shop) -> dict[str, Any]:
    """Return what all customers come to."""
    found: dict[str, Any] = {}
    for log in logs:
        replay = Replay(log, shop, lambda *_: None, apart=True)
        replay.follow()
        found |= dict(_states(replay.engine))
    return found


def test_a_gathered_log_is_what_the_copies_of_workers_are(tmp_path: Path) -> None:
    """Step by step and minute by minute, stops too."""
    made = written(tmp_path)
    with gathered(made.messages, tmp_path / "log") as log:
        for copy in made.copies("copies"):
            assert list(Part(log, copy.partition).blocks(0)) == list(copy.log.blocks(0))
            assert Part(log, copy.partition).next_steps() == copy.log.next_steps()
            assert len(read_control(copy.log, kinds=[RESUME])) == 1
            copy.close()


@pytest.mark.parametrize("partitions", [1, 2, 5])
@pytest.mark.parametrize("most", [1, 100_000])
def test_what_is_everybodys_stands_once_in_each_new_partition(
    tmp_path: Path, partitions: int, most: int
) -> None:
    """At the minute of the partition that had it first; one that lacked the last of them comes to it."""
    made = written(tmp_path)
    log = gathered(made.messages, tmp_path / "log")
    parts: list[Log] = [Part(log, part) for part in range(PARTITIONS)]
    lacking = states(parts, made.shop)
    complete(log)
    wanted = states(parts, made.shop)
    assert wanted != lacking
    new = regrouped(log, partitions, nobodys(log), most)
    copies = [Copy(tmp_path / "new" / str(part), "Test", part, SECRET) for part in range(partitions)]
    for copy in copies:
        copy.add(new[copy.partition])
        told = read_control(copy.log, kinds=[SETTINGS, CUTS, FRESH, RESUME])
        assert list(zip(told["kind"], told["minute"] - START, strict=True)) == [
            (SETTINGS, 0), (CUTS, 5), (SETTINGS, 8), (FRESH, 10), (RESUME, 60), (CUTS, 63)
        ]  # fmt: skip
        assert copy.log.clock() == log.clock()
    assert states([copy.log for copy in copies], made.shop) == wanted
    for copy in copies:
        copy.close()
    log.close()


def test_cut_points_that_came_amid_a_minute_do_not_open_it(tmp_path: Path) -> None:
    """What falls due at the opening is judged by those before, as it was."""
    made = written(tmp_path)
    with gathered(made.messages, tmp_path / "log") as log:
        complete(log)
        new = regrouped(log, 2, nobodys(log))
    for part, messages in enumerate(new):
        copy = Copy(tmp_path / "new" / str(part), "Test", part, SECRET)
        copy.add(messages)
        minutes: dict[int, int] = {}
        for block in copy.log.blocks(0):
            for table in block.tables().values():
                steps = (table["ordinal"].to_numpy() + block.first_step).tolist()
                minutes |= dict(zip(steps, table["minute"].to_pylist(), strict=True))
        told = read_control(copy.log, kinds=[CUTS])
        assert len(told) == 2
        for step, minute in zip(told["step"], told["minute"], strict=True):
            assert minutes[step - 1] == minute
        copy.close()


@pytest.mark.parametrize(("first", "second"), [(4, 3), (1, 4), (3, 1)])
def test_states_and_effects_are_the_same_after_two_migrations(
    tmp_path: Path, first: int, second: int
) -> None:
    """From an embedded log into a cluster, and from there into another number: with an import before."""
    _, log = traded(tmp_path / "shop", 2)
    shop = load_shop(tmp_path / "shop")
    wanted = replayed(log, shop, apart=False)
    between = gathered(regrouped(log, first, None), tmp_path / "between")
    steps = between.next_steps()
    complete(between)
    assert between.next_steps() == steps
    here: dict[str, Any] = {}
    told: Counter[str] = Counter()
    for part, messages in enumerate(regrouped(between, second, nobodys(between), 50)):
        copy = Copy(tmp_path / "new" / str(part), "Test", part, SECRET)
        copy.add(messages)
        some, more = replayed(copy.log, shop, apart=True)
        here |= some
        told += more
        copy.close()
    assert (here, told) == wanted
    between.close()
    log.close()


def test_what_was_imported_stays_before_what_is_live_in_the_same_minute(tmp_path: Path) -> None:
    """Each partition's mode changes once, at the same minute in all (T5)."""
    shop, rng = load_shop(write_shop(tmp_path / "shop", {"rfm.yaml": None})), random.Random(2)
    log = Log.create(tmp_path / "data", "Test", 1, SECRET)
    keep_settings(log, shop)
    for mode, first in (("import", 0), ("live", 40)):
        rows = [order(first + one, f"M{rng.randrange(30)}", 5) for one in range(40)]
        append_changes(log, shop, "orders", rows, START, mode=mode)
    between = gathered(regrouped(log, 4, None), tmp_path / "between")
    for messages in regrouped(between, 3, nobodys(between)):
        assert [mode for mode, _ in groupby(one.headers["mode"] for one in messages)] == [b"import", b"live"]
        assert {one.headers["minutes"].split(b",")[1] for one in messages} == {str(START).encode()}
    between.close()
    log.close()
