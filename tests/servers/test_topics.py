"""Effects in Kafka topics: exactly once for readers of what is committed, in order, whatever is killed."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from deploy.servers.places import Place
from sinks.topics.cursor import cursor_key, cursor_value, read_cursor
from sinks.topics.errors import Away, Fenced
from sinks.topics.names import make_topics, topics_of
from sinks.topics.relay import TopicRelay
from streams.errors import InputError
from tests.servers.topic_reader import in_order, places
from tests.servers.topic_shop import PARTITIONS, Shop, new_shop, run
from tests.sinks.history_shop import decision, transition

ROOT = Path(__file__).resolve().parents[2]
MOMENTS = ("begun", "half sent", "sent", "committed")


@pytest.fixture
def shop(kafka: Place, name: str) -> Shop:
    return new_shop(kafka, name)


def test_each_effect_is_in_its_topic_once_and_a_customers_are_in_order(shop: Shop) -> None:
    for number in range(PARTITIONS):
        shop.outbox.add(number, 150)

    async def work() -> None:
        for number in range(PARTITIONS):
            assert await shop.relayed(number, most=40) == 150
        messages = await shop.seen()
        assert places(messages) == shop.all_places()
        assert in_order(messages)
        assert {one.topic for one in messages if "trigger" in one.body} == {shop.topics.decisions}
        assert {one.topic for one in messages if "what" in one.body} == {shop.topics.tag_changes}
        assert all(one.key == one.body["customer"] for one in messages)
        assert len({(one.topic, one.key, one.partition) for one in messages}) == 14  # of 7 customers

    run(work)


def test_a_message_is_a_cloudevent_whose_value_is_the_effect(shop: Shop) -> None:
    shop.outbox.effects[2] = [
        transition(2, 0, change="segment", before=None, after="铂金", values={"sum(orders.amount)": 500}),
        decision(2, 1, outcome="contradicted"),
    ]

    async def work() -> None:
        await shop.relayed(2)
        moved, made = await shop.seen()
        assert moved.body == json.loads(json.dumps(shop.outbox.effects[2][0]))
        assert made.body == shop.outbox.effects[2][1]
        assert moved.headers == {
            "ce_specversion": "1.0", "ce_id": "2-0", "ce_source": f"/tintype/{shop.topics.shop}",
            "ce_type": "tintype.tag-change.segment", "ce_subject": "0" * 32,
            "ce_time": "2026-02-28T12:00:00Z", "content-type": "application/json",
        }  # fmt: skip
        assert (made.headers["ce_id"], made.headers["ce_type"]) == ("2-1", "tintype.decision.contradicted")

    run(work)


def test_a_relay_goes_on_where_the_one_before_it_came(shop: Shop) -> None:
    async def work() -> None:
        for turn in range(3):
            shop.outbox.add(1, 30)
            relay = shop.relay()
            await relay.start()
            assert relay.drained == 30 * turn
            assert [await relay.step(), await relay.step()] == [30, 0]
            assert relay.drained == 30 * (turn + 1)
            await relay.stop()
        assert places(await shop.seen()) == shop.all_places()

    run(work)


def test_the_outbox_of_a_worker_may_number_its_partitions_otherwise(shop: Shop) -> None:
    shop.outbox.add(0, 12)

    async def work() -> None:
        assert await shop.relayed(2, place=0) == 12
        assert places(await shop.seen()) == [(2, seq) for seq in range(12)]

    run(work)


def killed(shop: Shop, effects: int, moment: str, turn: int, after: float = 0.0) -> bool:
    """Run a relay in a process that dies at a moment; say whether it had not come to an end."""
    words = [shop.bootstrap, shop.topics.shop, "1", str(effects), moment, str(turn)]
    command = [sys.executable, "-m", "tests.servers.topic_writer", *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        if not moment:
            child.stdout.readline()
            time.sleep(after)  # the moment is the point, not what is true by then
            child.kill()
        return child.wait(120) == -signal.SIGKILL


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_relay_killed_between_any_two_steps_leaves_nothing_missing_and_nothing_twice(
    shop: Shop, moment: str
) -> None:
    for turn in (1, 2):
        assert killed(shop, 200, moment, turn)
    shop.outbox.add(1, 230)

    async def work() -> None:
        before = places(await shop.seen())
        assert before == [(1, seq) for seq in range(len(before))]
        assert len(before) == {"committed": 120}.get(moment, 40)
        assert await shop.relayed(most=70) == 230 - len(before)
        messages = await shop.seen()
        assert places(messages) == shop.all_places()
        assert in_order(messages)

    run(work)


@pytest.mark.slow
def test_a_relay_killed_at_any_moment_leaves_nothing_missing_and_nothing_twice(shop: Shop) -> None:
    moment = random.Random(20261128)
    kills = 0
    for _ in range(16):
        kills += killed(shop, 20_000, "", 0, moment.uniform(0, 0.15))
    assert kills >= 8
    shop.outbox.add(1, 20_000)

    async def work() -> None:
        await shop.relayed()
        messages = await shop.seen()
        assert places(messages) == shop.all_places()
        assert in_order(messages)

    run(work)


def test_a_former_owner_is_fenced_off_and_what_it_had_begun_is_not_seen(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has sent its effects, and sleeps; the new owner begins; it wakes up and wants to commit."""
    shop.outbox.add(1, 50)
    asleep, awake = asyncio.Event(), asyncio.Event()
    commit = AIOKafkaProducer.commit_transaction

    async def sleeping(producer: AIOKafkaProducer) -> None:
        if not asleep.is_set():
            asleep.set()
            await awake.wait()
        await commit(producer)

    monkeypatch.setattr(AIOKafkaProducer, "commit_transaction", sleeping)

    async def work() -> None:
        old, new = shop.relay(most=10), shop.relay(most=20)
        await old.start()
        stepping = asyncio.create_task(old.step())
        await asleep.wait()
        await new.start()
        assert new.drained == 0
        assert await new.step() == 20
        awake.set()
        with pytest.raises(Fenced):
            await stepping
        with pytest.raises(RuntimeError, match="not started"):  # it must not fence the new one in its turn
            await old.step()
        assert await new.step() == 20
        await new.stop()
        assert places(await shop.seen()) == [(1, seq) for seq in range(40)]

    run(work)


