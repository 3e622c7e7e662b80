"""Customers' inboxes in a real store: put once, read, marked, bounded, over in time, emptied."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from sinks.inbox.inbox import Inboxes
from sinks.inbox.message import InboxMessage, Shown
from sinks.inbox.names import inbox_key, news_channel
from sinks.inbox.paging import Order, page
from sinks.inbox.putting import Putting
from sinks.store.server import EmbeddedServer

NOW = 1_900_000_000.0  # ahead of the server's own clock: keys must not end while the tests run
DAY = 86_400
WHO, OTHER = bytes(16), bytes(15) + b"\x01"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    running = EmbeddedServer(tmp_path_factory.mktemp("inbox"))
    yield running.client
    running.stop()


@pytest.fixture
def client(server: redis.Redis) -> redis.Redis:
    server.flushall()
    return server


@pytest.fixture
def inboxes(client: redis.Redis) -> Inboxes:
    return Inboxes(client, "tea", 4)


def put(inboxes: Inboxes, number: int, after: float = 0, **more: Any) -> bool:
    return inboxes.put(WHO, f"{number:032x}", Shown("谢谢", f"第 {number} 条"), NOW + after, **more)


def numbers(messages: list[InboxMessage]) -> list[int]:
    return [int(one.id, 16) for one in messages]


def seen(inboxes: Inboxes, after: float = 0) -> list[int]:
    return sorted(numbers(inboxes.read(WHO, NOW + after).visible))


def test_an_inbox_that_never_was_is_empty(inboxes: Inboxes) -> None:
    found = inboxes.read(WHO, NOW)
    assert (found.change, found.visible, found.unread) == (0, [], 0)
    assert not inboxes.erase(WHO)


def test_the_same_id_twice_is_one_message_as_it_was_first(inboxes: Inboxes) -> None:
    assert put(inboxes, 1)
    inboxes.mark(WHO, "read", NOW)
    assert not put(inboxes, 1, 5, priority=3)
    [one] = inboxes.read(WHO, NOW + 6).visible
    assert (one.priority, one.created, one.read) == (0, int(NOW * 1000), int(NOW * 1000))


def test_a_dismissed_message_does_not_come_back_with_its_id(inboxes: Inboxes) -> None:
    put(inboxes, 1)
    inboxes.mark(WHO, "dismissed", NOW, [f"{1:032x}"])
    assert not put(inboxes, 1)
    assert seen(inboxes) == []


def test_marks_count_once_and_keep_their_first_time(inboxes: Inboxes) -> None:
    for number in range(3):
        put(inboxes, number)
    assert inboxes.read(WHO, NOW).unread == 3
    one = [f"{1:032x}"]
    marked = [inboxes.mark(WHO, "read", NOW + at, one) for at in (1, 2)]
    assert [(mark.found, mark.changed) for mark in marked] == [(1, 1), (1, 0)]
    found = inboxes.read(WHO, NOW)
    assert [message.read for message in found.visible if message.id == one[0]] == [int((NOW + 1) * 1000)]
    assert found.unread == 2
    assert inboxes.mark(WHO, "read", NOW + 3).changed == 2
    assert inboxes.read(WHO, NOW).unread == 0


def test_dismissing_an_unread_message_reads_it(inboxes: Inboxes) -> None:
    put(inboxes, 1)
    put(inboxes, 2)
    assert inboxes.mark(WHO, "dismissed", NOW, [f"{2:032x}"]).changed == 1
    found = inboxes.read(WHO, NOW)
    assert (numbers(found.visible), found.unread) == ([1], 1)
    assert [one.read > 0 for one in found.messages if one.dismissed] == [True]


def test_an_unknown_message_is_not_made_by_marking_it(client: redis.Redis, inboxes: Inboxes) -> None:
    assert inboxes.mark(WHO, "read", NOW, ["f" * 32]).found == 0
    assert inboxes.mark(WHO, "dismissed", NOW, ["f" * 32]).found == 0
    assert inboxes.mark(WHO, "read", NOW).found == 0
    assert client.keys("*") == []


def test_the_number_of_the_last_change_cannot_be_marked(inboxes: Inboxes) -> None:
    put(inboxes, 1)
    assert inboxes.mark(WHO, "read", NOW, ["#"]).found == 0
    assert inboxes.read(WHO, NOW).change == int(NOW * 1000)


def test_what_is_over_vanishes_from_list_and_count_and_cannot_be_marked(inboxes: Inboxes) -> None:
    put(inboxes, 1)
    put(inboxes, 2, DAY)
    over = 30 * DAY
    assert seen(inboxes, over - 0.001) == [1, 2]
    assert seen(inboxes, over) == [2]
    assert inboxes.read(WHO, NOW + over).unread == 1
    assert inboxes.mark(WHO, "read", NOW + over, [f"{1:032x}"]).found == 0


def test_the_key_lives_as_long_as_its_last_message(client: redis.Redis, inboxes: Inboxes) -> None:
    key = inbox_key("tea", 4, WHO)
    put(inboxes, 1, DAY)
    assert client.pexpiretime(key) == int((NOW + 31 * DAY) * 1000)
    put(inboxes, 2)  # a clock a day behind
    assert client.pexpiretime(key) == int((NOW + 31 * DAY) * 1000)
    put(inboxes, 3, 2 * DAY)
    assert client.pexpiretime(key) == int((NOW + 32 * DAY) * 1000)
    inboxes.mark(WHO, "read", NOW)
    assert client.pexpiretime(key) == int((NOW + 32 * DAY) * 1000)


def test_a_full_inbox_loses_what_is_over_then_dismissed_then_read_then_the_oldest(inboxes: Inboxes) -> None:
    small = Putting("tea", 4, most=3, keep_seconds=DAY)
    brief = Putting("tea", 4, most=3, keep_seconds=10)
    put(inboxes, 0, putting=brief)
    for number in (1, 2):
        put(inboxes, number, number, putting=small)
    put(inboxes, 3, 20, putting=small)
    assert seen(inboxes, 20) == [1, 2, 3]  # 0 was over
    inboxes.mark(WHO, "dismissed", NOW + 21, [f"{3:032x}"])
    inboxes.mark(WHO, "read", NOW + 21, [f"{2:032x}"])
    put(inboxes, 4, 30, putting=small)
    assert sorted(numbers(list(inboxes.read(WHO, NOW + 30).messages))) == [1, 2, 4]  # 3 was dismissed
    put(inboxes, 5, 31, putting=small)
    assert seen(inboxes, 31) == [1, 4, 5]  # 2 was read
    put(inboxes, 6, 32, putting=small)
    assert seen(inboxes, 32) == [4, 5, 6]  # 1 was the oldest


def test_a_smaller_bound_is_kept_from_the_next_message_on(inboxes: Inboxes) -> None:
    for number in range(10):
        put(inboxes, number, number)
    put(inboxes, 10, 10, putting=Putting("tea", 4, most=2))
    assert seen(inboxes, 11) == [9, 10]


def test_changes_are_numbered_upwards_whatever_the_clock_does(inboxes: Inboxes) -> None:
    changes = []
    for number, after in enumerate((0, 0, -5, 3)):
        put(inboxes, number, after)
        changes.append(inboxes.read(WHO, NOW).change)
    assert changes == sorted(set(changes))
    inboxes.mark(WHO, "read", NOW - 100)
    found = inboxes.read(WHO, NOW)
    assert found.change > changes[-1]
    assert {one.changed for one in found.messages} == {found.change}


def test_each_change_is_told_once_and_no_change_is_not(client: redis.Redis, inboxes: Inboxes) -> None:
    listening = client.pubsub(ignore_subscribe_messages=True)
    listening.subscribe(news_channel("tea"))
    listening.get_message(timeout=5)  # the subscription
    put(inboxes, 1)
    put(inboxes, 1)
    inboxes.mark(WHO, "read", NOW)
    inboxes.mark(WHO, "read", NOW)
    inboxes.mark(WHO, "dismissed", NOW, ["f" * 32])
    inboxes.erase(WHO)
    inboxes.erase(WHO)
    client.publish(news_channel("tea"), "end")
    told: list[bytes] = []
    while b"end" not in told:
        message = listening.get_message(timeout=5)
        assert message is not None
        told.append(message["data"])
    listening.close()
    assert told == [WHO.hex().encode()] * 3 + [b"end"]


def test_an_erased_inbox_is_gone_whole_and_others_stay(client: redis.Redis, inboxes: Inboxes) -> None:
    put(inboxes, 1)
    inboxes.put(OTHER, f"{1:032x}", Shown("", "x"), NOW)
    assert inboxes.erase(WHO)
    assert client.keys("*") == [inbox_key("tea", 4, OTHER).encode()]


def test_keys_stand_in_the_slot_of_the_customers_profile() -> None:
    from sinks.store.store import Store
    from streams.identity.partition import id_pairs, partitions_of

    for number in range(20):
        customer = number.to_bytes(16, "big")
        partition = int(partitions_of(*id_pairs([customer]), 16)[0])
        store = Store(redis.Redis(), "tea")
        tag = store.key(partition, "profile").partition("}")[0]
        assert inbox_key("tea", 16, customer).partition("}")[0] == tag


def shown(number: int, created: int, priority: int = 0) -> InboxMessage:
    return InboxMessage(f"{number:032x}", 1, created, 9, priority, 0, 0, b"")


@pytest.mark.parametrize(
    ("order", "expected"), [("newest", [4, 3, 2, 1, 0]), ("priority", [1, 4, 3, 2, 0])]
)
def test_pages_of_any_size_give_each_message_once_in_order(order: Order, expected: list[int]) -> None:
    messages = [shown(0, 5), shown(1, 6, 7), shown(2, 7), shown(3, 7), shown(4, 8)]
    for limit in range(1, 7):
        got: list[int] = []
        cursor: str | None = None
        while True:
            some, cursor = page(messages, order, limit, cursor)
            got += numbers(some)
            if cursor is None:
                break
        assert got == expected


def test_a_cursor_stays_right_when_messages_come_and_go() -> None:
    messages = [shown(number, number) for number in range(6)]
    some, cursor = page(messages, "newest", 2)
    assert numbers(some) == [5, 4]
    changed = [*messages[:4], shown(9, 9)]  # what the cursor stands on is gone, and a newer one is there
    assert numbers(page(changed, "newest", 2, cursor)[0]) == [3, 2]


@pytest.mark.parametrize("cursor", ["", "x", "1.2", "1.x.a", "1.2.3.4"])
def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        page([], "newest", 1, cursor)


def test_it_stays_on_the_disk_of_the_store(tmp_path: Path) -> None:
    first = EmbeddedServer(tmp_path)
    put(Inboxes(first.client, "tea", 4), 1)
    first.stop()
    second = EmbeddedServer(tmp_path)
    assert seen(Inboxes(second.client, "tea", 4)) == [1]
    second.stop()
