"""The shared index, in Redis: a view of the topic ``changes``, that workers look customers and rows up in.

It never holds the only copy of anything (semantics I1, P5): every entry follows from records of the log, and
`streams.shared.recover` writes it again. Keys of one shop: ``ref:`` a reference's customer, ``of:`` a
customer's references, ``wanted:`` those that were only reserved, ``key:`` a customer's keys, ``former:``
whose rows moved here, ``row:`` and ``parked:`` what stands under a source's key, ``under:`` a row's children,
``lane:`` how far a partition of a source's topic has come, ``still`` for whom lanes stand still, ``erased``
how far erasures reach in each partition.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import redis

from streams.shared import scripts
from streams.shared.asked import Filling, Seen, Standing, Writes

_PART = 1000  # keys of one command


class Lost(Exception):
    """The lane is another's, or the server lost something: it must be claimed anew before it goes on."""


class Still(Lost):
    """Lanes stand still for somebody else: claims wait until that is over, or has lasted too long."""


class Busy(Exception):
    """Another lane is about to change what this one has looked at: try again in a moment."""


class Index:
    """One shop's index. One thread at a time may use it."""

    def __init__(self, client: redis.Redis, shop: str, holder: str = "") -> None:
        """client: to bytes, not decoded; holder: a name of one's own, for who lets lanes stand still."""
        self.client = client
        self._holder = holder
        self._prefix = f"tintype:{{{shop}/index}}:".encode()
        self._reserve: Any = client.register_script(scripts.RESERVE)
        self._settle: Any = client.register_script(scripts.SETTLE)
        self._apply: Any = client.register_script(scripts.APPLY)
        self._fill: Any = client.register_script(scripts.FILL)
        self._claim: Any = client.register_script(scripts.CLAIM)
        self._stand_still: Any = client.register_script(scripts.STAND_STILL)
        self._go_on: Any = client.register_script(scripts.GO_ON)
        self._end_life: Any = client.register_script(scripts.END_LIFE)
        self._begin_life: Any = client.register_script(scripts.BEGIN_LIFE)

    def key(self, kind: str, *parts: str | bytes) -> bytes:
        """Return the key of an entry."""
        told = [part.encode() if isinstance(part, str) else part for part in parts]
        return self._prefix + b":".join([kind.encode(), *told])

    def keys(self, kind: str, source: str, keys: Sequence[bytes]) -> list[bytes]:
        """Return the keys of entries of a source, as `key` does each."""
        before = self.key(kind, source, b"")
        return [before + one for one in keys]

    def get(self, kind: str, source: str, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the entries ``row`` or ``parked`` of these keys (16 bytes) of a source."""
        return self._get(self.keys(kind, source, keys))

    def references(self, references: Sequence[str]) -> list[bytes | None]:
        """Return a mark, customer (16 bytes) and strength ('s' or 'w') of each concealed reference."""
        return self._get([self.key("ref", one) for one in references])

    def identified(self, customers: Sequence[bytes]) -> list[bytes | None]:
        """Return b"1" of each customer with a strong reference, as soon as that is reserved."""
        return self._get([self.key("strong", one) for one in customers])

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

    def formers(self, customers: Sequence[bytes]) -> list[list[bytes]]:
        """Return of each customer (16 bytes) from whom sealed rows moved to them, sorted."""
        pipeline = self.client.pipeline(transaction=False)
        for one in customers:
            pipeline.smembers(self.key("former", one))
        return [sorted(found) for found in pipeline.execute()]

    def life(self) -> str | None:
        """Return what the index's present life is called; None where the server was started anew, or emptied,
        since it was last whole, or where somebody ended it."""
        return self.looked_at()[0]

    def looked_at(self) -> tuple[str | None, str]:
        """Return `life`, and what stands in its place as it is, for a `Filling`."""
        pipeline = self.client.pipeline(transaction=False)
        pipeline.info("server")
        pipeline.get(self.key("whole"))
        info, whole = pipeline.execute()
        said = "" if whole is None else whole.decode()
        return (said if said.startswith(f"{info['run_id']}/") else None), said

    def begin_life(
        self, filling: Filling, erased: Sequence[bytes] = (), rekeyed: Sequence[bytes] = (),
        reach: Mapping[int, int] | None = None, writes: Writes | None = None,
    ) -> str:  # fmt: skip
        """Say that the index has all that the log says; return what its new life is called.

        erased: customers of whom nothing stays but what ``writes`` has; rekeyed: likewise with their keys;
        reach: by partition the offset behind the last erasure. Raises Lost as `fill` does.
        """
        info: Any = self.client.info("server")
        life = f"{info['run_id']}/{os.urandom(8).hex()}"
        reached = [value for one in (reach or {}).items() for value in one]
        lists: list[list[Any]] = [list(erased), list(rekeyed), reached, *(writes or Writes()).lists()]
        said = self._begin_life(
            keys=[self.key("lane", filling.lane), self.key("whole"), self.key("erased")],
            args=[filling.epoch, filling.life, life, self._prefix, *_arguments(lists)],
        )
        _refuse(said)
        return life

    def end_life(self, lanes: Mapping[str, Standing]) -> None:
        """Let whoever claims a lane from now on read the log first. Raises Lost where one of these lanes,
        which are all that there are, was claimed since."""
        said = self._end_life(
            keys=[self.key("whole"), *(self.key("lane", one) for one in lanes)],
            args=[one.epoch for one in lanes.values()],
        )
        _refuse(said)

    def distrust(self) -> None:
        """Let whoever claims a lane from now on read the whole log first."""
        self.client.delete(self.key("whole"), self.key("at"))

    def erased(self) -> dict[int, int]:
        """Return by partition the offset behind the last erasure that the index has."""
        found: Any = self.client.hgetall(self.key("erased"))
        return {int(partition): int(offset) for partition, offset in found.items()}

    def stand_still(self, milliseconds: int) -> None:
        """Let nobody but this holder claim lanes, for so long. Raises Still where they stand still for
        another."""
        _refuse(self._stand_still(keys=[self.key("still")], args=[self._holder, milliseconds]))

    def go_on(self) -> None:
        """Let lanes be claimed again, if they stood still for this holder."""
        self._go_on(keys=[self.key("still")], args=[self._holder])

    def last_write(self) -> int | None:
        """Return when some lane last wrote, ms since 1970; None where none ever did."""
        found: Any = self.client.get(self.key("at"))
        return None if found is None else int(found)

    def claim(self, lane: str) -> Standing:
        """Begin to become a lane's owner: whoever was it before is refused from now on.

        Next its producer is to be fenced off (`streams.worker.claiming`), then the index to be brought up to
        the log (`streams.shared.claim`). Raises Still.
        """
        key = self.key("lane", lane)
        said = self._claim(keys=[key, self.key("still")], args=[self._holder])
        _refuse(said)
        epoch = said[1]
        found: Any = self.client.hgetall(key)
        get = {name.decode(): value.decode() for name, value in found.items()}
        return Standing(
            int(epoch), int(get.get("next", 0)), int(get.get("offset", 0)),
            json.loads(get.get("positions", "{}")), int(get.get("at", 0)), by=get.get("by", ""),
        )  # fmt: skip

    def settle(self, lane: str, standing: Standing) -> Standing:
        """Say where a lane stands, once it was claimed and what it lacked was written, and let others change
        what its former owner had marked; return it so. Raises Lost where it was claimed again since."""
        positions = json.dumps(standing.positions)
        said = self._settle(
            keys=[self.key("lane", lane), self.key("marks", standing.by)],
            args=[standing.by, standing.epoch, standing.next, standing.offset, positions, standing.at],
        )
        _refuse(said)
        return replace(standing, by="")

    def fill_lane(self, lane: str, found: Standing) -> None:
        """Say where a lane stands that the index does not know, as its newest block has it."""
        fields = {"next": found.next, "offset": found.offset, "positions": json.dumps(found.positions),
                  "at": found.at}  # fmt: skip
        for name, value in fields.items():
            self.client.hsetnx(self.key("lane", lane), name, str(value))

    def reserve(self, owner: str, lanes: Mapping[str, Standing], seen: Seen) -> bool:
        """Let a batch of some lanes go on; return False where what it has seen was changed since, so that it
        must be taken anew. Raises Lost, and Busy where another owner is about to change it."""
        head = [value for one in lanes.values() for value in (one.epoch, one.next)]
        said = self._run(self._reserve, owner, list(lanes), [head, *seen.lists()])
        if said[0] == b"busy":
            raise Busy(f"{', '.join(lanes)}: wait for {said[1].decode()}")
        return said[0] == b"ok"

    def apply(
        self, owner: str, lanes: Mapping[str, Standing], writes: Writes, after: Mapping[str, Standing]
    ) -> None:
        """Write what a batch changed, and that its lanes stand behind it, at once. Raises Lost."""
        head = [value for one in lanes.values() for value in (one.epoch, one.next)]
        stands = [
            value
            for one in (after[lane] for lane in lanes)
            for value in (one.next, one.offset, json.dumps(one.positions), one.at)
        ]
        self._run(self._apply, owner, list(lanes), [head, *writes.lists(), stands])

    def fill(self, filling: Filling, writes: Writes) -> list[int]:
        """Write what was found in the log, whoever wrote it; return the places of those references that are
        somebody else's. Raises Lost where the lane was claimed since, or the index has another life now."""
        said = self._fill(
            keys=[self.key("lane", filling.lane), self.key("whole")],
            args=[filling.epoch, filling.life, *_arguments([*writes.lists(), writes.references])],
        )
        _refuse(said)
        return [int(one) for one in said[1:]]

    def _keys(self, owner: str, lanes: Sequence[str]) -> list[bytes]:
        return [self.key("at"), self.key("marks", owner), *(self.key("lane", one) for one in lanes)]

    def _run(self, script: Any, owner: str, lanes: Sequence[str], lists: Sequence[list[Any]]) -> list[bytes]:
        said: list[bytes] = script(keys=self._keys(owner, lanes), args=[owner, *_arguments(lists)])
        _refuse(said)
        return said


def _refuse(said: Sequence[bytes]) -> None:
    if said[0] == b"still":
        raise Still(f"lanes stand still for {said[1].decode()}")
    if said[0] in (b"fenced", b"set back", b"other life"):
        raise Lost(f"{said[0].decode()}: {said[1].decode()}")


def _arguments(lists: Sequence[list[Any]]) -> list[Any]:
    """Return lists as a script takes them."""
    return [len(lists), *map(len, lists), *(value for one in lists for value in one)]
