"""Decisions and changes of tags from the store's outbox; a cursor has one number for each partition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from console.form import Concluded
from console.problems import refuse
from engine.outcome import Decision, Transition
from sinks.store.store import Page, Store
from streams.identity.partition import id_pairs, partitions_of

_PAGES = 20  # of a partition, read at once: up to 10,000 effects
_MOST_PAGES = 100  # of a partition, looked through for one answer
Effect = TypeVar("Effect", Decision, Transition)


class _Marked(msgspec.Struct):
    """What tells effects apart. trigger: of a decision only."""

    customer: str
    seq: int
    trigger: str | None = None


@dataclass(frozen=True)
class _Part(Generic[Effect]):
    """What one partition has behind a cursor: effects in order; end: the cursor behind all that was read."""

    effects: list[Effect]
    end: int


class OutboxEffects:
    """A store's; a `console.form.Effects`. Of each partition they come in the order of their numbers."""

    def __init__(self, store: Store, partitions: int) -> None:
        self._store, self._partitions = store, partitions

    def decisions(
        self, cursor: str | None, limit: int, customer: bytes | None
    ) -> tuple[list[Concluded], str]:
        """Return decisions behind a cursor, and the cursor behind them. Raises Problem."""
        found, last = self._page(Decision, cursor, limit, customer)
        return [Concluded(one, None) for one in found], last

    def tag_changes(
        self, cursor: str | None, limit: int, customer: bytes | None
    ) -> tuple[list[Transition], str]:
        """Return changes of tags and segments behind a cursor, and the cursor behind them. Raises Problem."""
        return self._page(Transition, cursor, limit, customer)

    def _page(
        self, kind: type[Effect], cursor: str | None, limit: int, customer: bytes | None
    ) -> tuple[list[Effect], str]:
        at = self._begin() if cursor is None else self._read(cursor)
        asked: Sequence[int] = range(self._partitions)
        if customer is not None:
            asked = partitions_of(*id_pairs([customer]), self._partitions).tolist()
        whose = None if customer is None else customer.hex()
        parts = {number: self._part(kind, number, at[number], limit, whose) for number in asked}
        merged = [one for part in parts.values() for one in part.effects]
        merged.sort(key=lambda one: (one.minute, one.partition, one.seq))
        left = {one.partition: one.seq for one in reversed(merged[limit:])}
        for number, part in parts.items():
            at[number] = left.get(number, part.end)
        return merged[:limit], ".".join(map(str, at))

    def _begin(self) -> list[int]:
        """Return the cursor of the oldest that is kept."""
        firsts = [self._store.first_effect(number) for number in range(self._partitions)]
        heads = self._store.read(self._partitions, [])[0]
        return [
            head.effects if first is None else first for first, head in zip(firsts, heads, strict=True)
        ]

    def _read(self, cursor: str) -> list[int]:
        numbers = ["0"] * self._partitions if cursor == "0" else cursor.split(".")
        if len(numbers) != self._partitions or not all(0 < len(one) <= 18 for one in numbers):
            refuse("invalid-request", f"query.cursor: '{cursor}' is none of this shop's {self._partitions} "
                   "partitions", "give `next` of the page before, or leave it out to begin")  # fmt: skip
        return [int(one) for one in numbers]

    def _part(
        self, kind: type[Effect], number: int, after: int, limit: int, whose: str | None
    ) -> _Part[Effect]:
        """Read one partition until there is enough."""
        end, found = after, list[Effect]()
        newest = self._store.head(number).effects
        for _ in range(_MOST_PAGES // _PAGES):
            pages = self._store.pages(number, end, _PAGES)
            if (pages[0].first if pages else newest) > end:
                refuse("cursor-gone", f"partition {number}: the outbox has nothing before "
                       f"{pages[0].first if pages else newest}, and the cursor says {end}",
                       "read the topics of decisions and tag changes, or begin without a cursor")  # fmt: skip
            for page in pages:
                found += [one for one in _of_page(kind, page, whose) if one.seq >= end]
                end = page.last + 1
                if len(found) >= limit:
                    return _Part(found[:limit], found[limit - 1].seq + 1)
            if len(pages) < _PAGES:
                break
        return _Part(found, end)


def _of_page(kind: type[Effect], page: Page, whose: str | None) -> list[Effect]:
    """Return a page's effects of a kind, of one customer or all."""
    is_decision = kind is Decision
    if is_decision and not page.decisions:
        return []
    decode: Callable[[bytes], Effect] = msgspec.json.Decoder(kind).decode
    marks = msgspec.json.decode(page.body, type=list[_Marked])
    return [
        decode(bytes(raw))
        for raw, mark in zip(msgspec.json.decode(page.body, type=list[msgspec.Raw]), marks, strict=True)
        if (mark.trigger is not None) == is_decision and whose in (None, mark.customer)
    ]
