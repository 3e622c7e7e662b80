"""Similarity, slots and their rules, without a server: a matrix small enough to be worked out by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rules.error import RuleError
from rules.schema import Schema
from sinks.history.condition import condition
from sinks.recommendations.catalogue import facts_of, read_file
from sinks.recommendations.choose import Whom, choose, may_personalise
from sinks.recommendations.customer import Consent, Customer, Touch, kept
from sinks.recommendations.declaration import (
    Catalogue,
    Interest,
    Personalised,
    Recommendations,
    Rules,
    Slot,
)
from sinks.recommendations.fit import Seen, fit
from sinks.recommendations.model import UNKNOWN_MARGIN, Facts, Model
from sinks.recommendations.profile import segments_and_tags
from sinks.recommendations.shelf import Shelf
from sinks.recommendations.words import words_of
from streams.errors import InputError
from tests.console.recommending_shop import ITEMS
from tests.streams.small_shop import ORDERS, shop

NOW = 29_538_000
DAY = 1440
# a with b by three customers, a with c by one; d by one who wants nothing else; e by nobody who wants another
BASKETS = {"1": "ab", "2": "ab", "3": "ab", "4": "ac", "5": "d", "6": "ad"}
INTERESTS = [Interest(source="lines", item="sku"), Interest(source="views", item="sku", act="viewed")]


def seen(baskets: dict[str, str] = BASKETS, age: int = 0) -> Seen:
    pairs = [(who, item) for who, items in sorted(baskets.items()) for item in sorted(items)]
    customers, items = sorted(baskets), sorted({item for _, item in pairs})
    ones = np.ones(len(pairs))
    return Seen(
        customers, items, np.array([customers.index(who) for who, _ in pairs]),
        np.array([items.index(item) for _, item in pairs]), ones.astype(np.int64),
        np.full(len(pairs), NOW - age), ones, ones * 60 * DAY,
    )  # fmt: skip


def neighbours(model: Model, item: str) -> dict[str, float]:
    at = model.number[item]
    pairs = zip(model.neighbours[at].tolist(), model.scores[at].tolist(), strict=True)
    return {model.items[number]: round(score, 5) for number, score in pairs if number >= 0}


def shelf(**facts: Any) -> Shelf:
    model = fit(seen(), {})
    return Shelf(model, replace(Facts.none(len(model.items)), **facts), INTERESTS)


def bought(item: str, days: int = 1, act: str = "bought", kind: int = 0) -> Touch:
    return Touch(item, kind, act, 1, NOW - days * DAY)


def whom(*touches: Touch, consents: tuple[Consent, ...] = (), **more: Any) -> Whom:
    given = {"segments": frozenset(), "tags": frozenset(), "clock": NOW, **more}
    return Whom(Customer(touches, consents), **given)


def ids(on: Shelf, slot: Slot, who: Whom, personalised: bool = True) -> str:
    return "".join(on.model.items[one.number] for one in choose(on, "slot", slot, who, personalised))


def test_similarity_is_the_cosine_that_is_worked_out_by_hand() -> None:
    """Four items; a customer of n items weighs ln(4) - ln(1 + n), each row by the length of its weights."""
    two, one = math.log(4 / 3), math.log(4 / 2)
    a, b, d = math.sqrt(5 * two**2), math.sqrt(3 * two**2), math.sqrt(two**2 + one**2)
    model = fit(seen(), {})
    found = neighbours(model, "a")
    assert found == {
        "b": round(3 * two**2 / (a * b), 5), "c": round(two**2 / (a * two), 5),
        "d": round(two**2 / (a * d), 5),
    }  # fmt: skip
    assert list(found) == ["b", "c", "d"]
    assert list(neighbours(model, "b")) == ["a"]


def test_equal_neighbours_stand_in_the_order_of_their_ids_and_the_same_rows_make_the_same_model() -> None:
    baskets = {"1": "xyz", "2": "xyz", "3": "xyz", "4": "vw"}
    model = fit(seen(baskets), {})
    assert list(neighbours(model, "x")) == ["y", "z"]
    assert fit(seen(baskets), {}).packed() == model.packed()


def test_a_model_keeps_so_many_neighbours_and_tells_what_it_was_made_of() -> None:
    model = fit(seen(), {}, neighbours=1)
    assert neighbours(model, "a").keys() == {"b"}
    assert (model.as_of, model.rows, model.customers) == (NOW, 11, 6)
    assert Model.unpacked(model.packed()).packed() == model.packed()
    assert fit(seen(), {}).coverage == 1.0


def test_what_is_popular_counts_half_after_the_half_life_and_with_some_only_theirs() -> None:
    some = seen({"1": "a", "2": "a", "3": "b"})
    some.last[:] = [NOW - 120 * DAY, NOW - 120 * DAY, NOW]  # two times a quarter against one
    model = fit(some, {"popular in tag x": np.array([True, False, False])})
    assert model.popular["popular"].tolist() == [1, 0]
    assert model.popular["popular in tag x"].tolist() == [0]


def test_nothing_seen_is_no_model() -> None:
    empty = seen()
    with pytest.raises(ValueError, match="nothing was seen"):
        fit(replace(empty, item=empty.item[:0]), {})


def test_similar_adds_up_over_what_a_customer_wanted_and_names_what_spoke_most() -> None:
    slot = Slot(count=5, strategies=["similar"])
    on = shelf()
    assert ids(on, slot, whom(bought("c"))) == "a"
    chosen = choose(on, "slot", slot, whom(bought("b"), bought("d")), True)
    assert [(on.model.items[one.number], one.because and one.because.item) for one in chosen] == [("a", "b")]
    chosen = choose(on, "slot", slot, whom(bought("b", days=200), bought("d")), True)
    assert [one.because and one.because.item for one in chosen] == ["d"]


def test_each_strategy_fills_what_those_before_left_open_and_nothing_stands_twice() -> None:
    on = shelf()
    assert ids(on, Slot(count=3, strategies=["similar", "popular"]), whom(bought("c"))) == "abd"
    assert ids(on, Slot(count=2, strategies=["similar", "popular"]), whom(bought("c"))) == "ab"
    assert ids(on, Slot(strategies=["again"]), whom(bought("c"), bought("d", 90))) == "cd"
    assert ids(on, Slot(strategies=["again"]), whom(bought("c", act="viewed", kind=1))) == ""
    assert ids(on, Slot(strategies=["similar"]), whom(bought("gone"))) == ""


def test_what_is_popular_with_some_is_for_them_only() -> None:
    theirs = {"popular in tag vip": np.arange(6) == 4, "popular in segment 冠军": np.arange(6) == 3}
    model = fit(seen(), theirs)
    on = Shelf(model, Facts.none(4), INTERESTS)
    slot = Slot(strategies=["popular in tag vip", "popular in segment 冠军"])
    assert ids(on, slot, whom()) == ""
    assert ids(on, slot, whom(tags=frozenset({"vip"}))) == "d"
    assert ids(on, slot, whom(segments=frozenset({"冠军"}))) == "ac"


RULES = [
    (Rules(in_stock=True), {"stock": np.array([1, 0, -1, 1], np.int32)}, "ad"),
    (Rules(min_margin=20), {"margin": np.array([2000, 1999, UNKNOWN_MARGIN, 9000], np.int32)}, "ad"),
    (Rules(categories=["茶"]), {}, "ab"),
    (Rules(not_categories=["茶"]), {}, "cd"),
    (Rules(max_per_category=1), {}, "acd"),
    (Rules(max_per_category=1), {"category": np.array([-1, -1, 1, 1], np.int32)}, "abd"),
    (Rules(not_bought_within="30d"), {}, "acd"),
    (Rules(), {"listed": np.array([True, True, False, True])}, "abd"),
]


@pytest.mark.parametrize(("rules", "facts", "left"), RULES)
def test_each_rule_leaves_out_what_it_says(rules: Rules, facts: dict[str, Any], left: str) -> None:
    """a and b are teas, c has no category, d is a cup; b was bought a day ago, a a hundred days ago."""
    categories = {"categories": ["杯", "茶"], "category": np.array([1, 1, -1, 0], np.int32)}
    slot = Slot(strategies=["popular"], rules=rules)
    found = ids(shelf(**{**categories, **facts}), slot, whom(bought("b"), bought("a", 100)))
    assert sorted(found) == list(left)


def test_what_was_viewed_is_not_bought_and_what_was_bought_long_ago_may_come_again() -> None:
    slot = Slot(strategies=["popular"], rules=Rules(not_bought_within="30d"))
    touches = bought("a", act="viewed", kind=1), bought("b", 30), bought("c", 29)
    assert sorted(ids(shelf(), slot, whom(*touches))) == ["a", "b", "d"]


def test_whoever_must_not_be_personalised_gets_what_is_popular_with_all() -> None:
    slot = Slot(strategies=["again", "similar"], rules=Rules(not_bought_within="30d"))
    assert ids(shelf(), slot, whom(bought("a"), bought("d")), personalised=False) == "abdc"


@pytest.mark.parametrize(
    ("asked", "consents", "tags", "may"),
    [
        (Personalised(), (), (), True),
        (Personalised(consent="web/profile"), (), (), False),
        (Personalised(consent="web/profile"), (Consent("web/profile"),), (), True),
        (Personalised(consent="web/profile"), (Consent("sms/profile"),), (), False),
        (Personalised(consent="web/profile"), (Consent("web/profile", NOW),), (), False),
        (Personalised(consent="web/profile"), (Consent("web/profile", NOW + 1),), (), True),
        (Personalised(unless_tag="拒绝"), (), ("拒绝",), False),
        (Personalised(unless_tag="拒绝"), (), ("vip",), True),
        (Personalised(consent="web/profile", unless_tag="拒绝"), (Consent("web/profile"),), ("拒绝",), False),
    ],
)
def test_a_missing_or_ended_consent_means_no_and_so_does_a_tag_that_refuses(
    asked: Personalised, consents: tuple[Consent, ...], tags: tuple[str, ...], may: bool
) -> None:
    assert may_personalise(asked, whom(consents=consents, tags=frozenset(tags))) is may


def test_all_that_was_bought_in_the_longest_window_is_kept_and_otherwise_the_newest() -> None:
    views = [bought(f"v{n:03d}", days=0, act="viewed", kind=1) for n in range(300)]
    old, older = bought("old", 20), bought("older", 40)
    found = kept([older, old, *views], NOW - 30 * DAY)
    assert len(found) == 201
    assert found[-1] is old
    assert len(kept([older, old, *views], None)) == 200
    packed = Customer(found, [Consent("web/profile", 7)]).packed()
    assert Customer.unpacked(packed).packed() == packed


def test_segments_are_known_by_their_names_and_by_the_model_too() -> None:
    rfm = {"main": {"recent": 7, "segment": "冠军"}, "b": None, "c": {"segment": None}}
    document = {"id": "x", "rfm": rfm, "metrics": {"orders": 2}, "tags": {"vip": {"since": 1}}}
    found = segments_and_tags(json.dumps(document).encode())
    assert found == (frozenset({"冠军", "main/冠军"}), frozenset({"vip"}))


CATALOGUE = Catalogue(
    file="items.csv", item="sku", title={"zh": "name_zh", "en": "name_en"}, category="kind", price="price",
    stock="stock", margin="margin",
)  # fmt: skip


def test_a_catalogue_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text(ITEMS, encoding="utf-8")
    facts = facts_of(read_file(path, CATALOGUE), CATALOGUE, ["C1", "T3", "T9"], "items.csv")
    assert facts.listed.tolist() == [True, True, False]
    assert facts.titles == [{"zh": "茶杯", "en": "Cup"}, {"zh": "普洱", "en": "Pu'er"}, {}]
    assert [facts.categories[n] for n in facts.category[:2]] == ["ware", "dark"]
    assert (facts.stock.tolist(), facts.margin.tolist()) == ([1, 0, -1], [6000, 5000, UNKNOWN_MARGIN])
    assert facts.price == ["15.00", "80.00", ""]
    assert Facts.unpacked(facts.packed()).packed() == facts.packed()


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("C1,茶杯", ",茶杯", "items.csv:6: 'sku' is empty"),
        ("15.00,100,60", "15.00,100,viel", "the margin of 'C1', 'viel', is no percent"),
        ("15.00,100,60", "15.00,100,1e9", "the margin of 'C1', '1e9', is no percent"),
        ("15.00,100,60", "15.00,100", "6 fields where the heading has 7"),
        ("kind", "sort", "column 'kind' is missing"),
    ],
)
def test_a_catalogue_that_is_wrong_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    path = tmp_path / "items.csv"
    path.write_text(ITEMS.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError) as raised:
        facts_of(read_file(path, CATALOGUE), CATALOGUE, ["C1"], str(path))
    assert problem in str(raised.value)


WHERE = [
    ('status == "已付款"', "ifNull(`status` = CAST('已付款' AS String), 0)"),
    ('status != "x"', "ifNull(`status` != CAST('x' AS String), 1)"),
    ("amount > 500 && !(amount >= 900)", "(ifNull(`amount` > 500, 0) AND NOT ifNull(`amount` >= 900, 0))"),
    ('status in ["a", "it\'s"]', "ifNull(`status` IN (CAST('a' AS String), CAST('it\\'s' AS String)), 0)"),
]


@pytest.mark.parametrize(("rule", "sql"), WHERE)
def test_a_rule_over_rows_is_written_as_sql_in_which_null_is_false(rule: str, sql: str) -> None:
    made = shop(orders=ORDERS)
    assert condition(rule, Schema.build(made.sources, {}, [], {}), "orders") == sql


def test_arithmetic_in_a_rule_over_rows_is_refused() -> None:
    made = shop(orders=ORDERS)
    with pytest.raises(RuleError, match="arithmetic is not read here"):
        condition("amount + amount > 500", Schema.build(made.sources, {}, [], {}), "orders")


def test_lists_and_consents_of_all_slots_are_known() -> None:
    slots = {
        "a": Slot(strategies=["popular in tag x", "popular in segment y"]),
        "b": Slot(strategies=["popular in tag x"], personalised=Personalised(consent="web/profile")),
    }
    declared = Recommendations(interests=INTERESTS, slots=slots)
    assert declared.lists() == [
        ("popular in tag x", "tag", "x"), ("popular in segment y", "segment", "y"),
    ]  # fmt: skip
    assert declared.consents() == ["web/profile"]


@pytest.mark.parametrize(
    ("act", "chinese", "english"),
    [
        ("bought", "因为您买过龙井", "Because you bought A7"),
        ("added", "因为您加购过龙井", "Because you put A7 into your basket"),
        ("liked", "因为您收藏过龙井", "Because you liked A7"),
        ("viewed", "因为您看过龙井", "Because you looked at A7"),
    ],
)
def test_each_act_has_its_words_with_the_title_or_the_id(act: str, chinese: str, english: str) -> None:
    assert words_of("similar", act, "A7", {"zh": "龙井"}) == {"zh": chinese, "en": english}


@pytest.mark.parametrize("seed", range(4))
def test_equal_sums_stand_in_the_order_of_numbers_however_long_the_list_is(seed: int) -> None:
    """What is taken out first, as the best, and what stands behind it are one order."""
    rng = np.random.default_rng(seed)
    items, near = [f"{number:04d}" for number in range(900)], rng.integers(0, 900, (900, 20))
    near[::3, 15:] = -1  # no more neighbours
    scores = rng.integers(1, 4, (900, 20)) / 4  # few values: many equal sums
    model = Model(items, near.astype(np.int32), scores.astype(np.float32), {}, NOW, 1, 1)
    touches, others = ([bought(items[at], 0) for at in range(first, first + 40)] for first in (0, 40))
    pairs = [list(zip(near[at].tolist(), scores[at].tolist(), strict=True)) for at in range(40)]
    sums: dict[int, float] = {}
    for number, score in (pair for some in pairs for pair in some):
        sums[number] = sums.get(number, 0.0) + score
    del sums[-1]
    by_hand = sorted(sums, key=lambda number: (-sums[number], number))
    slot = Slot(count=50, strategies=["similar"])
    for best in (0, 20, 40, 300):
        facts = Facts.none(900)
        facts.listed[by_hand[:best]] = False  # the best are not for this slot
        on = Shelf(model, facts, INTERESTS)
        choose(on, "slot", slot, whom(*others), True)  # leaves nothing behind
        found = choose(on, "slot", slot, whom(*touches), True)
        assert [one.number for one in found] == by_hand[best : best + 50]
        for one in found:
            spoke = [max((score for number, score in some if number == one.number), default=0.0)
                     for some in pairs]  # fmt: skip
            assert one.because == touches[spoke.index(max(spoke))]
