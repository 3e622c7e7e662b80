"""Who buys in the simulated shop, drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

DAY = 1440
CITIES = ("上海", "北京", "杭州", "广州", "成都", "武汉")
LEVELS = ("普通", "银卡", "金卡")
CATEGORIES = ("鞋", "包", "大衣", "手机", "茶具", "童装")
PRICES = {"鞋": 260, "包": 420, "大衣": 680, "手机": 1900, "茶具": 150, "童装": 120}  # yuan, medians


@dataclass(frozen=True)
class Person:
    """One customer: ``eagerness`` multiplies how often they buy and look; ``joined``: epoch minute."""

    number: int
    city: str
    level: str
    favourite: str
    eagerness: float
    joined: int
    born: str
    consents: bool
    language: str = "zh"

    @property
    def member(self) -> str:
        return f"M{self.number:04d}"

    @property
    def phone(self) -> str:
        return f"1380000{self.number:04d}"

    @property
    def device(self) -> str:
        return f"D{self.number:04d}"


def joiner(rng: np.random.Generator, number: int, minute: int) -> Person:
    """Return a customer who joins at this minute, at the lowest level."""
    return replace(_person(rng, number, minute), joined=minute, level=LEVELS[0])


def people(rng: np.random.Generator, count: int, start: int) -> list[Person]:
    """Return ``count`` customers who joined before minute ``start``, numbered from 1.

    Eagerness is log-normal: a few buy a great deal, most a little, as in every real shop.
    """
    return [_person(rng, number, start) for number in range(1, count + 1)]


def _person(rng: np.random.Generator, number: int, start: int) -> Person:
    eagerness = float(rng.lognormal(0.0, 0.9))
    level = 0 if eagerness < 1.3 else 1 if eagerness < 2.6 else 2
    born = f"{rng.integers(1960, 2005)}-{rng.integers(1, 13):02d}-{rng.integers(1, 29):02d}"
    return Person(
        number,
        city=CITIES[int(rng.choice(len(CITIES), p=(0.3, 0.2, 0.15, 0.15, 0.1, 0.1)))],
        level=LEVELS[level],
        favourite=CATEGORIES[int(rng.integers(len(CATEGORIES)))],
        eagerness=eagerness,
        joined=start - int(rng.integers(310 * DAY, 1400 * DAY)),
        born=born,
        consents=bool(rng.random() < 0.7),
        language="en" if rng.random() < 0.08 else "zh",
    )


def price_fen(rng: np.random.Generator, category: str) -> int:
    """Return the price of one order in fen, around the category's median."""
    return int(PRICES[category] * 100 * float(rng.lognormal(0.0, 0.45)))
