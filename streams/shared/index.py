"""The shared index, in Redis: a view of the topic ``changes``, that workers look customers and rows up in.

It never holds the only copy of anything (semantics I1, P5): every entry follows from records of the log, and
`streams.shared.recover` writes it again. Keys of one shop: ``ref:`` a reference's customer, ``of:`` a
customer's references, ``key:`` a customer's keys, ``former:`` whose rows moved here, ``row:`` and ``parked:``
what stands under a source's key, ``under:`` a row's children, ``lane:`` how far a partition of a source's
topic has come.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import redis

from streams.shared import scripts

_PART = 1000  # keys of one command


class Lost(Exception):
    """The lane is another's, or the server lost something: it must be claimed anew before it goes on."""


class Busy(Exception):
    """Another lane is about to change what this one has looked at: try again in a moment."""


@dataclass
class Seen:
    """What a batch has seen and makes of it. Flat lists: references: key, customer and strength; keys: key,
    field, wrapped key; rows: key, entry ("" without one); under: key, number of members, members; marks: keys
    of what nobody else may change until the batch is applied."""

    references: list[Any] = field(default_factory=list)
    keys: list[Any] = field(default_factory=list)
    rows: list[Any] = field(default_factory=list)
    under: list[Any] = field(default_factory=list)
    marks: list[Any] = field(default_factory=list)

    def lists(self) -> list[list[Any]]:
        """Return the lists, in the order in which the script takes them."""
        return [self.references, self.keys, self.rows, self.under, self.marks]


@dataclass(frozen=True)
class Standing:
    """Where a lane stands.

    life: in which of the index's lives it was claimed; next: the first offset of its topic that is not in the
    index; offset: the last one given out (semantics W2); positions: source -> [epoch, last position]; at:
    when it was written, ms.
    """

    epoch: int
    next: int
    offset: int
    positions: Mapping[str, tuple[int, int]]
    at: int
    life: str = ""


@dataclass
class Writes:
    """What is to be written. Flat lists: set, newer: key, value; fields: key, field, value; add, remove: key,
    member; drop: key. ``newer`` stays undone where the server has a newer entry."""

    set: list[Any] = field(default_factory=list)
    newer: list[Any] = field(default_factory=list)
    fields: list[Any] = field(default_factory=list)
    add: list[Any] = field(default_factory=list)
    remove: list[Any] = field(default_factory=list)
    drop: list[Any] = field(default_factory=list)

    def lists(self) -> list[list[Any]]:
        """Return the lists, in the order in which the scripts take them."""
        return [self.set, self.newer, self.fields, self.add, self.remove, self.drop]


