"""What an erasure leaves in the index stays so, whoever fills the index from the log, and whenever."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pytest
import redis

from streams.changes.wire import Incoming
from streams.message import Message
from streams.personal import vault
from streams.shared.asked import Filling, Writes
from streams.shared.claim import bring_up
from streams.shared.entries import pack, unpack
from streams.shared.erasing import Erasing
from streams.shared.index import Index, Lost, Still
from streams.shared.lanes import Batch, Lanes, Part
from tests.called import SECRET, hidden, id_of
from tests.shared.small_shop import START_MS, debezium, small_shop
from tests.shared.topic import Topic

MEMBERS, ORDERS, PARCELS = LANES = tuple(f"shop.public.{one}/0" for one in ("members", "orders", "parcels"))
PHONE = "phone:13800000001"


@pytest.fixture(autouse=True)
def keys_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """No two keys are the same: also not that of who was erased and comes again."""
    monkeypatch.setattr(vault, "fresh_key", lambda _: os.urandom(32))


class Scene:
    """Two lanes, whoever has them, and whoever erases, step by step."""

    def __init__(self, client: redis.Redis) -> None:
        self.shop = small_shop()
        self.client = client
        self.topic = Topic(4, START_MS // 60_000)
        self.index = Index(client, self.shop.settings.name)
        self.position = 1000
        self.offsets = dict.fromkeys(LANES, 0)
        self.is_backward = False

    def log(self, since: int | None = None) -> list[Incoming]:
        """Return all messages, each partition's in order."""
        partitions = self.topic.log[::-1] if self.is_backward else self.topic.log
        return [one for partition in partitions for one in partition]

    def lanes(self, owner: str, *names: str) -> Lanes:
        """Let somebody claim lanes; all where none is named."""
        index = Index(self.client, self.shop.settings.name, owner)
        made = Lanes(owner, index, self.shop, 4, SECRET, self.topic.recall)
        for name in names or LANES:
            standing = index.claim(name)
            committed = self.topic.claim(name, owner)
            made.own(name, bring_up(index, name, standing, committed, self.log, lambda: self.topic.keys))
        return made

    def message(self, lane: str, key: str, **values: Any) -> Message:
        """Return the next change of a row."""
        self.position += 10
        source = lane.rpartition(".")[2].partition("/")[0]
        body = {"before": None, "after": {"id": key, "at": START_MS, **values}, "op": "u"}
        return debezium(source, f"{lane}/{self.offsets[lane]}", key, body, self.position, START_MS)

    def take(self, lanes: Lanes, lane: str, message: Message, tell: bool = True) -> None:
        """Take a message in; tell: the index, too, which an owner that ends does not."""
        self.offsets[lane] += 1
        batch = lanes.take({lane: Part([message], self.offsets[lane])}, START_MS)
        offsets = self.topic.send(lanes.owner, batch)
        if tell:
            lanes.sent(offsets)

    def member(self, lanes: Lanes, number: str, tell: bool = True) -> None:
        self.take(lanes, MEMBERS, self.message(MEMBERS, number, phone=PHONE[6:], city="上海"), tell)

    def erase(self, number: str, tell: bool = True) -> None:
        """Erase a member; tell: the index, which one that ends behind its transaction does not."""
        lanes = self.lanes(f"eraser of {number}")
        whom = bytes.fromhex(id_of(f"member:{number}"))
        erasing = Erasing(lanes, whom, lambda partition, begin: self.topic.log[partition][begin:])
        made = erasing.take(START_MS)
        assert made is not None
        offsets = self.topic.send(lanes.owner, Batch(made.blocks, made.keys, [], {}))
        if tell:
            erasing.sent(offsets)

    def who(self, reference: str = PHONE) -> str | None:
        """Return whose a reference is."""
        [raw] = self.index.references([hidden(reference)])
        return None if raw is None else raw[1:17].hex()

    def parcels(self) -> list[set[bytes]]:
        """Return which parcels have an entry, and which of them wait."""
        places = [self.index.key(kind, "parcels", b"*") for kind in ("row", "parked")]
        return [set(self.client.scan_iter(one)) for one in places]

    def keys(self, number: str) -> int:
        """Return how many keys a member has in the index."""
        [held] = self.index.fields("key", [bytes.fromhex(id_of(f"member:{number}"))])
        return len(held)


@pytest.fixture
def scene(client: redis.Redis) -> Scene:
    return Scene(client)


