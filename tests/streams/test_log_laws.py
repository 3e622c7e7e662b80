"""Laws of the log by random histories: what it says in the end is what the files said last."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import xxhash
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from streams.identity.parked import count_parked
from streams.live import append_changes
from streams.log.log import Log
from tests.called import id_of
from tests.streams.small_shop import ORDERS, PARCELS, new_log, rows, shop

# Customers are named by one reference here, so that who a row belongs to can be said without an index.
SHOP = shop(orders={**ORDERS, "references": [{"type": "member", "column": "member"}]}, parcels=PARCELS)
MINUTE = 29539320  # 2026-03-01 10:00

order = st.tuples(
    st.just("orders"), st.integers(0, 3), st.integers(0, 3), st.sampled_from(["upsert", "upsert", "delete"]),
    st.integers(0, 59),
)  # fmt: skip
parcel = st.tuples(
    st.just("parcels"), st.integers(0, 3), st.integers(0, 4), st.sampled_from(["upsert", "upsert", "delete"]),
    st.integers(0, 59),
)  # fmt: skip
Change = tuple[str, int, int, str, int]


def oracle(history: list[Change]) -> tuple[dict[Any, Any], int]:
    """Return each living row's (customer, number) and how many parcels wait, in plain Python."""
    orders: dict[int, int] = {}
    known: dict[int, int] = {}  # a deleted order still names the customer
    parcels: dict[int, tuple[int, int]] = {}
    for source, key, other, operation, number in history:
        table: dict[int, Any] = orders if source == "orders" else parcels
        if operation == "delete":
            table.pop(key, None)
        elif source == "orders":
            orders[key] = number
            known[key] = other
        else:
            parcels[key] = (other, number)
    living: dict[Any, Any] = {("orders", key): (known[key], number) for key, number in orders.items()}
    for key, (parent, number) in parcels.items():
        if parent in known:
            living["parcels", key] = (known[parent], number)
    return living, len(parcels) - sum(1 for name, _ in living if name == "parcels")


def replay(log: Log) -> dict[Any, Any]:
    """Return each living row's (customer, number) as the log's records make it, each at one customer only."""
    state: dict[tuple[str, int, str], int] = {}
    places: dict[tuple[int, int], tuple[str, int]] = {}
    for name in ("orders", "parcels"):
        for key in range(4):
            digest = xxhash.xxh3_128_digest(f"{name[0]}{key}".encode())
            high, low = (int.from_bytes(half, "big", signed=True) for half in (digest[:8], digest[8:]))
            places[high, low] = (name, key)
        frame = rows(log, SHOP, name)
        for row in frame.sort_values("offset").to_dict("records"):
            source, key = places[row["key_high"], row["key_low"]]
            if row["op"] in (3, 5):
                del state[source, key, row["customer"]]  # it must be there: nothing leaves where it is not
            else:
                state[source, key, row["customer"]] = row["event_us"] // 60_000_000 - MINUTE
    members = {id_of(f"member:{member}"): member for member in range(4)}
    assert len({(source, key) for source, key, _ in state}) == len(state)
    return {(source, key): (members[who], number) for (source, key, who), number in state.items()}


def append(log: Log, part: list[Change], minute: int) -> None:
    for source in ("orders", "parcels"):
        mine = [change for change in part if change[0] == source]
        names = ("id", "member") if source == "orders" else ("parcel", "order")
        values = [
            {names[0]: f"{source[0]}{key}", names[1]: other if source == "orders" else f"o{other}",
             "at": f"2026-03-01 10:{number:02d}"}
            for _, key, other, _, number in mine
        ]  # fmt: skip
        operations = [operation for _, _, _, operation, _ in mine]
        append_changes(log, SHOP, source, values, minute, operations=operations)


# Histories are short already: looking for a shorter one that fails would take minutes.
@settings(max_examples=60, deadline=None, derandomize=True, phases=[Phase.generate])
@given(
    st.lists(st.one_of(order, parcel), min_size=12, max_size=30), st.lists(st.integers(0, 30), max_size=4),
    st.sampled_from([1, 4, 16]),
)  # fmt: skip
def test_the_log_ends_as_the_changes_say_however_they_are_batched(
    history: list[Change], cuts: list[int], partitions: int
) -> None:
    """L1, L3, L4, W7, W8: whatever the batches and partitions, each row lives once, at its customer."""
    # Within a batch orders come before parcels, so compare with that order.
    edges = sorted({0, *(cut for cut in cuts if cut < len(history)), len(history)})
    parts = [history[low:high] for low, high in pairwise(edges)]
    sequence = [
        change for part in parts for name in ("orders", "parcels") for change in part if change[0] == name
    ]
    with tempfile.TemporaryDirectory() as folder, new_log(Path(folder), partitions) as log:
        for minute, part in enumerate(parts):
            append(log, part, MINUTE + minute)
        living, waiting = oracle(sequence)
        assert replay(log) == living
        assert sum(count_parked(log).values()) == waiting