def test_a_former_owner_that_had_not_begun_is_fenced_off(shop: Shop) -> None:
    shop.outbox.add(1, 30)

    unheard: list[Any] = []

    async def work() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, told: unheard.append(told))
        old, new = shop.relay(), shop.relay()
        await old.start()
        await new.start()
        assert await new.step() == 30
        shop.outbox.add(1, 10)
        with pytest.raises(Fenced):
            await old.step()
        assert await new.step() == 10
        await new.stop()
        assert places(await shop.seen()) == shop.all_places()
        del old
        gc.collect()
        assert unheard == []  # errors that asyncio would print with their stacks

    run(work)


def test_the_cursor_is_read_when_nobody_else_can_move_it_any_more(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A former owner that commits between the two would have its effects written again."""
    shop.outbox.add(1, 30)
    outcomes: list[BaseException | int] = []

    async def work() -> None:
        old, new = shop.relay(), shop.relay()
        await old.start()

        async def interrupted(*words: Any) -> dict[str, int]:
            found = await read_cursor(*words)
            outcomes.extend(await asyncio.gather(old.step(), return_exceptions=True))
            return found

        with monkeypatch.context() as patched:
            patched.setattr("sinks.topics.relay.read_cursor", interrupted)
            await new.start()
        assert await new.step() == 30
        await new.stop()
        assert places(await shop.seen()) == shop.all_places()
        assert [type(one) for one in outcomes] == [Fenced]

    run(work)


def test_relays_of_several_partitions_do_not_fence_each_other(shop: Shop) -> None:
    for number in range(PARTITIONS):
        shop.outbox.add(number, 200)

    async def work() -> None:
        done = await asyncio.gather(*(shop.relayed(number, most=30) for number in range(PARTITIONS)))
        assert done == [200] * PARTITIONS
        messages = await shop.seen()
        assert places(messages) == shop.all_places()
        assert in_order(messages)

    run(work)


def test_an_effect_that_is_missing_is_told_and_nothing_behind_it_is_written(shop: Shop) -> None:
    """P3: a consumer sees a gap."""
    shop.outbox.add(1, 20)
    del shop.outbox.effects[1][:5]

    async def work() -> None:
        with pytest.raises(
            InputError, match="of partition 1, effect 0 is neither here nor in the outbox, which goes on at 5"
        ):
            await shop.relayed()
        assert await shop.seen() == []

    run(work)


def test_an_outbox_that_was_set_back_is_waited_for(shop: Shop) -> None:
    """P5: the store may lose its last second, and a replay fills it again with the same effects."""
    shop.outbox.add(1, 20)

    async def work() -> None:
        assert await shop.relayed() == 20
        del shop.outbox.effects[1][15:]
        assert await shop.relayed() == 0
        shop.outbox.add(1, 10)
        assert await shop.relayed() == 5
        assert places(await shop.seen()) == shop.all_places()

    run(work)


def test_a_topic_that_is_behind_the_other_gets_what_it_lacks(shop: Shop) -> None:
    shop.outbox.add(1, 20)

    async def work() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=shop.bootstrap)
        await producer.start()
        await producer.send_and_wait(
            shop.topics.drained, cursor_value(9), cursor_key(1, "tag-changes"), partition=1
        )
        await producer.stop()
        assert await shop.relayed() == 20
        found = [(one.topic, one.body["seq"]) for one in await shop.seen()]
        decisions = [(shop.topics.decisions, seq) for seq in range(0, 20, 5)]
        tag_changes = [(shop.topics.tag_changes, seq) for seq in range(10, 20) if seq % 5]
        assert sorted(found) == decisions + tag_changes

    run(work)


def test_the_cursor_is_found_far_from_the_end_and_not_in_what_was_aborted(shop: Shop) -> None:
    async def work() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=shop.bootstrap, transactional_id=shop.topics.shop)
        await producer.start()
        for commit, messages in ((True, {b"1/decisions": 7}), (True, {b"1/tag-changes": 8}),
                                 (True, {f"2/{n}".encode(): n for n in range(3000)}),
                                 (False, {b"1/decisions": 99, b"1/tag-changes": 99})):  # fmt: skip
            await producer.begin_transaction()
            for key, seq in messages.items():
                await producer.send(shop.topics.drained, cursor_value(seq), key, partition=1)
            await (producer.commit_transaction() if commit else producer.abort_transaction())
        await producer.stop()
        kinds = list(shop.topics.of_effects)
        found = await read_cursor(shop.bootstrap, shop.topics.drained, 1, kinds)
        assert found == {"decisions": 7, "tag-changes": 8}
        assert await read_cursor(shop.bootstrap, shop.topics.drained, 0, kinds) == dict.fromkeys(kinds, -1)

    run(work)


def test_brokers_that_do_not_answer_are_away(shop: Shop, free_address: str) -> None:
    async def work() -> None:
        with pytest.raises(Away, match="Kafka does not take effects"):
            await TopicRelay(free_address, shop.topics, 1, shop.outbox).start()

    run(work)


def test_a_shop_with_more_partitions_than_its_topic_is_told(shop: Shop) -> None:
    async def work() -> None:
        with pytest.raises(InputError, match=r"it has 3 partitions, none of number 3"):
            await shop.relay(3).start()

    run(work)


def test_topics_that_are_there_are_left_as_they_are(shop: Shop) -> None:
    assert make_topics(shop.bootstrap, shop.topics, 9) == []


def test_a_shop_of_any_name_has_topics_of_its_own() -> None:
    """What a topic's name may not hold is written in hex digits: two shops never share one."""
    names = ["店", "a b", "a/b", "a-b", "ab"]
    assert len({topics_of(name).decisions for name in names}) == len(names)
    assert topics_of("店").decisions == "tintype.-e5-ba-97.decisions"
