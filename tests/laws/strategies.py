"""Random logs, by hypothesis: what a source may send, and what the world around it does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from tests.laws.shops import PLACES, TAGS, Place
from tests.laws.world import (
    DELETE,
    IMPORT,
    INSERT,
    LIVE,
    READ,
    UPDATE,
    UPSERT,
    Log,
    Writer,
)

numbers = st.integers(0, len(PLACES) - 1)
amounts = st.sampled_from([None, -4, 0, 1, 3, 3, 5, 9])
prices = st.sampled_from([None, 50, 120, 121, 400])
statuses = st.sampled_from([None, "x", "y", "z"])
flags = st.sampled_from([None, True, False])
pages = st.sampled_from([None, "a", "b", "bot"])
operations = st.sampled_from([UPSERT, UPSERT, UPSERT, INSERT, UPDATE, DELETE, DELETE, READ])
shifts = st.one_of(
    st.just(0), st.integers(-25, 0), st.integers(-25, 9),
    st.sampled_from([-1441, -1440, -1439, -2880, -4320, -44640, -527040, 1440]),
)  # fmt: skip
places = st.one_of(
    st.none(), st.none(), st.none(), st.integers(-6, 0)
)  # an older position than the key's, mostly not
customers, keys = st.integers(1, 4), st.integers(0, 5)
seconds = st.sampled_from([0, 0, 7.5, 59.999999])
born = st.one_of(st.none(), st.integers(-800, 5), st.sampled_from([-366, -365, -364, -1461, 1]))
waits = st.one_of(st.integers(0, 3), st.integers(0, 14))
long_waits = st.one_of(waits, waits, st.sampled_from([30, 700, 1439, 1500, 4400, 46000]))

order = st.tuples(
    st.just("orders"), keys, customers, operations, shifts, seconds, places,
    st.fixed_dictionaries(
        {"amount": amounts, "price": prices, "status": statuses, "gift": flags, "paid_at": amounts}
    ),
)  # fmt: skip
view = st.tuples(
    st.sampled_from(["views", "clicks"]), keys, customers, operations, shifts, seconds, places,
    st.fixed_dictionaries({"seconds": amounts, "page": pages}),
)  # fmt: skip
member = st.tuples(
    st.just("members"), keys, customers, operations, shifts, seconds, places,
    st.fixed_dictionaries({"joined": born, "city": st.sampled_from([None, "上海", "北京"]), "vip": flags}),
)  # fmt: skip
hand = st.tuples(
    st.just("manual"),
    st.sampled_from(sorted(TAGS)),
    customers,
    flags,
    st.one_of(st.none(), st.integers(-1, 15)),
)
agreed = st.tuples(st.just("consent"), customers, st.booleans(), st.one_of(st.none(), st.integers(0, 15)))
# mostly now; what a feed has been late to say leaves its source stale
heard = st.tuples(
    st.just("heard"),
    st.sampled_from(["orders", "views", "views"]),
    st.sampled_from([0, 0, 0, -1, -4, -5, -9]),
)
erased = st.tuples(st.just("erase"), customers)
again = st.tuples(st.just("again"), st.integers(1, 12))
switched = st.tuples(
    st.just("switch"), st.sampled_from(["", "channel/sms", "trigger/on_order", "trigger/gone"]), st.booleans()
)
tick = st.sampled_from([("tick",), ("epoch",)])
entry = st.one_of(
    order, order, order, view, view, member, hand, agreed, again, heard, heard, tick, erased, switched
)  # fmt: skip


def entries(most: int, waiting: st.SearchStrategy[int]) -> st.SearchStrategy[list[Any]]:
    """Return lists of (minutes to wait, entry)."""
    return st.lists(st.tuples(waiting, entry), min_size=most // 2, max_size=most)


def write(place: Place, imported: list[Any], live: list[Any]) -> Log:
    """Return the log of what is imported, then happens live, and half an hour of silence."""
    writer = Writer(place.start, IMPORT if imported else LIVE)
    for part, mode in ((imported, IMPORT), (live, LIVE)):
        for minutes, what in part:
            if writer.mode != mode:
                writer.mode = mode
            writer.wait(minutes)
            _write_one(writer, place, what)
    writer.wait(33)
    writer.tick()
    return writer.log


def _write_one(writer: Writer, place: Place, what: tuple[Any, ...]) -> None:
    if what[0] == "tick":
        writer.tick()
    elif what[0] == "epoch":
        writer.begin_epoch()
    elif what[0] == "switch":
        writer.switch(what[1], what[2])
    elif what[0] == "erase":
        writer.erase(what[1])
    elif what[0] == "manual":
        _, tag, customer, on, until = what
        writer.manual(tag, customer, on, None if until is None else writer.minute + until)
    elif what[0] == "consent":
        _, customer, granted, until = what
        writer.consent(customer, granted, None if until is None else writer.minute + until)
    elif what[0] == "heard":
        writer.fresh(what[1], writer.minute + what[2])
    elif what[0] == "again":
        rows = [record for record in writer.log if record.kind == 0]
        if rows:
            writer.again(rows[-min(what[1], len(rows))])
    else:
        _write_row(writer, place, what)


def _write_row(writer: Writer, place: Place, what: tuple[Any, ...]) -> None:
    source, key, customer, op, shift, second, back, said = what
    said = dict(said)
    if said.get("joined") is not None:
        said["joined"] = place.midnight(place.begin.date() + timedelta(days=said["joined"]))
    position = None if back is None else (writer.epoch, max(0, writer.position + back), 0)
    writer.row(source, key, customer, op, writer.minute + shift, second, position, **said)