class Index:
    """One shop's index. One thread at a time may use it."""

    def __init__(self, client: redis.Redis, shop: str) -> None:
        """client: to bytes, not decoded."""
        self.client = client
        self._prefix = f"tintype:{{{shop}/index}}:".encode()
        self._reserve: Any = client.register_script(scripts.RESERVE)
        self._unmark: Any = client.register_script(scripts.UNMARK)
        self._apply: Any = client.register_script(scripts.APPLY)
        self._fill: Any = client.register_script(scripts.FILL)

    def key(self, kind: str, *parts: str | bytes) -> bytes:
        """Return the key of an entry."""
        told = [part.encode() if isinstance(part, str) else part for part in parts]
        return self._prefix + b":".join([kind.encode(), *told])

    def get(self, kind: str, source: str, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the entries ``row`` or ``parked`` of these keys (16 bytes) of a source."""
        return self._get([self.key(kind, source, key) for key in keys])

    def references(self, references: Sequence[str]) -> list[bytes | None]:
        """Return a mark, customer (16 bytes) and strength ('s' or 'w') of each concealed reference."""
        return self._get([self.key("ref", one) for one in references])

    def _get(self, keys: list[bytes]) -> list[bytes | None]:
        found: list[Any] = []
        for at in range(0, len(keys), _PART):
            found += self.client.mget(keys[at : at + _PART])
        return found

    def fields(self, kind: str, customers: Sequence[bytes]) -> list[dict[bytes, bytes]]:
        """Return the fields of ``of`` or ``key`` of each customer (16 bytes)."""
        pipeline = self.client.pipeline(transaction=False)
        for one in customers:
            pipeline.hgetall(self.key(kind, one))
        return list(pipeline.execute())

    def members(self, kind: str, keys: Sequence[tuple[str, bytes]]) -> list[list[bytes]]:
        """Return the members of ``under`` of each (source, parent's key), sorted."""
        pipeline = self.client.pipeline(transaction=False)
        for source, one in keys:
            pipeline.smembers(self.key(kind, source, one))
        return [sorted(found) for found in pipeline.execute()]

    def life(self) -> str | None:
        """Return what the index's present life is called; None where the server was started anew, or emptied,
        since it was last whole."""
        info: Any = self.client.info("server")
        whole: Any = self.client.get(self.key("whole"))
        said = "" if whole is None else whole.decode()
        return said if said.startswith(f"{info['run_id']}/") else None

    def begin_life(self) -> str:
        """Say that the index has all that the log says; return what its new life is called."""
        info: Any = self.client.info("server")
        life = f"{info['run_id']}/{os.urandom(8).hex()}"
        self.client.set(self.key("whole"), life)
        return life

    def last_write(self) -> int | None:
        """Return when some lane last wrote, ms since 1970; None where none ever did."""
        found: Any = self.client.get(self.key("at"))
        return None if found is None else int(found)

    def claim(self, lane: str) -> Standing:
        """Become a lane's owner; whoever was it before is refused from now on."""
        key = self.key("lane", lane)
        epoch: Any = self.client.hincrby(key, "epoch", 1)
        found: Any = self.client.hgetall(key)
        get = {name.decode(): value.decode() for name, value in found.items()}
        return Standing(
            int(epoch), int(get.get("next", 0)), int(get.get("offset", 0)),
            json.loads(get.get("positions", "{}")), int(get.get("at", 0)),
        )  # fmt: skip

    def set_lane(self, lane: str, standing: Standing) -> None:
        """Say where a lane stands, after it was claimed and what it lacked was written."""
        self.client.hset(
            self.key("lane", lane),
            mapping={"next": standing.next, "offset": standing.offset,
                     "positions": json.dumps(standing.positions), "at": standing.at},
        )  # fmt: skip

    def fill_lane(self, lane: str, found: Standing) -> None:
        """Say where a lane stands that the index does not know, as its newest block has it."""
        fields = {"next": found.next, "offset": found.offset, "positions": json.dumps(found.positions),
                  "at": found.at}  # fmt: skip
        for name, value in fields.items():
            self.client.hsetnx(self.key("lane", lane), name, str(value))

    def reserve(self, lane: str, standing: Standing, seen: Seen) -> bool:
        """Let a batch go on; return False where what it has seen was changed since, so that it must be taken
        anew. Raises Lost, and Busy where another lane is about to change it."""
        head = [standing.epoch, standing.next]
        said = self._run(self._reserve, lane, [head, *seen.lists()])
        if said[0] == b"busy":
            raise Busy(f"lane {lane} waits for {said[1].decode()}")
        return said[0] == b"ok"

    def unmark(self, lane: str) -> None:
        """Let others change what a lane's last batch had marked."""
        self._unmark(keys=self._keys(lane), args=[])

    def apply(self, lane: str, standing: Standing, writes: Writes, after: Standing) -> None:
        """Write what a batch changed, and that the lane stands behind it, at once. Raises Lost."""
        positions = json.dumps(after.positions)
        head = [standing.epoch, standing.next, after.next, after.offset, positions, after.at]
        self._run(self._apply, lane, [head, *writes.lists()])

    def fill(self, writes: Writes) -> None:
        """Write what was found in the log, whoever wrote it."""
        self._fill(keys=[self.key("at")], args=_arguments(writes.lists()))

    def _keys(self, lane: str) -> list[bytes]:
        return [self.key("lane", lane), self.key("at"), self.key("marks", lane)]

    def _run(self, script: Any, lane: str, lists: Sequence[list[Any]]) -> list[bytes]:
        said: list[bytes] = script(keys=self._keys(lane), args=_arguments(lists))
        if said[0] in (b"fenced", b"set back"):
            raise Lost(f"lane {lane}: {said[0].decode()} ({said[1].decode()})")
        return said


def _arguments(lists: Sequence[list[Any]]) -> list[Any]:
    """Return lists as a script takes them."""
    return [len(lists), *map(len, lists), *(value for one in lists for value in one)]
