"""Effects by cursor from a real store's outbox: in order, each once, and gone is said to be gone."""

from __future__ import annotations

import msgspec
import pytest
import redis

from console.cluster.effects import OutboxEffects
from console.problems import Problem
from deploy.servers.places import Place
from engine.outcome import Decision, Transition
from sinks.store.store import Commit, Page, Store
from streams.identity.partition import id_pairs, partitions_of

PARTITIONS = 2
SOMEBODY = bytes(range(16))
HOME = int(partitions_of(*id_pairs([SOMEBODY]), PARTITIONS)[0])


@pytest.fixture
def outbox(store: Place, name: str) -> Store:
    """Partition 0 has effects 0 to 9, two a minute, partition 1 has 0 to 4, one a minute; each third is a
    decision."""
    made = Store(redis.Redis.from_url(f"redis://:{store.password}@{store.address}/0"), name)
    for partition, (count, each) in enumerate([(10, 2), (5, 1)]):
        made.claim(partition)
        for first in range(0, count, 3):
            numbers = range(first, min(first + 3, count))
            effects = [effect(partition, seq, 100 + seq // each) for seq in numbers]
            page = Page(first, effects[-1].seq, 1, msgspec.json.encode(effects))
            fields: dict[str, str | int] = {"effects": effects[-1].seq + 1, "step": first, "clock": 100}
            made.commit(partition, Commit(f"{first + 1}:0", fields, [page], []))
    return made


def effect(partition: int, seq: int, minute: int) -> Decision | Transition:
    whose = SOMEBODY.hex() if partition == HOME and seq % 2 else f"{seq:032x}"
    if seq % 3 == 0:
        cause = {"minute": minute}
        return Decision(f"d{partition}.{seq}", partition, seq, minute, whose, "t", "v", "act", "none", "live",
                        cause, {}, {}, seq)  # fmt: skip
    return Transition(partition, seq, minute, whose, "vip", "enter", "live", seq=seq)


def all_of(
    effects: OutboxEffects, limit: int, cursor: str | None, customer: bytes | None = None
) -> list[str]:
    found = []
    while True:
        page, after = effects.tag_changes(cursor, limit, customer)
        assert len(page) <= limit
        found += [f"{one.partition}.{one.seq}" for one in page]
        if after == cursor:
            return found
        cursor = after


def in_order(partition: int) -> list[str]:
    return [f"{partition}.{seq}" for seq in range((10, 5)[partition]) if seq % 3]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_each_comes_once_and_in_the_order_of_its_partition_whatever_the_pages(
    outbox: Store, limit: int
) -> None:
    effects = OutboxEffects(outbox, PARTITIONS)
    for cursor in (None, "0", "0.0"):
        found = all_of(effects, limit, cursor)
        for partition in range(PARTITIONS):
            assert [one for one in found if one.startswith(f"{partition}.")] == in_order(partition)
    made, after = effects.decisions("0", 100, None)
    ids = ["d0.0", "d1.0", "d0.3", "d0.6", "d1.3", "d0.9"]
    assert [one.decision.id for one in made] == ids  # by minute, then by partition
    assert after == "10.5"


def test_of_one_customer_only_that_partition_is_read(outbox: Store) -> None:
    effects = OutboxEffects(outbox, PARTITIONS)
    found = all_of(effects, 1, "0", SOMEBODY)
    assert found == [one for one in in_order(HOME) if int(one.partition(".")[2]) % 2]


def test_a_cursor_before_what_was_dropped_is_gone_and_none_begins_behind_it(outbox: Store) -> None:
    effects = OutboxEffects(outbox, PARTITIONS)
    outbox.trim(0, 6)
    with pytest.raises(Problem) as gone:
        effects.tag_changes("5.0", 10, None)
    assert (gone.value.kind, gone.value.status) == ("cursor-gone", 410)
    assert all_of(effects, 10, "6.0") == all_of(effects, 10, None) != []
    outbox.trim(1, 5)
    with pytest.raises(Problem):
        effects.tag_changes("6.4", 10, None)
    assert effects.tag_changes("10.5", 10, None) == ([], "10.5")


@pytest.mark.parametrize("cursor", ["1", "1.2.3", "1.", "..", "1." + "9" * 19])
def test_what_is_no_cursor_of_this_shop_is_said_to_be_none(outbox: Store, cursor: str) -> None:
    with pytest.raises(Problem) as wrong:
        OutboxEffects(outbox, PARTITIONS).decisions(cursor, 10, None)
    assert wrong.value.kind == "invalid-request"
