"""The simulated shop: months of history, then minute after minute as its database would change.

Pure and seeded: the same seed gives the same changes, whatever the pace at which they are asked for.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from app.demo.lives import HOUR, Change, Lives
from app.demo.people import CATEGORIES, DAY, LEVELS, Person, joiner, people
from app.demo.wishes import YEAR, Wishes

CUSTOMERS = 600
HISTORY_DAYS = 300
# Customers for whom this ends within the first live day: sixty quiet days, ninety, a level's eleven months.
TURNING_SILENT, TURNING_DORMANT = 8, 16
ONE_LEVEL_IN = 8
LEVEL_WARNING = YEAR - 30 * DAY
# What happens in an average minute, in a shop of this size on a day of a sale.
SESSIONS, ORDERS, TICKETS, CONSENTS, LEVEL_CHANGES = 0.35, 0.03, 0.012, 0.006, 0.008
JOINING, RESTOCKS = 0.008, 0.006
FIRST_JOINER = 5001
# How busy the hours of the shop's day are; the mean is 1.
HOURS = (
    0.3, 0.1, 0.1, 0.1, 0.1, 0.2, 0.4, 0.8, 1.1, 1.4, 1.5, 1.3,
    1.4, 1.2, 1.1, 1.1, 1.1, 1.2, 1.4, 1.8, 2.1, 2.0, 1.4, 0.8,
)  # fmt: skip


class Simulation:
    """A shop in ``zone`` whose live time begins at minute ``start``."""

    def __init__(self, seed: int, start: int, zone: str, customers: int = CUSTOMERS) -> None:
        self.start = start
        offset = datetime.fromtimestamp(start * 60, ZoneInfo(zone)).utcoffset()
        self._zone_minutes = 0 if offset is None else int(offset.total_seconds()) // 60
        self.rng = np.random.default_rng(seed)
        self.lives = Lives(self.rng, zone)
        self.wishes = Wishes(self.lives)
        self.people = people(self.rng, customers, start)
        weights = np.array([person.eagerness for person in self.people])
        self._levels = {person.member: person.level for person in self.people}
        self._joined = FIRST_JOINER
        self._chances = weights / weights.sum()
        self._coming: list[tuple[int, int, Change]] = []  # a heap by minute, then by order of drawing
        self._drawn = 0
        self._past = sorted(self._draw_past(), key=lambda change: change.minute)

    def history(self) -> dict[str, list[Change]]:
        """Return the tables as they stand before ``start``: source -> the last change of each row."""
        tables: dict[str, dict[str, Change]] = {}
        for change in self._past:
            key = next(iter(change.row.values()))
            tables.setdefault(change.source, {})[str(key)] = change
        return {source: list(rows.values()) for source, rows in tables.items()}

    def minute(self, minute: int) -> list[Change]:
        """Return the changes of the next minute, in order. Minutes are asked for one after the other."""
        self._draw_live(minute)
        found = []
        while self._coming and self._coming[0][0] <= minute:
            found.append(heapq.heappop(self._coming)[2])
        return found

    def expect(self, changes: Iterable[Change]) -> None:
        """Put changes of live minutes in line."""
        for change in changes:
            heapq.heappush(self._coming, (change.minute, self._drawn, change))
            self._drawn += 1

    def _draw_past(self) -> Iterator[Change]:
        """Yield what happened before the start; what goes on after it is put in line."""
        for person in self.people:
            for change in self._life(person):
                if change.minute < self.start:
                    yield change
                else:
                    self.expect([change])

    def _life(self, person: Person) -> Iterator[Change]:
        yield self.lives.member(person)
        if person.consents:
            yield self.lives.consent(person, self._before(HISTORY_DAYS), True)
        for minute in self._order_minutes(person):
            yield from self.lives.order(person, minute, self._category(person))
        for _ in range(int(self.rng.poisson(2 * person.eagerness))):
            yield self.lives.view(person, self._before(8), self.lives.product(self._category(person)))
        if self.lives.happens(0.3):
            product = self.lives.product(person.favourite)
            yield from self.wishes.restock(person, self._before(40), product)
        if person.level != LEVELS[0]:
            turning = self.lives.happens(1 / ONE_LEVEL_IN)
            since = self.start - LEVEL_WARNING + self.lives.between(30, DAY) if turning else self._before(300)
            yield self.wishes.level(person, since, person.level, "up")
        if self.lives.happens(0.15):
            yield from self.lives.ticket(person, self._before(80))

    def _order_minutes(self, person: Person) -> list[int]:
        """Draw a person's past orders; a part of the people has lapsed, some turn silent on the first day."""
        count = int(self.rng.poisson(3.2 * person.eagerness))
        if person.number <= TURNING_DORMANT:
            quiet_days = 60 if person.number <= TURNING_SILENT else 90
            ended = self.start - quiet_days * DAY + self.lives.between(30, DAY)
            return [ended - self.lives.between(1, 200 * DAY) for _ in range(count + 1)] + [ended]
        quiet = self.lives.between(61, 240) if self.lives.happens(0.25) else 0
        minutes = [self._before(HISTORY_DAYS) for _ in range(count)]
        return [minute for minute in minutes if minute < self.start - quiet * DAY]

    def _before(self, days: int) -> int:
        return self.start - self.lives.between(1, days * DAY)

    def _category(self, person: Person) -> str:
        return (
            person.favourite
            if self.lives.happens(0.6)
            else CATEGORIES[self.lives.between(0, len(CATEGORIES))]
        )

    def _draw_live(self, minute: int) -> None:
        """Draw what begins in this minute."""
        busy = HOURS[(minute + self._zone_minutes) // HOUR % 24]
        for _ in range(int(self.rng.poisson(SESSIONS * busy))):
            self._session(self._somebody(), minute)
        for _ in range(int(self.rng.poisson(ORDERS * busy))):
            person = self._somebody()
            self.expect(self.lives.order(person, minute, self._category(person)))
        for _ in range(int(self.rng.poisson(TICKETS * busy))):
            self.expect(self.lives.ticket(self._somebody(), minute))
        for _ in range(int(self.rng.poisson(CONSENTS * busy))):
            self.expect([self.lives.consent(self._somebody(), minute, self.lives.happens(0.7))])
        for _ in range(int(self.rng.poisson(LEVEL_CHANGES * busy))):
            self.expect(self._change_level(self._somebody(), minute))
        for _ in range(int(self.rng.poisson(JOINING * busy))):
            self.expect(self._join(minute))
        for _ in range(int(self.rng.poisson(RESTOCKS * busy))):
            person = self._somebody()
            product = self.lives.product(person.favourite)
            self.expect(self.wishes.restock(person, minute, product))

    def _session(self, person: Person, minute: int) -> None:
        """Somebody looks around for a few minutes, mostly at one product; about one in eight buys."""
        category, at = self._category(person), minute
        product = self.lives.product(category)
        for _ in range(self.lives.between(1, 6)):
            self.expect([self.lives.view(person, at, product)])
            at += self.lives.between(0, 4)
            if self.lives.happens(0.4):
                product = self.lives.product(category)
        ordered = at + 1 if self.lives.happens(0.12) else None
        if ordered is not None or self.lives.happens(0.2):
            self.expect(self.wishes.cart(person, at, product, ordered))
        if ordered is not None:
            self.expect(self.lives.order(person, ordered, category))

    def _change_level(self, person: Person, minute: int) -> list[Change]:
        """A level rises by one, or falls: the member's row changes, its date of joining stays."""
        now = LEVELS.index(self._levels[person.member])
        rises = now == 0 or (now < len(LEVELS) - 1 and self.lives.happens(0.6))
        level = LEVELS[now + 1 if rises else now - 1]
        self._levels[person.member] = level
        member = self.lives.member(person).row | {"level": level}
        direction = "up" if rises else "down"
        return [Change(minute, "members", "update", member),
                self.wishes.level(person, minute, level, direction)]  # fmt: skip

    def _join(self, minute: int) -> list[Change]:
        """Somebody becomes a member; most agree to messages on the same form."""
        person = joiner(self.rng, self._joined, minute)
        self._joined += 1
        came = [self.lives.member(person)]
        if person.consents:
            came.append(self.lives.consent(person, minute, True))
        return came

    def _somebody(self) -> Person:
        """Draw a customer, the eager ones more often."""
        return self.people[int(self.rng.choice(len(self.people), p=self._chances))]
