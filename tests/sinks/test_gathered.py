"""Reads that are asked at the same time, of a real store: each gets its own, all of one moment."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from sinks.store import gathered as module
from sinks.store.gathered import Gathered, Told
from sinks.store.server import EmbeddedServer
from sinks.store.store import Commit, Store

WHO = bytes(16)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    running = EmbeddedServer(tmp_path_factory.mktemp("gathered"))
    yield running
    running.stop()


@pytest.fixture
def store(server: EmbeddedServer) -> Store:
    server.client.flushall()
    return Store(server.client, "tea")


def commit(store: Store, step: int, partition: int = 0) -> None:
    fields: dict[str, str | int] = {"step": step, "clock": 29_000_000 + step, "effects": 0, "digest": "d"}
    store.commit(partition, Commit(f"{step}:0", fields, [], [(WHO, str(step).encode())]))


async def all_of(found: Gathered, count: int) -> list[Told]:
    asked = [found.ask([f"h{n % 7}", "no hash"], ["no string", f"s{n % 5}"]) for n in range(count)]
    told = await asyncio.gather(*asked)
    await found.close()
    return told


@pytest.mark.parametrize("count", [1, 3, 250])  # more than are answered at once
def test_each_gets_what_it_asked_for(store: Store, count: int) -> None:
    for number in range(7):
        store.client.hset(f"h{number}", mapping={"a": number, "b": "x"})
        store.client.set(f"s{number}", f"of {number}")
    for at, one in enumerate(asyncio.run(all_of(Gathered(store, 2), count))):
        assert one.hashes == [{b"a": str(at % 7).encode(), b"b": b"x"}, {}]
        assert one.strings == [None, f"of {at % 5}".encode()]


def test_heads_are_those_of_the_store_and_move_with_it(store: Store) -> None:
    found = Gathered(store, 3)

    async def steps() -> list[list[int]]:
        told = [(await found.ask()).heads]
        for partition in (0, 2):
            store.claim(partition)
            commit(store, 7 + partition, partition)
            told.append((await found.ask()).heads)
        assert told[-1] == [store.head(number) for number in range(3)]
        await found.close()
        return [[one.step for one in heads] for heads in told]

    assert asyncio.run(steps()) == [[0, 0, 0], [7, 0, 0], [7, 0, 9]]


def test_what_is_asked_while_an_answer_is_waited_for_goes_as_one_question(store: Store) -> None:
    store.client.config_resetstat()
    asyncio.run(all_of(Gathered(store, 1), 90))
    asked = store.client.info("commandstats")
    assert sum(asked[name]["calls"] for name in ("cmdstat_evalsha", "cmdstat_eval") if name in asked) <= 3
    # the same key of several is read once: 7 hashes, one that is not there, the head
    assert asked["cmdstat_hgetall"]["calls"] <= 2 * 9


def test_a_document_is_of_the_same_moment_as_its_head(store: Store) -> None:
    store.claim(0)
    commit(store, 1)
    found, key = Gathered(store, 1), store.key(0, f"profile:{WHO.hex()}")

    async def watch() -> None:
        ended = asyncio.Event()

        def write() -> None:
            for step in range(2, 300):
                commit(store, step)

        async def look() -> None:
            while not ended.is_set():
                told = await found.ask(strings=[key])
                assert told.strings == [str(told.heads[0].step).encode()]

        looking = asyncio.gather(*(look() for _ in range(4)))
        await asyncio.to_thread(write)
        ended.set()
        await looking
        await found.close()

    asyncio.run(watch())


def test_everybody_is_told_that_the_store_is_away_and_is_answered_when_it_is_back(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    try:
        found = Gathered(Store(server.client, "tea"), 1)

        async def ask() -> list[object]:
            some = (found.ask(strings=["s"]) for _ in range(5))
            return list(await asyncio.gather(*some, return_exceptions=True))

        async def go() -> None:
            server.client.set("s", "1")
            assert all(isinstance(one, Told) for one in await ask())
            server._process.kill()
            server._process.wait()
            assert all(isinstance(one, redis.ConnectionError) for one in await ask())
            assert server.revive()
            for _ in range(400):
                if all(isinstance(one, Told) for one in await ask()):
                    break
                await asyncio.sleep(0.05)
            else:
                pytest.fail("nobody is answered any more")
            await found.close()

        asyncio.run(go())
    finally:
        server.stop()


def test_a_server_that_has_forgotten_the_script_is_told_it_again(store: Store) -> None:
    found = Gathered(store, 1)

    async def go() -> None:
        for _ in range(2):
            store.client.script_flush()
            store.client.set("s", "1")
            for _ in range(2):
                assert (await found.ask(strings=["s"])).strings == [b"1"]
        await found.close()

    asyncio.run(go())


def test_a_connection_that_was_ended_meanwhile_is_made_anew(store: Store) -> None:
    found = Gathered(store, 1)

    async def go() -> None:
        for number in range(3):
            store.client.set("s", number)
            assert (await found.ask(strings=["s"])).strings == [str(number).encode()]
            store.client.client_kill_filter(_type="normal", skipme=True)
        await found.close()

    asyncio.run(go())


def test_an_answer_that_comes_too_late_is_nobodys(server: EmbeddedServer) -> None:
    """The server pauses: whoever waits is told so, and those after them get their own answers."""
    kwargs = server.client.connection_pool.connection_kwargs
    hasty = redis.Redis(port=kwargs["port"], password=kwargs["password"], socket_timeout=0.2)
    found = Gathered(Store(hasty, "tea"), 1)

    async def go() -> None:
        for name in ("early", "late"):
            server.client.set(name, name)
        assert (await found.ask(strings=["early"])).strings == [b"early"]
        server.client.client_pause(600, all=True)
        with pytest.raises(redis.TimeoutError):
            await found.ask(strings=["early"])
        for _ in range(400):
            try:
                told = await found.ask(strings=["late"])
                break
            except redis.TimeoutError:
                continue
        assert told.strings == [b"late"]
        await found.close()

    asyncio.run(go())
    hasty.close()


def test_who_goes_away_holds_nobody_up(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TOGETHER", 2)
    found = Gathered(store, 1)

    async def go() -> list[list[bytes | None]]:
        asked = [asyncio.create_task(found.ask(strings=["s"])) for _ in range(5)]
        await asyncio.sleep(0)
        asked[0].cancel()
        asked[3].cancel()
        told = await asyncio.gather(*asked, return_exceptions=True)
        await found.close()
        return [one.strings for one in told if isinstance(one, Told)]

    assert asyncio.run(go()) == [[None]] * 3


def test_another_event_loop_may_go_on(store: Store) -> None:
    found = Gathered(store, 1)
    for _ in range(2):
        assert len(asyncio.run(all_of(found, 3))) == 3