def test_while_lanes_stand_still_nobody_else_claims_one(scene: Scene) -> None:
    holder = Index(scene.client, scene.shop.settings.name, "eraser")
    holder.stand_still(60_000)
    for attempt in (lambda: scene.index.claim(MEMBERS), lambda: scene.index.stand_still(1)):
        with pytest.raises(Still):
            attempt()
    holder.claim(MEMBERS)
    scene.index.go_on()  # it is not its own
    with pytest.raises(Still):
        scene.index.claim(MEMBERS)
    holder.go_on()
    scene.index.claim(MEMBERS)


def test_lanes_do_not_stand_still_for_longer_than_was_asked(scene: Scene) -> None:
    Index(scene.client, scene.shop.settings.name, "eraser").stand_still(60_000)
    key = scene.index.key("still")
    assert 0 < scene.client.pttl(key) <= 60_000
    scene.client.pexpire(key, 0)
    scene.index.claim(MEMBERS)


def test_an_epoch_does_not_come_again_though_the_store_forgets_it(scene: Scene) -> None:
    before = scene.index.claim(MEMBERS).epoch
    scene.client.flushall()
    assert scene.index.claim(MEMBERS).epoch > before


def test_one_who_erased_and_ended_is_made_good_by_whoever_claims_next(scene: Scene) -> None:
    scene.member(scene.lanes("one"), "M1")
    scene.erase("M1", tell=False)
    assert (scene.who(), scene.keys("M1"), scene.index.life()) == (id_of("member:M1"), 1, None)
    scene.lanes("two")
    assert (scene.who(), scene.keys("M1")) == (None, 0)


@pytest.mark.parametrize("is_backward", [False, True])
def test_a_reference_of_who_was_erased_is_its_next_ones_whatever_is_read_first(
    scene: Scene, is_backward: bool
) -> None:
    """The first one's partition of the log is the last, or the first."""
    scene.member(scene.lanes("one"), "M1")
    scene.erase("M1")
    assert scene.who() is None
    scene.member(scene.lanes("two"), "M2")
    assert scene.who() == id_of("member:M2")
    scene.client.flushall()
    scene.is_backward = is_backward
    scene.lanes("three")
    assert (scene.who(), scene.who("member:M1"), scene.keys("M1")) == (id_of("member:M2"), None, 0)


def test_who_comes_again_stays_when_a_batch_of_before_and_after_is_read_again(scene: Scene) -> None:
    """The owner of a lane ended behind its transaction; others are at work."""
    lanes = scene.lanes("one")
    scene.member(lanes, "M1")
    scene.erase("M1")
    lanes = scene.lanes("two")
    scene.member(lanes, "M1")
    order = scene.message(ORDERS, "O1", member="M1", amount=5, status="paid")
    scene.take(lanes, ORDERS, order, tell=False)
    whom = [bytes.fromhex(id_of("member:M1"))]
    held = [*scene.index.fields("key", whom), *scene.index.fields("of", whom)]
    writes = list[Any]()
    fill = Index.fill

    def watched(index: Index, filling: Filling, filled: Writes) -> list[int]:
        writes.extend(filled.fields[2::3])
        return fill(index, filling, filled)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Index, "fill", watched)
        scene.lanes("three", ORDERS)
    assert [*scene.index.fields("key", whom), *scene.index.fields("of", whom)] == held
    assert scene.who() == whom[0].hex()
    assert set(writes) == {text for fields in held for text in fields.values()}, "nothing older came by"
    [row] = scene.index.get("row", "orders", list(orders(scene)))
    assert unpack([row or b""])[0, 2] == 1


def orders(scene: Scene) -> Iterator[bytes]:
    prefix = scene.index.key("row", "orders", b"")
    for key in scene.client.scan_iter(prefix + b"*"):
        yield key[len(prefix) :]


@pytest.mark.parametrize("tell", [True, False])
def test_who_fills_the_index_from_a_log_without_the_erasure_is_refused(scene: Scene, tell: bool) -> None:
    """A claim that has read the log is overtaken by one who erases, and may end behind its transaction."""
    scene.member(scene.lanes("one"), "M1")
    scene.client.flushall()
    standing = scene.index.claim(MEMBERS)
    committed = scene.topic.claim(MEMBERS, "slow")

    def read(_: int | None) -> Iterable[Incoming]:
        found = scene.log()
        scene.erase("M1", tell)
        return found

    keys = scene.topic.keys
    with pytest.raises(Lost):
        bring_up(scene.index, MEMBERS, standing, committed, read, lambda: keys)
    scene.lanes("two")
    assert (scene.who(), scene.keys("M1")) == (None, 0)


