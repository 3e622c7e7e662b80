"""What slots hold for many customers, byte for byte what a plain reading of the rules says."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest

from sinks.recommendations.answer import items_of
from sinks.recommendations.choose import Whom, choose
from sinks.recommendations.customer import RECENT, Customer, Touch, kept
from sinks.recommendations.declaration import Interest, Rules, Slot
from sinks.recommendations.interest import interest
from sinks.recommendations.model import Facts, Model
from sinks.recommendations.serving import Served
from sinks.recommendations.shelf import Shelf
from sinks.recommendations.shelves import Standing
from sinks.recommendations.words import Kept, words_of

NOW = 29_538_000
DAY = 1440
NEAR = 20
CATEGORIES = ["茶", '"杯"', "ware", "\n"]
INTERESTS = [
    Interest(source="lines", item="sku", weight=3, half_life="30d"),
    Interest(source="views", item="sku", act="viewed", half_life="7d"),
]
ACTS = [one.act for one in INTERESTS]
SLOTS = {
    "home": Slot(rules=Rules(in_stock=True, not_bought_within="90d", max_per_category=3)),
    "long": Slot(
        count=50, strategies=["again", "similar", "popular in tag vip", "popular in segment 冠军", "popular"]
    ),
    "bare": Slot(count=7, strategies=["similar"], reasons=False, rules=Rules(not_categories=["ware"])),
}
VIP, CHAMPION = "popular in tag vip", "popular in segment 冠军"


def world(rng: np.random.Generator, items: int) -> Shelf:
    """A model in which many are equally near and some have no neighbours, and a catalogue with gaps."""
    near = rng.integers(0, items, (items, NEAR)).astype(np.int32)
    scores = -np.sort(-rng.integers(1, 9, (items, NEAR)) / 8, axis=1).astype(np.float32)
    none = np.arange(NEAR) >= rng.integers(0, NEAR + 1, items)[:, None]
    near[none], scores[none] = -1, 0.0
    lists = {name: rng.permutation(items)[: items // 2].astype(np.int32) for name in (VIP, CHAMPION)}
    popular = {"popular": rng.permutation(items).astype(np.int32), **lists}
    names = [f"S{number:04d}" for number in range(items)]
    titles = [
        ({}, {"zh": f"商品{at}"}, {"zh": f"茶{at}", "en": f'"Tea"\t{at}'})[at % 3] for at in range(items)
    ]
    bare = Facts.none(items)
    facts = Facts(
        rng.random(items) < 0.95, titles, CATEGORIES, rng.integers(-1, 4, items).astype(np.int32),
        rng.integers(-1, 2, items).astype(np.int32), bare.margin, [f"{at}.90" for at in range(items)],
        ["" if at % 2 else f"https://shop.example/{at}.png?a=1&b=2" for at in range(items)], bare.link,
    )  # fmt: skip
    return Shelf(Model(names, near, scores, popular, NOW, 1, 1), facts, INTERESTS)


def somebody(rng: np.random.Generator, items: int) -> Whom:
    """Of nothing to more than counts; some of what they want is not in the model, some is dated ahead."""
    size = int(rng.choice([0, 1, 5, 60, 260]))
    kinds = rng.integers(0, 2, size).tolist()
    columns = [rng.integers(*ends, size).tolist() for ends in ((0, items + items // 10), (1, 9), (-2, 200))]
    touches = [
        Touch(f"S{at:04d}", kind, ACTS[kind], times, NOW - age * DAY)
        for kind, at, times, age in zip(kinds, *columns, strict=True)
    ]
    segments, tags = (frozenset({one} if rng.random() < 0.5 else ()) for one in ("冠军", "vip"))
    return Whom(Customer(kept(touches, 0)), segments, tags, NOW)


def felt(touches: list[Touch]) -> list[float]:
    kinds = [INTERESTS[one.kind] for one in touches]
    half_lives = [int(one.half_life[:-1]) * DAY for one in kinds]
    ages = [NOW - one.last for one in touches]
    much: list[float] = interest(
        [one.weight for one in kinds], [one.times for one in touches], ages, half_lives
    ).tolist()
    return much


def similar(on: Shelf, whom: Whom) -> list[tuple[int, Touch | None]]:
    """Items by the sum of what all touches say for them, each with the touch that says most, the first of
    equal ones."""
    known = [one for one in whom.customer.touches[:RECENT] if one.item in on.model.number]
    sums: dict[int, float] = {}
    most: dict[int, tuple[float, Touch]] = {}
    for touch, much in zip(known, felt(known), strict=True):
        mine = on.model.number[touch.item]
        near, scores = on.model.neighbours[mine].tolist(), on.model.scores[mine].tolist()
        for number, score in zip(near, scores, strict=True):
            sums[number] = sums.get(number, 0.0) + score * much
            if number not in most or score * much > most[number][0]:
                most[number] = score * much, touch
    sums.pop(-1, None)
    ordered = sorted(sums, key=lambda number: (-np.float32(sums[number]), number))
    return [(number, most[number][1]) for number in ordered]


def again(on: Shelf, whom: Whom) -> list[tuple[int, Touch | None]]:
    known = [one for one in whom.customer.touches if one.item in on.model.number and one.act == "bought"]
    newest = {on.model.number[one.item]: one for one in reversed(known)}
    numbers = sorted(newest)
    much = dict(zip(numbers, felt([newest[one] for one in numbers]), strict=True)) if numbers else {}
    return [(one, newest[one]) for one in sorted(numbers, key=lambda one: (-much[one], one))]


def offered(on: Shelf, strategy: str, whom: Whom) -> list[tuple[int, Touch | None]]:
    if strategy == "similar":
        return similar(on, whom)
    if strategy == "again":
        return again(on, whom)
    theirs = {"popular": True, VIP: "vip" in whom.tags, CHAMPION: "冠军" in whom.segments}[strategy]
    return [(one, None) for one in on.model.popular[strategy].tolist()] if theirs else []


def passes(on: Shelf, rules: Rules, number: int, whom: Whom) -> bool:
    category = int(on.facts.category[number])
    had = {one.item for one in whom.customer.touches if one.act == "bought" and one.last > NOW - 90 * DAY}
    return (
        bool(on.facts.listed[number])
        and not (rules.in_stock and on.facts.stock[number] <= 0)
        and not (category >= 0 and CATEGORIES[category] in rules.not_categories)
        and not (rules.not_bought_within is not None and on.model.items[number] in had)
    )


def by_hand(on: Shelf, slot: Slot, whom: Whom) -> str:
    """The items of a slot as the API is to write them."""
    found: list[dict[str, Any]] = []
    held: dict[int, int] = {}
    most = slot.rules.max_per_category
    for strategy in slot.strategies:
        for number, because in offered(on, strategy, whom):
            category, item = int(on.facts.category[number]), on.model.items[number]
            full = most is not None and held.get(category, 0) >= most
            if (
                len(found) == slot.count or any(one["id"] == item for one in found)
                or not passes(on, slot.rules, number, whom) or (full and category >= 0)
            ):  # fmt: skip
                continue
            held[category] = held.get(category, 0) + 1
            found.append(shown(on, slot, strategy, number, because))
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def shown(on: Shelf, slot: Slot, strategy: str, number: int, because: Touch | None) -> dict[str, Any]:
    facts, category = on.facts, int(on.facts.category[number])
    told = {
        "id": on.model.items[number], "title": facts.titles[number],
        "category": CATEGORIES[category] if category >= 0 else "", "price": facts.price[number],
        "image": facts.image[number], "link": "", "strategy": strategy,
    }  # fmt: skip
    if slot.reasons:
        act, item = (None, None) if because is None else (because.act, because.item)
        titles = {} if item is None else facts.titles[on.model.number[item]]
        text = words_of(strategy, act, item, titles)
        told["because"] = {"act": act, "item": item, "title": titles, "text": text}
    return told


@pytest.mark.parametrize("items", [30, 900])
@pytest.mark.parametrize("seed", range(3))
def test_slots_hold_what_a_plain_reading_says_for_everybody(items: int, seed: int) -> None:
    """Who comes first leaves nothing behind for who comes next, but what follows from the model alone."""
    rng = np.random.default_rng(seed)
    on, standing = world(rng, items), Standing("", "", "", 0.0, 0.0, {})
    for _ in range(120):
        whom = somebody(rng, items)
        for name, slot in SLOTS.items():
            served = Served(choose(on, name, slot, whom, True), True, on, standing, [], 0)
            assert msgspec.json.encode(items_of(served, slot)).decode() == by_hand(on, slot, whom)


def test_what_is_kept_written_is_written_anew_when_there_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sinks.recommendations.words._MOST", 2)
    asked: list[int] = []

    def write(number: int) -> bytes:
        asked.append(number)
        return str(number).encode()

    held = Kept(write)
    assert [held[number] for number in (1, 2, 1, 3, 1)] == [b"1", b"2", b"1", b"3", b"1"]
    assert (asked, len(held)) == ([1, 2, 3, 1], 2)
