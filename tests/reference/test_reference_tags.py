"""Tags of the recompute: truth, candidates, groups, hands and memory, against lives worked out by hand."""

from __future__ import annotations

import pytest

from reference.judged import path_dependent
from reference.pieces import Pieces
from reference.transitions import replay_small
from reference.units import units_in_order
from streams.errors import InputError
from tags.tag import Tag

DAY = 1440


def tag(rule: str | None = None, **more: object) -> Tag:
    return Tag.model_validate({"rule": rule} | more)


def changes(book, until=None):
    """(minute, step, tag, entered, since) of each transition of a tag."""
    found = replay_small(book.pieces, book.frames(), book.control(), until)
    return [(c.minute, c.step, c.name, c.after, c.since) for c in found if c.kind == "tag"]


def held(book, minute, customer=1, replay=False):
    """Return the tags a customer holds at a minute."""
    who = f"{customer:032x}"
    member = book.at(minute, replay=[who] if replay else []).member.loc[who]
    return sorted(name for name, holds in member.items() if holds is not None and holds == True)  # noqa: E712 - pd.NA is neither


def test_a_tag_lives_as_long_as_its_rule_is_true(shelf):
    """G1, T3: it enters at the step and ends at the minute its window lets the row go."""
    book = shelf.orders(tags={"busy": tag('count(orders, "10m") >= 1')})
    step = book.row("orders", 1, minute=100)
    book.tick(200)
    assert changes(book) == [(100, step, "busy", True, 100), (110, None, "busy", False, 100)]
    assert [held(book, at) for at in (99 + 1, 109, 110)] == [["busy"], ["busy"], []]


def test_each_change_of_one_minute_is_judged_by_itself(shelf):
    """G3: an order and its cancellation in one batch are two judgements."""
    book = shelf.orders(tags={"gold": tag("sum(orders.amount) > 10")})
    first = book.row("orders", 1, minute=100, amount=11)
    second = book.row("orders", 1, minute=100, op="delete")
    assert changes(book) == [(100, first, "gold", True, 100), (100, second, "gold", False, 100)]


def test_since_is_the_engines_minute_and_never_event_time(shelf):
    """G3: an order of 90 that arrives at 107 makes the member since 107."""
    book = shelf.orders(tags={"gold": tag("sum(orders.amount) > 10")})
    step = book.row("orders", 1, minute=107, event=90, amount=11)
    assert changes(book) == [(107, step, "gold", True, 107)]


def test_sticky_keeps_a_member_until_its_length_after_the_truth_ended(shelf):
    """G1: at advance(end + sticky) it falls."""
    book = shelf.orders(tags={"busy": tag('count(orders, "10m") >= 1', sticky="5m")})
    step = book.row("orders", 1, minute=100)
    book.tick(200)
    assert changes(book) == [(100, step, "busy", True, 100), (115, None, "busy", False, 100)]
    assert [held(book, at, replay=True) for at in (114, 115)] == [["busy"], []]


def test_truth_that_comes_back_within_sticky_goes_on_as_one_membership(shelf):
    """G1: nothing is emitted, and the next hold counts from the next end."""
    book = shelf.orders(tags={"busy": tag('count(orders, "10m") >= 1', sticky="5m")})
    step = book.row("orders", 1, minute=100)
    book.row("orders", 2, minute=112)
    book.tick(200)
    assert changes(book) == [(100, step, "busy", True, 100), (127, None, "busy", False, 100)]


def test_truth_that_comes_back_in_the_minute_of_the_fall_holds(shelf):
    """G1, T3: the future row enters and the hold ends in one advance, judged once, with truth true."""
    book = shelf.orders(tags={"busy": tag('count(orders, "10m") >= 1', sticky="5m")})
    step = book.row("orders", 1, minute=100)
    book.row("orders", 2, minute=101, event=115)
    book.tick(130)
    assert changes(book) == [(100, step, "busy", True, 100), (130, None, "busy", False, 100)]


def test_max_ends_a_member_though_true_until_truth_has_been_false(shelf):
    """G1: counted from the minute it became candidate; re-entry needs a false judgement."""
    book = shelf.orders(tags={"busy": tag('count(orders, "10m") >= 1', max="4m")})
    first = book.row("orders", 1, minute=100)
    book.row("orders", 2, minute=107)
    again = book.row("orders", 3, minute=120)
    book.tick(200)
    assert changes(book) == [
        (100, first, "busy", True, 100),
        (104, None, "busy", False, 100),
        (120, again, "busy", True, 120),
        (124, None, "busy", False, 120),
    ]


def test_a_false_judgement_inside_one_minute_lets_max_start_again(shelf):
    """G1, G3: each step is a judgement, so a delete and an insert in one minute are enough."""
    book = shelf.orders(tags={"gold": tag("sum(orders.amount) > 10", max="4m")})
    book.row("orders", 1, minute=100, amount=11)
    book.row("orders", 1, minute=110, amount=1)
    step = book.row("orders", 1, minute=110, amount=11)
    assert changes(book)[-1] == (110, step, "gold", True, 110)


def test_a_hand_replaces_the_candidate_state_until_its_end(shelf):
    """G1: manual off until 120, then the rule again, with a new since."""
    book = shelf.orders(tags={"gold": tag("sum(orders.amount) > 10")})
    first = book.row("orders", 1, minute=100, amount=11)
    off = book.step_of_next()
    book.manual("gold", minute=110, on=False, until=120)
    book.tick(130)
    assert changes(book) == [
        (100, first, "gold", True, 100),
        (110, off, "gold", False, 100),
        (120, None, "gold", True, 120),
    ]
    assert [held(book, at) for at in (109, 110, 119, 120)] == [["gold"], [], [], ["gold"]]