def test_who_fills_an_index_that_has_come_to_life_meanwhile_is_refused(scene: Scene) -> None:
    """Others are at work in it: nothing older may come by."""
    scene.member(scene.lanes("one"), "M1")
    scene.client.flushall()
    standing = scene.index.claim(MEMBERS)
    committed = scene.topic.claim(MEMBERS, "slow")

    def read(_: int | None) -> Iterable[Incoming]:
        scene.lanes("fast", ORDERS)
        return scene.log()

    with pytest.raises(Lost, match="other life"):
        bring_up(scene.index, MEMBERS, standing, committed, read, lambda: scene.topic.keys)


def test_what_is_nobodys_stays_so_whatever_else_says_so_of_the_same_position(scene: Scene) -> None:
    standing = scene.index.claim(MEMBERS)
    row = np.array([[7, 8, 1, 5, 0, 1010, 3, 4096, 0, 0]], dtype=np.int64)
    gone = row.copy()
    gone[0, [0, 1, 2, 3, 7]] = 0, 0, 0, 0, -1
    key, filling = scene.index.key("row", "members", bytes(16)), Filling(MEMBERS, standing.epoch, "")
    for entry, held in ((row, row), (gone, gone), (row, gone)):
        scene.index.fill(filling, Writes(newer=[key, pack(entry)[0]]))
        assert scene.client.get(key) == pack(held)[0]
    row[0, 5] += 1
    scene.index.fill(filling, Writes(newer=[key, pack(row)[0]]))
    assert scene.client.get(key) == pack(row)[0]


def test_who_is_not_found_because_the_store_was_emptied_is_no_less_to_be_erased(scene: Scene) -> None:
    """The store was whole when lanes were claimed: nobody is said to be unknown."""
    scene.member(scene.lanes("one"), "M1")
    lanes = scene.lanes("eraser")
    whom = bytes.fromhex(id_of("member:M1"))
    erasing = Erasing(lanes, whom, lambda partition, begin: scene.topic.log[partition][begin:])
    scene.client.flushall()
    with pytest.raises(Lost):
        erasing.take(START_MS)
    scene.erase("M1")
    assert (scene.who(), scene.keys("M1")) == (None, 0)


def parcels_once_erased(scene: Scene) -> list[int]:
    """Erase M1; return how many parcels the index has and how many wait, the same when it is made anew."""
    scene.erase("M1")
    held = scene.parcels()
    scene.client.flushall()
    scene.lanes("two")
    assert scene.parcels() == held
    return [len(one) for one in held]


def test_a_row_that_waited_for_its_parent_before_it_was_erased_waits_no_more(scene: Scene) -> None:
    """The log says that it waited, and where; the index that is made from it says that it is nobody's."""
    lanes = scene.lanes("one")
    scene.take(lanes, PARCELS, scene.message(PARCELS, "P1", order="O1", weight=1, carrier="SF"))
    scene.take(lanes, ORDERS, scene.message(ORDERS, "O1", member="M1", amount=5, status="paid"))
    assert parcels_once_erased(scene) == [1, 0]


def test_a_row_that_waits_again_when_its_customer_is_erased_goes_on_waiting(scene: Scene) -> None:
    """It was theirs, and is nobody's until its order is there."""
    lanes = scene.lanes("one")
    scene.take(lanes, ORDERS, scene.message(ORDERS, "O1", member="M1", amount=5, status="paid"))
    scene.take(lanes, PARCELS, scene.message(PARCELS, "P1", order="O1", weight=1, carrier="SF"))
    scene.take(lanes, PARCELS, scene.message(PARCELS, "P1", order="O2", weight=1, carrier="SF"))
    assert parcels_once_erased(scene) == [1, 1]


def test_an_erasure_that_an_index_with_a_life_lacks_lets_it_be_made_anew(scene: Scene) -> None:
    """It cannot be; were it so, the whole log is read."""
    scene.member(scene.lanes("one"), "M1")
    scene.erase("M1", tell=False)
    lane, standing = ORDERS, scene.index.claim(ORDERS)
    scene.index.begin_life(Filling(lane, standing.epoch, ""))
    with pytest.raises(Lost, match="lacks an erasure"):
        bring_up(scene.index, lane, standing, 7, scene.log, lambda: scene.topic.keys)
    scene.lanes("two")
    assert (scene.who(), scene.keys("M1")) == (None, 0)
