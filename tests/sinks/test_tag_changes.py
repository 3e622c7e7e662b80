"""Changes of tags and segments in the ledger: each once, in order, whatever the pages and whoever asks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from app.sending.courier_relay import NAME, CourierRelay
from engine.outcome import Decision, Transition
from sinks.deliveries.changes import KEPT_DAYS, Forgotten
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.tables import FILE_NAME
from sinks.deliveries.tag_changes import tag_changes_after
from sinks.store.store import Page
from tests.sinks.dispatching import decided

DAY = 1440
START = 29_540_000
WHOSE = ("a" * 32, "b" * 32, "c" * 32)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path)
    yield made
    made.close()


def moved(seq: int, minute: int = START, **more: object) -> Transition:
    whose, values = WHOSE[seq % 3], {"spend": seq}
    one = Transition(0, seq, minute, whose, "高价值", "enter", "live", values=values, seq=seq)
    return replace(one, **more)  # type: ignore[arg-type]


def page(*effects: Decision | Transition) -> Page:
    made = sum(isinstance(one, Decision) for one in effects)
    return Page(effects[0].seq, effects[-1].seq, made, msgspec.json.encode(effects))


class Outbox:
    """Pages of partitions, as `Store.pages` gives them."""

    def __init__(self, *pages: Sequence[Page]) -> None:
        self.held = pages

    def pages(self, partition: int, after: int, limit: int) -> list[Page]:
        return [one for one in self.held[partition] if one.last >= after][:limit]


def take(ledger: Ledger, *pages: Sequence[Page]) -> None:
    """Take over everything in an outbox."""
    relay = CourierRelay(Outbox(*pages), ledger, lambda _: None, len(pages))  # type: ignore[arg-type]
    while relay.step():
        pass


def after(ledger: Ledger, number: int | None = None, limit: int = 1000, **more: object) -> list[int]:
    """Return the numbers of changes behind one."""
    found, _ = tag_changes_after(ledger.connection, number, limit, **more)  # type: ignore[arg-type]
    return [at for at, _ in found]


def everything(ledger: Ledger, limit: int, customer: str | None = None, most: int = 1000) -> list[Transition]:
    """Return all changes, by pages of so many."""
    found: list[Transition] = []
    at: int | None = None
    while True:
        some, end = tag_changes_after(ledger.connection, at, limit, customer, most)
        assert len(some) <= limit
        found += [one for _, one in some]
        if end == at or (at is None and not end):
            return found
        at = end


def test_each_change_is_told_once_in_order_whatever_the_pages(ledger: Ledger) -> None:
    """Decisions lie between them, and pages of two partitions."""
    mixed = [decided(seq) if seq % 5 == 4 else moved(seq) for seq in range(23)]
    cut = [page(*mixed[first : first + 4]) for first in range(0, 23, 4)]
    other = [page(*(moved(seq, partition=1) for seq in range(3)))]
    take(ledger, cut, other)
    wanted = [one for one in mixed if isinstance(one, Transition)]
    for limit in (1, 2, 3, 7, 1000):
        told = everything(ledger, limit)
        assert [one for one in told if one.partition == 0] == wanted
        assert [one.seq for one in told if one.partition == 1] == [0, 1, 2]
        for whose in WHOSE:
            assert everything(ledger, limit, whose) == [one for one in told if one.customer == whose]
    count = len(wanted) + 3
    assert after(ledger) == list(range(1, count + 1))
    for number in range(count + 1):
        assert after(ledger, number, 2) == list(range(number + 1, count + 1))[:2]


def test_many_small_pages_are_read_through(ledger: Ledger) -> None:
    """As they come live, one commit each: more than are read at once."""
    made = [moved(seq) for seq in range(65)]
    take(ledger, [page(one) for one in made])
    for limit in (7, 20, 64, 1000):
        assert everything(ledger, limit) == made
        assert everything(ledger, limit, WHOSE[1]) == [one for one in made if one.customer == WHOSE[1]]


def test_effects_that_are_written_again_in_other_pages_are_told_once(ledger: Ledger) -> None:
    """As after a store that lost its file, whose effects come again."""
    made = [moved(seq) for seq in range(9)]
    take(ledger, [page(*made[:4])])
    take(ledger, [page(*made[2:7]), page(*made[7:])])
    assert everything(ledger, 100) == made
    take(ledger, [page(*made)])
    assert everything(ledger, 100) == made


def test_changes_and_how_far_the_outbox_is_taken_over_are_there_together_or_not_at_all(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = page(moved(0), decided(1)), page(moved(2), decided(3))
    take(ledger, [first])

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("sinks.deliveries.posting.note_tag_changes", full)
        with pytest.raises(sqlite3.OperationalError):
            take(ledger, [first, second])
    assert (ledger.drained(NAME, 1), len(ledger.after(0, 9)), len(everything(ledger, 9))) == ([2], 1, 1)
    take(ledger, [first, second])
    assert (ledger.drained(NAME, 1), len(ledger.after(0, 9)), len(everything(ledger, 9))) == ([4], 2, 2)


def test_the_oldest_go_after_a_while_and_whoever_needed_them_is_told(ledger: Ledger) -> None:
    late = START + KEPT_DAYS * DAY
    pages = [page(moved(0), moved(1)), page(moved(2, START + DAY)), page(moved(3, late))]
    take(ledger, pages)
    assert after(ledger) == [1, 2, 3, 4]
    take(ledger, [*pages, page(moved(4, late + 1))])
    assert after(ledger) == after(ledger, 2) == [3, 4, 5]
    assert after(ledger, 5) == []
    for number in (0, 1, 6):
        for customer in (None, WHOSE[0]):
            with pytest.raises(Forgotten):
                after(ledger, number, customer=customer)
    take(ledger, [page(moved(5, late + 90 * DAY))])
    assert after(ledger) == [6]  # the newest stays: numbers go on from there
    take(ledger, [page(moved(6, late + 90 * DAY))])
    assert after(ledger) == [6, 7]


def test_a_number_of_a_ledger_that_has_none_is_gone(ledger: Ledger) -> None:
    assert after(ledger) == after(ledger, 0) == []
    with pytest.raises(Forgotten):
        after(ledger, 1)


def test_of_a_customer_no_more_is_looked_through_than_is_bounded(ledger: Ledger) -> None:
    """The number goes on all the same, behind an empty answer too."""
    made = [moved(seq, customer=WHOSE[seq == 8]) for seq in range(10)]
    take(ledger, [page(*made[first : first + 2]) for first in range(0, 10, 2)])
    assert tag_changes_after(ledger.connection, None, 5, WHOSE[1], 4) == ([], 4)
    assert tag_changes_after(ledger.connection, 4, 5, WHOSE[1], 4) == ([], 8)
    assert tag_changes_after(ledger.connection, 8, 5, WHOSE[1], 4) == ([(9, made[8])], 10)
    assert everything(ledger, 5, WHOSE[1], most=1) == [made[8]]


def test_a_customer_who_is_only_named_in_values_is_not_meant(ledger: Ledger) -> None:
    take(ledger, [page(moved(0, values={"last(x.who)": WHOSE[1]}), moved(1))])
    assert [one.seq for one in everything(ledger, 5, WHOSE[1])] == [1]


def test_a_ledger_of_before_tells_of_changes_from_then_on(tmp_path: Path) -> None:
    made = [page(moved(0), decided(1))]
    take(old := Ledger(tmp_path), made)
    old.connection.execute("DROP TABLE tag_change")
    old.close()
    assert (tmp_path / FILE_NAME).exists()
    again = Ledger(tmp_path)
    take(again, [*made, page(moved(2))])
    told = everything(again, 9)
    again.close()
    assert [one.seq for one in told] == [2]
