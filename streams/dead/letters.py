"""The dead letters of a log. They stand in its file: a message is taken or put aside, never neither."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streams.errors import InputError
from streams.log.log import Log
from streams.message import Message

WAITING, REPLAYED, DROPPED = "waiting", "replayed", "dropped"
_FIELDS = "id, source, place, minute, problem, hint, key, value, fixed, state, epoch, position, offset"


@dataclass(frozen=True)
class DeadLetter:
    """A message put aside.

    minute: when; problem, hint: why, and what to do; key, value: the raw message; fixed: its value as
    somebody mended it; epoch, position, offset: where it stands in its source, kept when it is replayed.
    """

    id: int
    source: str
    place: str
    minute: int
    problem: str
    hint: str
    key: bytes | None
    value: bytes | None
    fixed: bytes | None
    state: str
    epoch: int
    position: int
    offset: int

    @property
    def message(self) -> Message:
        """The message to be replayed: mended if somebody did."""
        value = self.fixed if self.fixed is not None else self.value
        return Message(self.source, self.place, value, self.key)

    def headers(self) -> list[tuple[str, bytes]]:
        """Return what a message that carries it says of it."""
        told = {"source": self.source, "place": self.place, "problem": self.problem, "hint": self.hint,
                "minute": str(self.minute)}  # fmt: skip
        return [(name, value.encode()) for name, value in told.items()]


def put_aside(log: Log, message: Message, problem: str, hint: str, minute: int) -> int:
    """Write a dead letter inside the caller's transaction; return its id.

    The same message from the same place again is the same letter, whatever became of that meanwhile. A letter
    takes the position that its row would have had: the source's last, and a new offset (semantics W2).
    """
    query = "SELECT id FROM dead WHERE source = ? AND place = ? AND value IS ?"
    there = log.connection.execute(query, (message.source, message.place, message.value)).fetchone()
    if there is not None:
        change = "UPDATE dead SET problem = ?, hint = ? WHERE id = ? AND state = ? AND fixed IS NULL"
        log.connection.execute(change, (problem, hint, there[0], WAITING))
        return int(there[0])
    epoch, position = log.lanes.stands(message.source)[log.lanes.of_message(message)].tolist()
    offset = log.offset() + 1
    log.set_offset(offset)
    made = log.connection.execute(
        f"INSERT INTO dead ({_FIELDS}) VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, ?)",  # noqa: S608
        (message.source, message.place, minute, problem, hint, message.key, message.value, WAITING, epoch,
         position, offset),
    ).lastrowid  # fmt: skip
    assert made is not None  # an INSERT into a rowid table always has one
    return made


def letters(
    log: Log, source: str | None = None, state: str | None = WAITING, ids: Sequence[int] = (),
    limit: int = 1000,
) -> list[DeadLetter]:  # fmt: skip
    """Return dead letters, the oldest first: of one source, one state, or these ids.

    Raises InputError for an id that is not there.
    """
    terms, values = ["1"], list[object]()
    if source is not None:
        terms, values = [*terms, "source = ?"], [*values, source]
    if state is not None and not ids:
        terms, values = [*terms, "state = ?"], [*values, state]
    ids = sorted(set(ids))
    beyond = [one for one in ids if not 0 < one < 2**63]
    if ids and not beyond:
        terms, values = [*terms, f"id IN ({', '.join('?' * len(ids))})"], [*values, *ids]
    query = f"SELECT {_FIELDS} FROM dead WHERE {' AND '.join(terms)} ORDER BY id LIMIT ?"  # noqa: S608
    found = [] if beyond else [DeadLetter(*row) for row in log.connection.execute(query, (*values, limit))]
    missing = set(ids) - {letter.id for letter in found}
    if missing:
        raise InputError(
            f"dead letter {min(missing)}", "there is none with this number", "see: tintype dead SHOP list"
        )
    return found


def counts(log: Log) -> dict[tuple[str, str], int]:
    """Return how many dead letters there are by (source, state)."""
    query = "SELECT source, state, count(*) FROM dead GROUP BY source, state ORDER BY source, state"
    return {(source, state): number for source, state, number in log.connection.execute(query)}


def mend(log: Log, letter: int, value: bytes) -> None:
    """Keep another value for a letter, beside the one it came with; replay it to have it taken."""
    (found,) = letters(log, ids=[letter])
    if found.state == REPLAYED:
        raise InputError(f"dead letter {letter}", "it has been replayed", "send a new change of the row")
    with log.transaction():
        change = "UPDATE dead SET fixed = ?, state = ? WHERE id = ?"
        log.connection.execute(change, (value, WAITING, letter))


def set_state(log: Log, letter: int, state: str) -> None:
    """Say what became of a letter, inside the caller's transaction."""
    log.connection.execute("UPDATE dead SET state = ? WHERE id = ?", (state, letter))
