"""The generated customer kept in a store of pieces by name, as stream processors offer one for each key.

Each row is a piece of its own, so that a change reads and writes its row and not all rows of its customer;
what falls due lies in pieces for each day; numbers, tags and memory are one piece. Where a metric may have to
look for another extreme, a piece lists the keys of the rows. Nothing is kept between two changes but what the
store holds.
"""

# Its neighbours are found by the path of their folder, which mypy does not see:
# mypy: disable-error-code="import-not-found,misc"

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from bench_customer import EDGE, NEVER, SOURCES
from customer import Customer

DAY = 1440
MANY = 32  # entries of a piece of what falls due: a change does not rewrite a busy customer's whole day
LISTED = ("orders", "tickets")  # tables of whose rows extremes, first ones and last ones are kept


class Pieces(Protocol):
    """What a stream processor keeps for one key: values that JSON can say, by name."""

    def get(self, name: str) -> Any:
        """Return a piece, or None."""

    def set(self, name: str, value: Any) -> None:
        """Keep a piece."""

    def delete(self, name: str) -> None:
        """Forget a piece."""


class Kept(Customer):
    """One customer for the length of a change: `take`, then `keep`."""

    def __init__(self, name: str, pieces: Pieces) -> None:
        super().__init__(name)
        self.next: int = NEVER
        self.minute = 0
        self.days: dict[str, int] = {}  # entries of what falls due, by day; JSON has texts as keys
        profile = pieces.get("profile")
        if profile is not None:
            self.__dict__.update(zip(_NAMES, profile, strict=True))
        self._pieces = pieces
        self._due: dict[str, list[list[Any]]] = {}  # pieces of what falls due that were looked at
        self._changed: set[str] = set()
        for source in SOURCES:
            setattr(self, f"rows_{source}", _Rows(source, pieces))

    def take(self, now: int, op: str, source: str, *rest: Any) -> None:
        """Apply a change at a minute."""
        self.change(now, op, source, *rest)
        self.minute = now

    def keep(self) -> None:
        """Write what has changed."""
        for source in SOURCES:
            getattr(self, f"rows_{source}").keep()
        for name in self._changed:
            if self._due[name]:
                self._pieces.set(name, self._due[name])
            else:
                self._pieces.delete(name)
        held = vars(self)
        self._pieces.set("profile", [held[name] for name in _NAMES])

    def document(self) -> dict[str, Any]:
        """Return what is written to the store: metrics, scores and tags at a minute."""
        scores = self.scores(self.minute) if self.rfm_last else (0, 0, 0)
        tags = [name for place, name in enumerate(self.TAGS) if self.tags >> place & 1]
        metrics = dict(zip(self.METRICS, self.answer(), strict=True))
        return {"minute": self.minute, "metrics": metrics, "rfm": list(scores), "tags": tags}

    def push(self, due: int, what: int, one: Any, two: Any) -> None:
        """Note what falls due at a minute; a row by its key and position."""
        day = str(due // DAY)
        count = self.days.get(day, 0)
        name = f"due {day} {count // MANY}"
        self._piece(name).append([due, what, one, [two[1], two[3]] if what == EDGE else two])
        self._changed.add(name)
        self.days[day] = count + 1
        self.next = min(self.next, due)

    def fallen(self, due: int) -> list[tuple[Any, ...]]:
        """Take out what falls due at the next minute; of rows only those that are as they were."""
        day = due // DAY
        entries = self._of(day)
        rest = [entry for entry in entries if entry[0] != due]
        for first in range(0, len(entries), MANY):
            name = f"due {day} {first // MANY}"
            self._due[name] = rest[first : first + MANY]
            self._changed.add(name)
        if rest:
            self.days[str(day)] = len(rest)
        else:
            del self.days[str(day)]
            rest = self._of(min(map(int, self.days))) if self.days else []
        self.next = min((entry[0] for entry in rest), default=NEVER)
        found = [entry[1:] for entry in entries if entry[0] == due]
        return [entry for what, one, two in found if (entry := self._resolved(what, one, two))]

    def _resolved(self, what: int, one: Any, two: Any) -> tuple[Any, ...] | None:
        if what != EDGE:
            return what, one, two
        row = getattr(self, f"rows_{one}").get(two[0])
        return (what, one, row) if row is not None and row[3] == two[1] else None

    def passed(self, source: str, row: list[Any]) -> None:
        """Keep a row's new stage."""
        getattr(self, f"rows_{source}").rewrite(row)

    def _of(self, day: int) -> list[list[Any]]:
        pieces = -(-self.days[str(day)] // MANY)
        return [entry for number in range(pieces) for entry in self._piece(f"due {day} {number}")]

    def _piece(self, name: str) -> list[list[Any]]:
        if name not in self._due:
            self._due[name] = self._pieces.get(name) or []
        return self._due[name]


class _Rows:
    """A customer's rows of one table, written when `keep` is called."""

    def __init__(self, source: str, pieces: Pieces) -> None:
        self._source, self._pieces = source, pieces
        self._changed: dict[int, list[Any] | None] = {}
        self._more: dict[int, int] = {}  # 1 for a key that came, -1 for one that went

    def get(self, key: int) -> Any:
        """Return a row, or None."""
        return self._changed[key] if key in self._changed else self._pieces.get(f"{self._source} {key}")

    def __setitem__(self, key: int, row: list[Any]) -> None:
        self._changed[key] = row
        self._more[key] = self._more.get(key, 0) + 1

    def __delitem__(self, key: int) -> None:
        self._changed[key] = None
        self._more[key] = self._more.get(key, 0) - 1

    def rewrite(self, row: list[Any]) -> None:
        """Write a row that is there already."""
        self._changed[row[1]] = row

    def values(self) -> Iterator[list[Any]]:
        """Yield all rows."""
        return (self.get(key) for key in self._keys())

    def keep(self) -> None:
        """Write what has changed."""
        if self._source in LISTED and any(self._more.values()):
            self._pieces.set(f"keys {self._source}", self._keys())
        for key, row in self._changed.items():
            if row is None:
                self._pieces.delete(f"{self._source} {key}")
            else:
                self._pieces.set(f"{self._source} {key}", row)

    def _keys(self) -> list[int]:
        held = self._pieces.get(f"keys {self._source}") or []
        gone = {key for key, more in self._more.items() if more < 0}
        came = [key for key, more in self._more.items() if more > 0]
        return [key for key in held if key not in gone] + came if gone else held + came


_NOT_KEPT = {"name", "log", "heap", "sequence", *(f"rows_{source}" for source in SOURCES)}
_NAMES = [*(name for name in vars(Customer("")) if name not in _NOT_KEPT), "minute", "days"]