def test_a_tag_without_a_rule_is_what_hands_say(shelf):
    """G1: tags without a rule have truth false."""
    book = shelf.orders(tags={"vip": tag(), "old": tag()})
    book.row("orders", 1, minute=90)
    book.manual("vip", minute=100, on=True)
    book.manual("vip", minute=110, on=None)
    assert [held(book, at) for at in (99, 100, 109, 110)] == [[], ["vip"], ["vip"], []]
    result = book.at(105)
    assert not result.truth.loc[shelf.customer_id(1), "vip"]


def level(shelf):
    rules = {"gold": "sum(orders.amount) >= 100", "silver": "sum(orders.amount) >= 10"}
    tags = {name: tag(rule, group="level") for name, rule in rules.items()}
    return shelf.orders(tags=tags, groups={"level": ["gold", "silver"]})


def test_in_a_group_the_first_candidate_holds_and_leaving_precedes_entering(shelf):
    """G2: 60 is silver; 110 is gold although silver is true as well."""
    book = level(shelf)
    first = book.row("orders", 1, minute=100, amount=60)
    more = book.row("orders", 2, minute=110, amount=50)
    assert changes(book) == [
        (100, first, "silver", True, 100),
        (110, more, "silver", False, 100),
        (110, more, "gold", True, 110),
    ]
    result = book.at(110)
    assert list(result.truth.iloc[0]) == [True, True]
    assert list(result.member.iloc[0]) == [True, False]


def test_a_hand_in_a_group_stands_before_what_the_rules_say(shelf):
    """G1, G2: manual on makes a candidate, the group's order decides."""
    book = level(shelf)
    book.row("orders", 1, minute=100, amount=60)
    book.manual("gold", minute=105, on=True)
    assert [held(book, at) for at in (104, 105)] == [["silver"], ["gold"]]


def test_rules_read_membership_and_never_truth(shelf):
    """G2: a hand that puts gold off is seen by the tags that rest on it."""
    rules = {"gold": tag("sum(orders.amount) > 10"), "calm": tag('!("gold" in tags)')}
    book = shelf.orders(tags=rules)
    book.row("orders", 1, minute=100, amount=11)
    book.manual("gold", minute=105, on=False)
    assert [held(book, at) for at in (104, 105)] == [["gold"], ["calm"]]


def test_units_are_judged_behind_what_they_rest_on_and_else_by_name(shelf):
    """G2: dependency order, ties alphabetical."""
    tags = {
        "a": tag('"z" in tags'),
        "b": tag("count(orders) > 0"),
        "z": tag("count(orders) > 1"),
        "m": tag("count(orders) > 2", group="g"),
    }
    pieces = Pieces(tags=tags, groups={"g": ["m"]})
    assert [unit.name for unit in units_in_order(pieces)] == ["b", "g", "z", "a"]


def test_a_circle_of_tags_is_refused(shelf):
    """G2: a cycle through a group is a cycle."""
    tags = {"a": tag('"b" in tags', group="g"), "b": tag('!("c" in tags)'), "c": tag(None, group="g")}
    with pytest.raises(InputError, match="circle"):
        units_in_order(Pieces(tags=tags, groups={"g": ["a", "c"]}))


def test_what_rests_on_memory_is_left_open_without_a_replay(shelf):
    """G1: sticky and max depend on the past, and so does all that reads them."""
    tags = {
        "busy": tag('count(orders, "10m") >= 1', sticky="5m"),
        "calm": tag('!("busy" in tags)'),
        "plain": tag("count(orders) > 0"),
    }
    book = shelf.orders(tags=tags)
    book.row("orders", 1, minute=100)
    assert path_dependent(book.pieces) == {"busy", "calm"}
    result = book.at(112)
    assert result.member.iloc[0].isna().to_dict() == {"busy": True, "calm": True, "plain": False}
    assert bool(result.truth["busy"].iloc[0]) is False
    replayed = book.at(112, replay=[shelf.customer_id(1)])
    assert replayed.member.iloc[0].to_dict() == {"busy": True, "calm": False, "plain": True}


def test_nobody_is_there_before_the_first_record_of_them(shelf):
    """T3: a customer is judged from its first record on, even where nothing makes a rule true."""
    book = shelf.orders(tags={"idle": tag("count(orders) == 0")})
    book.tick(50)
    step = book.row("orders", 1, minute=100, event=103)
    book.tick(110)
    assert changes(book) == [(100, step, "idle", True, 100), (103, None, "idle", False, 100)]
    assert book.at(99).member.empty


def test_segments_are_judged_before_tags(shelf):
    """G2: the segment's change stands before the tags' in the same judgement."""
    from rfm.model import RfmModel

    model = RfmModel(frequency="count(orders)", monetary="sum(orders.amount)")
    book = shelf.orders(models=[model], tags={"known": tag('rfm.segment == "Others"')})
    book.row("orders", 1, minute=100, amount=1)
    book.tick(102)
    found = replay_small(book.pieces, book.frames(), book.control())
    assert [(c.minute, c.kind, c.before, c.after) for c in found] == [
        (101, "segment", None, "Others"),
        (101, "tag", False, True),
    ]


def test_recency_in_a_rule_is_true_to_the_minute_though_nothing_happens(shelf):
    """R6: recency > K turns true K + 1 units after the last order."""
    from rfm.model import RfmModel

    model = RfmModel(frequency="count(orders)", monetary="sum(orders.amount)", recency_unit="day")
    tags = {"silent": tag("rfm.recency > 2", sticky="1d"), "gone": tag("rfm.recency > 2")}
    book = shelf.orders(models=[model], tags=tags)
    book.row("orders", 1, minute=100, amount=1)
    turns = 100 + 3 * DAY
    assert [held(book, at, replay=True) for at in (turns - 1, turns)] == [[], ["gone", "silent"]]
