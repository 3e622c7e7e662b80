"""A block as a message of the topic ``changes``: the payload as it is, all else in headers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from streams.errors import InputError
from streams.log.block import Block
from streams.shared.delta import Told

Headers = Sequence[tuple[str, bytes]]
FORMAT = b"2"
KEEPS = "keeps"  # header of a migrated block: its records have their own minutes, though they are live


@dataclass(frozen=True)
class Origin:
    """A lane of a block's batch, and where it stood then: as of `streams.shared.index.Standing`."""

    lane: str
    next: int
    offset: int
    positions: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Outgoing:
    """A message to be sent to a partition of ``changes``."""

    partition: int
    value: bytes
    headers: list[tuple[str, bytes]]


def outgoing(
    block: Block, holds: Sequence[str], told: Told | None = None, origins: Sequence[Origin] = (),
    keeps_minutes: bool = False,
) -> Outgoing:  # fmt: skip
    """Return the message of a block; minutes are those of its records where it imports, or keeps_minutes is
    said, else the broker's.

    origins: all lanes of its batch, which one block of it has to say.
    """
    headers = [
        ("format", FORMAT), ("count", str(block.count).encode()), ("mode", block.mode.encode()),
        ("holds", "\n".join(holds).encode()),
        ("minutes", f"{block.first_minute},{block.last_minute}".encode()),
    ]  # fmt: skip
    if keeps_minutes:
        headers.append((KEEPS, b"minutes"))
    if told is not None and not told.is_empty():
        headers.append(("told", msgspec.msgpack.encode(told)))
    if origins:
        stands = [[one.lane, one.next, one.offset, one.positions] for one in origins]
        headers.append(("origins", json.dumps(stands, ensure_ascii=False).encode()))
    return Outgoing(block.partition, block.payload, headers)


@dataclass(frozen=True)
class Incoming:
    """A message of the topic, read. minute: the broker's time of appending, in minutes since 1970."""

    partition: int
    offset: int
    minute: int
    value: bytes
    headers: Mapping[str, bytes]

    @property
    def count(self) -> int:
        """How many records it has."""
        return int(self.headers["count"])

    @property
    def holds(self) -> list[str]:
        """What it holds: names of sources, and ``!kind`` of control records."""
        return self.headers["holds"].decode().split("\n")

    @property
    def told(self) -> Told:
        """What it says beside its records."""
        raw = self.headers.get("told")
        return Told() if raw is None else msgspec.msgpack.decode(raw, type=Told)

    @property
    def keeps_minutes(self) -> bool:
        """Whether its live records have minutes of their own."""
        return KEEPS in self.headers

    @property
    def origins(self) -> list[Origin]:
        """The lanes of whose batch it is; none for what comes from elsewhere."""
        return [Origin(*one) for one in json.loads(self.headers.get("origins", b"[]"))]

    def block(self, first_step: int, floor: int) -> Block:
        """Return its records as a block of a partition's own copy of the log (whose only partition is 0).

        floor: the clock so far, below which no append minute may fall (semantics T2).
        """
        mode = self.headers["mode"].decode()
        if mode == "live" and not self.keeps_minutes:
            first = last = max(self.minute, floor)
        else:
            first, last = map(int, self.headers["minutes"].split(b","))
        return Block(0, first_step, self.count, mode, first, last, self.value)


def incoming(
    topic: str, partition: int, offset: int, timestamp_ms: int, value: bytes | None, headers: Headers
) -> Incoming:
    """Read a message. Raises InputError for what is no block of this format."""
    named = dict(headers)
    where = f"{topic}/{partition}/{offset}"
    if value is None or named.get("format") != FORMAT:
        hint = "only this release's workers may write to this topic; if a newer one did, use that one"
        raise InputError(where, f"this is no block of format {FORMAT.decode()}", hint)
    return Incoming(partition, offset, timestamp_ms // 60_000, value, named)
