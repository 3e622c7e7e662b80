"""Effects read from their topics: a cursor stands behind each, and the bell rings for each commit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from console.cluster.effects import TopicEffects
from console.problems import Problem
from deploy.servers.places import Place
from tests.servers.topic_shop import PARTITIONS, Shop, new_shop
from tests.sinks.history_shop import START, decision, transition


@pytest.fixture
def shop(kafka: Place, name: str) -> Shop:
    return new_shop(kafka, name)


@pytest.fixture
def effects(shop: Shop) -> Iterator[TopicEffects]:
    made = TopicEffects(shop.bootstrap, shop.topics.shop)
    yield made
    made.close()


def fill(shop: Shop, first: int, count: int) -> None:
    """Let each partition have so many decisions and a change of a tag, and write all to the topics."""
    for number in range(PARTITIONS):
        held = [decision(number, seq, START + seq // 2) for seq in range(first, first + count)]
        held.append(transition(number, first + count, START))
        shop.outbox.effects[number] = [*shop.outbox.effects[number], *held]
        asyncio.run(shop.relayed(number))


def test_who_goes_on_behind_any_effect_gets_exactly_the_others(shop: Shop, effects: TopicEffects) -> None:
    """Whatever the size of the pages, and of one customer too."""
    fill(shop, 0, 4)
    whole, _ = effects.decisions(None, 1000, None)
    ids = [(one.decision.partition, one.decision.seq) for one in whole]
    assert sorted(ids) == [(number, seq) for number in range(PARTITIONS) for seq in range(4)]
    for place, one in enumerate(whole, start=1):
        rest, cursor = [], one.cursor
        while True:
            page, following = effects.decisions(cursor, 4, None)
            rest += [(each.decision.partition, each.decision.seq) for each in page]
            if following == cursor:
                break
            cursor = following
        assert sorted(rest) == sorted(ids[place:])
    customer = whole[0].decision.customer
    of_one = [one for one in whole if one.decision.customer == customer]
    first, _ = effects.decisions(None, 1, bytes.fromhex(customer))
    assert first[0].decision == of_one[0].decision
    rest_of_one, _ = effects.decisions(first[0].cursor, 1000, bytes.fromhex(customer))
    assert [one.decision for one in rest_of_one] == [one.decision for one in of_one[1:]]
    changes, _ = effects.tag_changes(None, 1000, None)
    behind, _ = effects.tag_changes(changes[0].cursor, 1000, None)
    assert [one.transition for one in behind] == [one.transition for one in changes[1:]]
    assert len(changes) == PARTITIONS


def test_a_cursor_that_the_topic_never_gave_is_gone(shop: Shop, effects: TopicEffects) -> None:
    fill(shop, 0, 1)
    with pytest.raises(Problem, match="cursor-gone"):
        effects.decisions(".".join(["0"] * (PARTITIONS - 1) + ["999999"]), 10, None)


def test_the_bell_rings_for_each_commit(shop: Shop, effects: TopicEffects) -> None:
    """Once it listens: what is read after a ring has all that was committed before it."""
    rung, ended = threading.Semaphore(0), threading.Event()
    listening = threading.Thread(target=effects.listen, args=(rung.release, lambda: not ended.is_set()))
    listening.start()
    try:
        assert rung.acquire(timeout=20)
        for turn in range(2):
            fill(shop, turn * 2, 1)
            assert rung.acquire(timeout=20)
    finally:
        ended.set()
        listening.join(20)
    assert not listening.is_alive()
