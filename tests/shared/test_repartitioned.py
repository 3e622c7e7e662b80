"""A cluster's log in another number of partitions (semantics L4): rows, parked ones, keys and erasures are as
they were, and lanes go on where they stood."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import redis

from engine.plan import settings_hash
from streams.changes.controls import control_block
from streams.changes.keys import KeyRecord
from streams.changes.wire import Incoming, Origin, Outgoing, outgoing
from streams.control import Control
from streams.log.log import Log
from streams.migrate.beside import beside
from streams.migrate.former import directory, window, windows
from streams.migrate.gather import Gathering
from streams.migrate.nobodys import complete, nobodys
from streams.migrate.regroup import Clocks, Regroup, settings_for
from streams.shared.index import Index
from streams.shared.lanes import DIRECTORY
from streams.shared.vault import SharedVault
from tests.called import SECRET
from tests.shared.erasures import Erasures, Persons, called, one_log, opened
from tests.shared.simulation import Simulation, embedded, held
from tests.shared.small_shop import Feed, small_shop


def gathered(former: Simulation, folder: Path) -> Gathering:
    """Return the log of a simulation, read as a migration reads it."""
    topic = former.topic
    gathering = Gathering(Log.create(folder, former.shop.settings.name, topic.partitions, SECRET))
    for messages in topic.log:
        gathering.take(messages)
    gathering.finish()
    complete(gathering.log)
    return gathering


def move(former: Simulation, new: Simulation, folder: Path, most: int = 100_000) -> None:
    """Let a simulation that has done nothing go on with another's log, in as many partitions as it has.

    The store is emptied: the new cluster has nothing there.
    """
    gathering, partitions = gathered(former, folder), new.topic.partitions
    log, lanes = gathering.log, gathering.lanes
    apart, clocks = nobodys(log), Clocks([-1] * partitions)
    regroup = Regroup(directory(log), partitions, settings_for(partitions, "small", settings_hash), clocks)
    spans = list(windows(log, -1, most))
    for at, (first, last) in enumerate(spans):
        for said in regroup.take(window(log, first, last, apart), at == len(spans) - 1).blocks:
            put(new, outgoing(*said, keeps_minutes=True))
    former.client.flushall()
    vault = SharedVault(SECRET, Index(former.client, former.shop.settings.name))
    nothing = control_block([Control(DIRECTORY, None, "{}")], 0, clocks.former)
    for told in beside(log, former.shop.sources, vault):
        put(new, outgoing(nothing, [f"!{DIRECTORY}"], told, keeps_minutes=True))
    for name, one in lanes.items():
        origin = Origin(name, former.topic.committed[name], log.offset(), one.positions)
        put(new, outgoing(nothing, [f"!{DIRECTORY}"], None, [origin], keeps_minutes=True))
    new.topic.committed = dict(former.topic.committed)
    new.topic.key_records = [KeyRecord(customer, number, at, wrapped)
                             for at, (customer, number, wrapped) in enumerate(former.topic.keys)]  # fmt: skip
    new.topic.minute = former.topic.minute
    log.close()


def put(new: Simulation, one: Outgoing) -> None:
    messages = new.topic.log[one.partition]
    at, minute = len(messages), new.topic.minute
    messages.append(Incoming(one.partition, at, minute, one.value, dict(one.headers)))


def of_index(client: redis.Redis) -> dict[bytes, Any]:
    """Return what the index says of customers and rows, but for places in the topic."""
    found: dict[bytes, Any] = {}
    for key in client.scan_iter("*"):
        kind = key.partition(b"}:")[2].partition(b":")[0]
        if kind == b"row":
            entry: Any = client.get(key)
            found[key] = entry[:56] + entry[64:]  # but for the step
        elif kind in (b"ref", b"parked", b"strong"):
            found[key] = client.get(key)
        elif kind in (b"of", b"key"):
            found[key] = client.hgetall(key)
        elif kind == b"former":
            found[key] = client.smembers(key)
    return {key: value for key, value in found.items() if value}


@pytest.mark.parametrize(("before", "after"), [(4, 3), (2, 4), (1, 5)])
@pytest.mark.parametrize("most", [1, 100_000])
def test_lanes_go_on_in_another_number_of_partitions(
    client: redis.Redis, tmp_path: Path, before: int, after: int, most: int
) -> None:
    """Whatever the former workers went through; what comes later finds its rows, and those that wait."""
    shop, feed = small_shop(), Feed(7).write(120)
    former = Simulation(shop, feed, client, 7, before, pace=5).run(crashes=0.05, losses=0.02, moves=0.1)
    wanted = former.held(former.topic.minute, tmp_path / "before")
    new = Simulation(shop, feed, client, 8, after)
    move(former, new, tmp_path / "log", most)
    assert new.rows() == former.rows()
    got = new.held(former.topic.minute, tmp_path / "after")
    for name in ("metrics", "truth"):
        pd.testing.assert_frame_equal(got[name], wanted[name], obj=name)
    feed.write(80)
    new.run(crashes=0.05, losses=0.02, moves=0.1)
    assert new.rows() == embedded(shop, feed, tmp_path / "one")
    counted, here = held(shop, feed, tmp_path / "again", new.topic.minute), new.held(
        new.topic.minute, tmp_path / "later"
    )
    columns = [one for one in counted["metrics"].columns if not str(one).startswith("rfm")]
    pd.testing.assert_frame_equal(
        here["metrics"].reindex(counted["metrics"].index)[columns], counted["metrics"][columns]
    )


@pytest.mark.parametrize("seed", range(4))
def test_who_was_erased_stays_so(client: redis.Redis, tmp_path: Path, seed: int) -> None:
    """The index that is made of the new log is that of the former; later erasures find all that is theirs."""
    feed = Persons(seed).write(100)
    former = Erasures(feed, client, seed, 3).run(crashes=0.05, moves=0.05)
    assert former.counts["erased"]
    client.flushall()  # what was reserved and never written goes
    former.settle()
    there, rows = of_index(client), former.opened()
    new = Erasures(feed, client, seed + 100, 2, partitions=3)
    move(former, new, tmp_path / "log")
    new.settle()
    assert of_index(client) == there
    assert new.opened() == rows
    feed.write(60)
    new.run(crashes=0.05)
    new.settle()
    order = [*former.order, *new.order]
    with one_log(former.shop, feed, order, tmp_path / "one") as log:
        assert new.opened() == opened(log.vault, former.shop, [log.blocks(0)])
        assert new.references() == called(log)
