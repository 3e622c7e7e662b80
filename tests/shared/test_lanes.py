"""Lanes that work at the same time, end at any step and lose the index come to what one log comes to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from streams.message import Message
from streams.shared import scripts
from streams.shared.asked import Standing
from streams.shared.claim import bring_up
from streams.shared.index import Index, Lost
from streams.shared.lanes import Lanes, Part
from tests.called import SECRET
from tests.laws.effort import LONG
from tests.shared.simulation import Simulation, embedded, rows_of
from tests.shared.small_shop import START_MS, Feed, debezium, small_shop
from tests.shared.topic import Topic

SEEDS = 2500 if LONG else 30  # of each of the four kinds
CHANGES = 20


def differing(
    client: redis.Redis, folder: Path, seeds: range, crashes: float, losses: float, moves: float = 0.1
) -> Iterator[int]:
    """Yield the seeds whose lanes come to something else than one log."""
    for seed in seeds:
        client.flushall()
        shop, feed = small_shop(), Feed(seed, lanes=1).write(CHANGES)
        simulation = Simulation(shop, feed, client, seed).run(crashes, losses, moves)
        if simulation.rows() != embedded(shop, feed, folder / str(seed)):
            yield seed


@pytest.mark.parametrize(("crashes", "losses"), [(0, 0), (0.1, 0), (0, 0.02), (0.2, 0.03)])
def test_whatever_interleaves_ends_or_is_lost_the_log_says_the_same(
    client: redis.Redis, tmp_path: Path, crashes: float, losses: float
) -> None:
    """A seed that fails is printed, and fails again."""
    first = int(1000 * (crashes + 10 * losses))
    assert list(differing(client, tmp_path, range(first, first + SEEDS), crashes, losses)) == []


def test_without_the_marks_some_seed_fails(
    client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows under each other that two lanes write at once: the test above would see it."""
    reserve = scripts.RESERVE.replace("for i = 1, #marks do\n  local there", "for i = 1, 0 do\n  local there")
    assert reserve != scripts.RESERVE
    monkeypatch.setattr(scripts, "RESERVE", reserve)
    assert any(True for _ in differing(client, tmp_path, range(60), 0, 0))


def test_without_comparing_what_was_seen_some_seed_fails(
    client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that goes on although what it looked up has changed."""
    reserve = scripts.RESERVE.replace("for i = 1, #rows, 2 do", "for i = 1, 0 do")
    assert reserve != scripts.RESERVE
    monkeypatch.setattr(scripts, "RESERVE", reserve)
    assert any(True for _ in differing(client, tmp_path, range(60), 0, 0))


def test_without_recovering_the_index_some_seed_fails(
    client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An owner that ended between log and index, whose successor goes on as if nothing were missing."""
    monkeypatch.setattr(Index, "fill", lambda *_: [])
    assert any(True for _ in differing(client, tmp_path, range(60), 0.2, 0))


class Scene:
    """Two lanes of orders and one of parcels, and owners of them, step by step."""

    names = ("shop.public.orders/0", "shop.public.orders/1", "shop.public.parcels/0")

    def __init__(self, client: redis.Redis) -> None:
        self.shop = small_shop()
        self.topic = Topic(4, START_MS // 60_000)
        self.index = Index(client, self.shop.settings.name)

    def owner(self, owner: str, *lanes: str) -> Lanes:
        """Let somebody claim lanes."""
        made = Lanes(owner, self.index, self.shop, 4, SECRET, self.topic.recall)
        for name in lanes:
            made.own(name, self.bring_up(name, self.index.claim(name), self.topic.claim(name, owner)))
        return made

    def bring_up(self, name: str, standing: Standing, committed: int) -> Standing:
        """End a claim."""
        log = [one for partition in self.topic.log for one in partition]
        return bring_up(self.index, name, standing, committed, lambda _: log, lambda: self.topic.keys)

    def marks(self) -> int:
        """Return how many rows are marked."""
        return len(list(self.index.client.scan_iter("*:mark:*")))


def order(name: str, key: str, amount: int, lsn: int, snapshot: str = "false") -> Message:
    row = {"id": key, "at": START_MS, "member": "M1", "amount": amount, "status": "paid"}
    body = {"before": None, "after": row, "op": "u" if snapshot == "false" else "r"}
    return debezium("orders", f"{name}/{lsn}", key, body, lsn, START_MS, snapshot)


def parcel(name: str, key: str, parent: str, lsn: int) -> Message:
    row = {"id": key, "at": START_MS, "order": parent, "weight": 1, "carrier": "SF"}
    return debezium("parcels", f"{name}/{lsn}", key, {"before": None, "after": row, "op": "c"}, lsn, START_MS)


def test_marks_of_a_batch_stay_until_one_of_its_own_lanes_is_claimed(client: redis.Redis) -> None:
    """Its owner had other lanes before: that those went to others does not say what became of this batch."""
    scene = Scene(client)
    orders, _, parcels = scene.names
    one = scene.owner("one", orders, parcels)
    batch = one.take({orders: Part([order(orders, "O1", 5, 2000)], 1)}, START_MS)
    one.sent(scene.topic.send("one", batch))
    scene.topic.send("one", one.take({parcels: Part([parcel(parcels, "P1", "O1", 3000)], 1)}, START_MS))
    assert scene.marks() > 0
    scene.owner("two", orders)
    assert scene.marks() > 0
    scene.owner("three", parcels)
    assert scene.marks() == 0


def test_a_claim_that_another_one_overtook_undoes_nothing(client: redis.Redis) -> None:
    """It began before and ends behind: what the other has marked since stays, and it has the lane no more."""
    scene = Scene(client)
    _, _, parcels = scene.names
    slow = scene.index.claim(parcels)
    committed = scene.topic.claim(parcels, "slow")
    fast = scene.owner("fast", parcels)
    fast.take({parcels: Part([parcel(parcels, "P1", "O1", 3000)], 1)}, START_MS)
    marks = scene.marks()
    assert marks > 0
    with pytest.raises(Lost):
        scene.bring_up(parcels, slow, committed)
    assert scene.marks() == marks


def test_a_row_without_a_position_takes_the_last_of_its_own_lane(client: redis.Redis) -> None:
    """A snapshot's row in one lane, behind changes of another that stand much later: what follows counts."""
    scene = Scene(client)
    here, there, _ = scene.names
    lanes = scene.owner("one", here, there)
    for rows in (
        {there: order(there, "O2", 1, 9000), here: order(here, "O1", 5, 2000, "incremental")},
        {here: order(here, "O1", 7, 3000)},
    ):
        batch = lanes.take({name: Part([one], 10) for name, one in rows.items()}, START_MS)
        lanes.sent(scene.topic.send("one", batch))
    blocks = [[one.block(0, -1) for one in partition] for partition in scene.topic.log]
    assert "('amount', 7" in " ".join(place[3] for place in rows_of(blocks))
