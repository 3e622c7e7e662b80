"""A log in other partitions: each customer's records at the same minutes, with the same outcome (L4)."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from app.effects import Collector
from app.load import load_shop
from app.migrating.compare import _states
from app.replay import Replay
from app.runtime import keep_settings
from app.shop import Shop
from engine.outcome import Decision, Transition
from engine.plan import settings_hash
from streams.changes.copy import Copy
from streams.changes.wire import Incoming, outgoing
from streams.control import MANUAL, Control
from streams.control import canonical as body_of
from streams.live import append_changes, append_controls, append_resume, append_ticks
from streams.log.log import Log
from streams.log.rows import read_control
from streams.migrate.former import directory, parked, window, windows
from streams.migrate.nobodys import STEP_BITS
from streams.migrate.regroup import Clocks, Regroup, settings_for
from streams.personal.seal import unseal
from streams.personal.vault import NOBODY
from streams.shared.delta import STEP
from streams.shared.entries import Parked, unpack
from streams.shared.vault import SharedVault
from tests.app.little_shop import GOOD, write_shop
from tests.called import SECRET, id_of

START = 29_540_000  # a minute of March 2026


def order(number: int, member: str, amount: float) -> dict[str, Any]:
    return {"order_id": number, "member_id": member, "created_at": "2026-03-01 10:00", "amount": amount,
            "status": "paid"}  # fmt: skip


def traded(
    folder: Path, partitions: int, changes: Mapping[str, str | None] = MappingProxyType({"rfm.yaml": None})
) -> tuple[Shop, Log]:
    """Return a shop whose log has an import, live rows, moves between customers, a stop, new settings and a
    tag by hand. changes: of its files."""
    shop = load_shop(write_shop(folder, changes))
    log, rng = Log.create(folder / "data", "Test", partitions, SECRET), random.Random(partitions)
    keep_settings(log, shop)
    rows = [order(one, f"M{rng.randrange(20)}", rng.randrange(1, 900_000) / 100) for one in range(60)]
    append_changes(log, shop, "orders", rows, START - 500, mode="import")
    minute = START
    for at in range(40):
        minute += rng.choice([0, 0, 1, 2, 9])
        some = [order(rng.randrange(100), f"M{rng.randrange(20)}", rng.randrange(1, 900_000) / 100)
                for _ in range(rng.randrange(1, 5))]  # fmt: skip
        append_changes(log, shop, "orders", some, minute)
        refund = {"refund_id": at, "order_id": rng.randrange(110), "amount": 1,
                  "created_at": "2026-03-01 10:00"}  # fmt: skip
        append_changes(log, shop, "refunds", [refund], minute)
        append_ticks(log, minute)
        if at == 20:
            minute += 100
            append_resume(log, minute)
            tag = shop.tags["vip"].model_copy(update={"rule": "spend >= 300000"})
            shop = shop.model_copy(update={"tags": {**shop.tags, "vip": tag}})
            keep_settings(log, shop)
            told = Control(MANUAL, bytes.fromhex(id_of("member:M3")),
                           body_of({"tag": "vip", "on": False, "until": None}))  # fmt: skip
            append_controls(log, [told], minute)
    return shop, log


def migrated(log: Log, partitions: int, folder: Path, most: int) -> list[Copy]:
    """Return copies of the new log, as workers would have them."""
    copies = [Copy(folder / str(one), "Test", one, SECRET) for one in range(partitions)]
    settings, clocks = settings_for(partitions, "Test", settings_hash), Clocks([-1] * partitions)
    spans = list(windows(log, -1, most))
    for at, (first, last) in enumerate(spans):
        # a run that was killed begins each window anew, with nothing but how far it is
        regroup = Regroup(directory(log), partitions, settings, replace(clocks))
        for block, holds, told in regroup.take(window(log, first, last), at == len(spans) - 1).blocks:
            copy, one = copies[block.partition], outgoing(block, holds, told, keeps_minutes=True)
            headers, later = dict(one.headers), START + 9999
            copy.add([Incoming(block.partition, copy.next_offset, later, one.value, headers)])
        clocks = regroup.clocks
    return copies


def outcome(replay: Replay, effects: Sequence[Transition | Decision]) -> Any:
    """Return what all customers come to, and what came out on the way, wherever it was."""
    states = dict(_states(replay.engine))
    told = [replace(one, partition=0, step=0, seq=0) for one in effects]
    return states, Counter(map(repr, told))


def replayed(log: Log, shop: Shop, apart: bool) -> Any:
    found: list[Transition | Decision] = []
    collector = Collector(lambda moved, made: found.extend([*moved, *made]))
    replay = Replay(log, shop, collector.take, apart=apart)
    replay.follow()
    return outcome(replay, found)


def first_live(log: Log) -> int:
    blocks = [block for part in range(log.partitions) for block in log.blocks(part)]
    return min(block.first_minute for block in blocks if block.mode == "live")


@pytest.mark.parametrize(("former", "partitions"), [(1, 1), (1, 4), (4, 1), (4, 3)])
@pytest.mark.parametrize("most", [1, 40, 100_000])
def test_the_same_states_and_effects_come_out_of_any_number_of_partitions(
    tmp_path: Path, former: int, partitions: int, most: int
) -> None:
    """Also decisions with their ids, however the windows are cut: minutes, modes and stops are kept."""
    _, log = traded(tmp_path / "shop", former)
    first = load_shop(tmp_path / "shop")
    states, effects = replayed(log, first, apart=False)
    assert any("Decision" in one for one in effects)
    here: dict[str, Any] = {}
    told: Counter[str] = Counter()
    copies = migrated(log, partitions, tmp_path / "new", most)
    for copy in copies:
        some, more = replayed(copy.log, first, apart=True)
        here |= some
        told += more
    assert here == states
    assert told == effects
    assert {copy.log.clock() for copy in copies} == {log.clock()}
    assert {first_live(copy.log) for copy in copies} == {first_live(log)}  # T5: what lies before is import
    assert [len(read_control(copy.log, kinds=["resume"])) for copy in copies] == [1] * partitions
    for copy in copies:
        copy.close()
    log.close()


@pytest.mark.parametrize("partitions", [1, 3])
def test_blocks_tell_the_index_where_each_row_stands(tmp_path: Path, partitions: int) -> None:
    """The record at that place is the row's last one."""
    _, log = traded(tmp_path / "shop", 4)
    known = directory(log)
    with_record = int((known.code >= 0).sum())
    clocks, found = Clocks([-1] * partitions), 0
    regroup = Regroup(known, partitions, settings_for(partitions, "Test", settings_hash), clocks)
    for first, last in windows(log, -1, 50):
        for block, _, told in regroup.take(window(log, first, last), False).blocks:
            tables = block.tables()
            for name, key, entry in told.others:
                row = unpack([entry])[0]
                at = tables[name]["ordinal"].to_pylist().index(int(row[STEP]))
                held = [tables[name][column][at].as_py() for column in ("key_high", "key_low", "offset")]
                high, low = (int.from_bytes(key[half : half + 8], "big", signed=True) for half in (0, 8))
                assert held == [high, low, row[6]]
                found += 1
    assert found == with_record > 0
    log.close()


