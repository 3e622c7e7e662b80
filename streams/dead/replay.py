"""Replaying dead letters: taken as they would have been then, at the position they were given then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from streams.arrive import Arrivals
from streams.cdc.change import Counted, Refused
from streams.change import NO_POSITION
from streams.contract.numbers import ValueProblem
from streams.dead.letters import REPLAYED, DeadLetter, set_state
from streams.errors import InputError
from streams.log.log import Log
from streams.report import ImportReport
from streams.taking import Row, take_rows

if TYPE_CHECKING:
    from app.shop import Shop

NO_LINE = "a line without a key is known by the lines before it", "mend the file and import it again"


@dataclass(frozen=True)
class Replayed:
    """What became of a letter: taken (``problem`` is None), or why it still waits."""

    letter: DeadLetter
    problem: str | None = None
    hint: str | None = None


def replay(
    log: Log, shop: Shop, letters: Sequence[DeadLetter], minute: int, mode: str = "live"
) -> list[Replayed]:
    """Take letters into the log in one transaction, in the order of their numbers.

    A row without a position of its own gets the one that its letter was given when it was put aside: a later
    change of the same row stays the later one (semantics W2). What still breaks its contract goes on waiting,
    with its new reason.
    """
    arrivals = Arrivals(log)
    found: list[Replayed] = []
    with log.transaction():
        for letter in letters:
            if letter.state == REPLAYED:
                found.append(Replayed(letter))
                continue
            problem = _take(log, shop, arrivals, letter, minute, mode)
            if problem is None:
                set_state(log, letter.id, REPLAYED)
                found.append(Replayed(letter))
            else:
                change = "UPDATE dead SET problem = ?, hint = ? WHERE id = ?"
                log.connection.execute(change, (*problem, letter.id))
                found.append(Replayed(letter, *problem))
    return found


def _take(
    log: Log, shop: Shop, arrivals: Arrivals, letter: DeadLetter, minute: int, mode: str
) -> tuple[str, str] | None:
    """Take one letter; return problem and hint if it is refused again."""
    source = shop.sources.get(letter.source)
    if source is not None and source.occurrence:
        return NO_LINE
    try:
        rows = arrivals.read(shop, letter.message)
    except (Refused, ValueProblem, InputError) as error:
        return error.problem, error.hint
    if isinstance(rows, Counted):
        return None
    placed = [_placed(row, letter) for row in rows]
    refused = take_rows(log, shop, placed, minute, mode, ImportReport())
    first = next(iter(refused.values()), None)
    return None if first is None else (first.problem, first.hint)


def _placed(row: Row, letter: DeadLetter) -> Row:
    if row.position != NO_POSITION:
        return row
    return replace(row, epoch=letter.epoch, position=letter.position, offset=letter.offset)
