"""Reads of an event loop, gathered: what is asked while an answer is waited for goes together as one
question, so that the more ask, the less each costs."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hiredis
import msgspec
import redis

from sinks.store.beside import asynchronous
from sinks.store.store import Head, Store, head_of

_SCRIPT = (Path(__file__).parent / "read.lua").read_text(encoding="utf-8")
_DIGEST = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()  # the server's name of the script
_TOGETHER = 100  # who are answered at once: the server does nothing else meanwhile

Fields = dict[bytes, bytes]


class Told(msgspec.Struct, frozen=True):
    """What was asked, of one moment. heads: of all partitions; hashes, strings: in the order in which they
    were asked for; a hash that is not there is empty, a string None."""

    heads: list[Head]
    hashes: list[Fields]
    strings: list[bytes | None]


class _Asking(msgspec.Struct, frozen=True):
    hashes: Sequence[str]
    strings: Sequence[str]
    told: asyncio.Future[Told]


class Gathered:
    """Reads of one shop's store, of one event loop at a time."""

    def __init__(self, store: Store, partitions: int) -> None:
        """store: whose server and keys these are; its connections are not used."""
        self._client = store.client
        self._head_keys = [store.key(number, "head") for number in range(partitions)]
        self._heads: list[tuple[list[bytes], Head]] = [([], head_of({}))] * partitions  # as they came last
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: list[_Asking] = []
        self._reading: asyncio.Task[None] | None = None

    async def ask(self, hashes: Sequence[str] = (), strings: Sequence[str] = ()) -> Told:
        """Return what stands under keys, and where all partitions are. Raises `redis.RedisError` while the
        server is away."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._waiting, self._reading = loop, [], None
            self._line = _Line(self._client)
        asking = _Asking(hashes, strings, loop.create_future())
        self._waiting.append(asking)
        if self._reading is None:
            self._reading = loop.create_task(self._read())
        return await asking.told

    async def close(self) -> None:
        """Let go of the connection."""
        if self._loop is asyncio.get_running_loop():
            await self._line.close()

    async def _read(self) -> None:
        """Answer all who ask, until nobody does."""
        while self._waiting:
            some, self._waiting = self._waiting[:_TOGETHER], self._waiting[_TOGETHER:]
            try:
                await self._tell(some)
            except Exception as error:  # noqa: BLE001 - whoever asked is told, whatever it is
                for one in some:
                    if not one.told.done():
                        one.told.set_exception(error)
        self._reading = None

    async def _tell(self, some: Sequence[_Asking]) -> None:
        hashes = list(dict.fromkeys([*self._head_keys, *(key for one in some for key in one.hashes)]))
        strings = list(dict.fromkeys(key for one in some for key in one.strings))
        found = await self._line.call([*hashes, *strings], len(hashes))
        heads = [self._head(number, found[number]) for number in range(len(self._head_keys))]
        at = dict(zip([*hashes, *strings], found, strict=True))
        for one in some:
            if not one.told.done():  # whoever asked may have gone away
                one.told.set_result(Told(
                    heads, [_fields(at[key]) for key in one.hashes], [at[key] for key in one.strings]
                ))  # fmt: skip

    def _head(self, number: int, found: list[bytes]) -> Head:
        """Return a head, the one of before where it has not moved: there may be many partitions."""
        if self._heads[number][0] != found:
            self._heads[number] = found, head_of(_fields(found))
        return self._heads[number][1]


class _Line:
    """One connection, kept, over which the script is called. redis-py's client takes one from a pool for each
    call, and sets a time-out for each piece that it writes and reads, which costs more than all the rest."""

    def __init__(self, client: redis.Redis) -> None:
        self._seconds = client.connection_pool.connection_kwargs.get("socket_timeout")
        self._store = asynchronous(client, socket_timeout=None)
        self._connection: Any = None

    async def call(self, keys: Sequence[str], hashes: int) -> list[Any]:
        """Return what the script does. Raises `redis.RedisError`."""
        try:
            try:
                return await self._in_time(keys, hashes)
            except redis.ConnectionError:  # a connection of before a restart
                await self._drop()
                return await self._in_time(keys, hashes)
        except redis.ResponseError:
            raise  # the connection is as it was
        except BaseException:
            await self._drop()  # an answer may still come
            raise

    async def close(self) -> None:
        """Let go of the connection."""
        await self._drop()
        await self._store.aclose()

    async def _in_time(self, keys: Sequence[str], hashes: int) -> list[Any]:
        try:
            async with asyncio.timeout(self._seconds):
                if self._connection is None:
                    pool: Any = self._store.connection_pool  # redis-py types all but this
                    self._connection = await pool.get_connection()
                try:
                    return await self._ask("EVALSHA", _DIGEST, keys, hashes)
                except redis.exceptions.NoScriptError:
                    return await self._ask("EVAL", _SCRIPT, keys, hashes)
        except TimeoutError:
            raise redis.TimeoutError("the store did not answer in time") from None

    async def _ask(self, how: str, script: str, keys: Sequence[str], hashes: int) -> list[Any]:
        words: Any = (how, script, len(keys), *keys, hashes)  # hiredis types tuples of one
        packed = hiredis.pack_command(words)  # redis-py's own for an event loop is in Python
        await self._connection.send_packed_command(packed, check_health=False)
        found: list[Any] = await self._connection.read_response()
        return found

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)
            await self._store.connection_pool.release(connection)


def _fields(flat: list[bytes]) -> Fields:
    return dict(zip(flat[::2], flat[1::2], strict=True))