class NoCustomers:
    """An index that knows the key of no customer."""

    def fields(self, _: str, customers: Sequence[bytes]) -> list[dict[bytes, bytes]]:
        return [{} for _ in customers]


def test_what_is_personal_in_parked_rows_is_sealed_under_the_clusters_key_of_nobody(tmp_path: Path) -> None:
    """Each embedded shop has one of its own, a cluster's follows from its secret."""
    personal = "  phone: {type: text, personal: true}\n  amount: {type: decimal, scale: 2, currency: CNY}\n"
    refunds = GOOD["sources/refunds.yaml"].partition("  amount")[0] + personal
    shop = load_shop(write_shop(tmp_path / "shop", {"sources/refunds.yaml": refunds}))
    log = Log.create(tmp_path / "data", "Test", 1, SECRET)
    phone = "13800000000"
    row = {"refund_id": 1, "order_id": 9, "created_at": "2026-03-01 10:00", "amount": 1, "phone": phone}
    append_changes(log, shop, "refunds", [row], START)
    index: Any = NoCustomers()
    shared = SharedVault(SECRET, index)
    ((name, _, raw),) = parked(log, shop.sources, shared)
    (before,) = log.connection.execute("SELECT body FROM parked").fetchone()
    after = Parked.unpack(raw)
    now, former = json.loads(after.body)[2], json.loads(before)[2]
    assert now["amount"] == former["amount"] == 100
    assert name == "refunds"
    sealed, was = now["phone"], former["phone"]
    assert sealed != was
    assert unseal(shared, "refunds.phone", [NOBODY], [sealed]) == [phone]
    assert unseal(shared, "refunds.phone", [NOBODY], [was]) == [None]
    log.close()


def test_a_window_has_the_records_of_its_minutes_and_no_others(tmp_path: Path) -> None:
    _, log = traded(tmp_path / "shop", 4)
    codes = [code for first, last in windows(log, -1, 30) for code in window(log, first, last).code.tolist()]
    wanted = [part << STEP_BITS | step for part in range(4) for step in range(log.next_step(part))]
    assert sorted(codes) == wanted
    log.close()
