"""Reads of an event loop, gathered: what is asked while an answer is waited for goes together as one
question, so that the more ask, the less each costs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sinks.store.beside import asynchronous
from sinks.store.store import Head, Store, head_of

_SCRIPT = (Path(__file__).parent / "read.lua").read_text(encoding="utf-8")
_TOGETHER = 100  # who are answered at once: the server does nothing else meanwhile

Fields = dict[bytes, bytes]


@dataclass(frozen=True)
class Told:
    """What was asked, of one moment. heads: of all partitions; hashes, strings: in the order in which they
    were asked for; a hash that is not there is empty, a string None."""

    heads: list[Head]
    hashes: list[Fields]
    strings: list[bytes | None]


@dataclass(frozen=True)
class _Asking:
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
            self._store = asynchronous(self._client)
            self._script = self._store.register_script(_SCRIPT)
        asking = _Asking(hashes, strings, loop.create_future())
        self._waiting.append(asking)
        if self._reading is None:
            self._reading = loop.create_task(self._read())
        return await asking.told

    async def close(self) -> None:
        """Let go of the connection."""
        if self._loop is asyncio.get_running_loop():
            await self._store.aclose()

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
        found: list[Any] = await self._script(keys=[*hashes, *strings], args=[len(hashes)])
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


def _fields(flat: list[bytes]) -> Fields:
    return dict(zip(flat[::2], flat[1::2], strict=True))
