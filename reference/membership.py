"""One tag of one customer: truth, candidate, stickiness, longest time, hand (semantics G1)."""

from __future__ import annotations

from dataclasses import dataclass, field

from profiles.windows import parse_length
from tags.tag import Tag


@dataclass(frozen=True)
class Manual:
    """A tag set by hand: on or off, until a minute or (None) until removed."""

    on: bool
    until: int | None


@dataclass
class Membership:
    """The state of one (customer, tag).

    ``candidate``: by rule alone; ``begin``: minute since it is; ``ended``: minute at which truth ended while
    it lasts by ``sticky``; ``spent``: ``max`` has ended it and truth has not been false since.
    """

    tag: Tag
    truth: bool = False
    candidate: bool = False
    begin: int = 0
    ended: int | None = None
    spent: bool = False
    manual: Manual | None = None
    sticky: int | None = field(init=False)
    longest: int | None = field(init=False)

    def __post_init__(self) -> None:
        self.sticky = parse_length(self.tag.sticky) if self.tag.sticky else None
        self.longest = parse_length(self.tag.max) if self.tag.max else None

    def judge(self, minute: int, truth: bool) -> bool:
        """Take the rule's truth at a judgement; return whether it is candidate then, hand included."""
        self.truth = truth
        if truth:
            if not self.candidate and not self.spent:
                self.candidate, self.begin = True, minute
            self.ended = None
        else:
            self.spent = False
            if self.candidate and self.ended is None:
                self.ended = minute
            if self.candidate and minute >= self._falls():
                self.candidate = False
        if self.candidate and self.longest is not None and minute >= self.begin + self.longest:
            self.candidate, self.spent = False, truth
        if self.manual and self.manual.until is not None and minute >= self.manual.until:
            self.manual = None
        return self.manual.on if self.manual else self.candidate

    def due(self) -> list[int]:
        """Return the minutes at which this state changes although nothing happens: judge then."""
        found = []
        if self.manual and self.manual.until is not None:
            found.append(self.manual.until)
        if self.candidate and self.ended is not None:
            found.append(self._falls())
        if self.candidate and self.longest is not None:
            found.append(self.begin + self.longest)
        return found

    def _falls(self) -> int:
        assert self.ended is not None
        return self.ended + (self.sticky or 0)
