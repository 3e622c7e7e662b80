"""Fits a model: similarity of items by the library `implicit`, and what is popular. Reads no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sinks.recommendations.interest import interest
from sinks.recommendations.model import Floats, Ints, Model
from streams.errors import InputError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

NEIGHBOURS = 20  # the library's default; more find less (decision 0026)
LISTED = 500  # of what is popular with some: rules leave enough of it


@dataclass(frozen=True)
class Seen:
    """Customers' interest in items, one entry for each customer, item and kind of interest.

    customers: ids, ascending; items: ids, ascending; customer, item: int64 numbers of these; times: int64,
    how many rows; last: int64, epoch minute of the newest; weight, half_life (minutes): float64, of the kind.
    """

    customers: Sequence[str]
    items: Sequence[str]
    customer: NDArray[np.int64]
    item: NDArray[np.int64]
    times: NDArray[np.int64]
    last: NDArray[np.int64]
    weight: NDArray[np.float64]
    half_life: NDArray[np.float64]


def fit(seen: Seen, members: Mapping[str, NDArray[np.bool_]], neighbours: int = NEIGHBOURS) -> Model:
    """Return the model of what was seen. The same is seen, the same comes out.

    members: strategy to bool of shape (customers,), whose interest its list counts. Raises ValueError where
    nothing was seen, and InputError where the library cannot be loaded.
    """
    if not len(seen.item):
        raise ValueError("nothing was seen")
    from scipy.sparse import csr_matrix  # with the library, 0.2 s and 60 MB, for who trains only

    shape = (len(seen.customers), len(seen.items))
    counts = csr_matrix((seen.weight * seen.times, (seen.customer, seen.item)), shape=shape)
    near, scores = _nearest(counts, neighbours)
    as_of = int(seen.last.max())
    felt = interest(seen.weight, seen.times, as_of - seen.last, seen.half_life)
    popular = {"popular": _ranked(seen.item, felt, len(seen.items))}
    for name, belongs in members.items():
        mine = belongs[seen.customer]
        popular[name] = _ranked(seen.item[mine], felt[mine], len(seen.items))[:LISTED]
    return Model(seen.items, near, scores, popular, as_of, int(seen.times.sum()), len(seen.customers))


def _nearest(counts: csr_matrix, neighbours: int) -> tuple[Ints, Floats]:
    """Return the nearest items of each, numbers and scores; equal ones in the order of their ids.

    Near is what the same customers want: the cosine of two items' customers, each of whom weighs the less the
    more they want (TF-IDF). counts: customers x items. One thread: it works beside the engine.
    """
    try:
        from implicit.nearest_neighbours import ItemItemRecommender, normalize, tfidf_weight
    except ImportError as error:  # linked to a library of the system that slim images lack
        hint = "install it: apt-get install libgomp1, or your system's like"
        raise InputError("recommendations", f"'implicit' cannot be loaded ({error})", hint) from error

    # An item that only those bought who bought all but one has no direction: its cosines are no numbers.
    with np.errstate(divide="ignore", invalid="ignore"):
        weighted = normalize(tfidf_weight(counts.T)).T.tocsr()
    library = ItemItemRecommender(K=neighbours + 1, num_threads=1)  # an item is its own nearest
    library.fit(weighted, show_progress=False)
    found = library.similarity.tocoo()
    kept = (found.row != found.col) & (found.data > 0)
    rows, others, scores = found.row[kept], found.col[kept], found.data[kept].astype(np.float32)
    order = np.lexsort((others, -scores, rows))
    rows, others, scores = rows[order], others[order], scores[order]
    place = np.arange(len(rows)) - np.searchsorted(rows, rows)
    kept = place < neighbours
    near = np.full((counts.shape[1], neighbours), -1, np.int32)
    strength = np.zeros((counts.shape[1], neighbours), np.float32)
    near[rows[kept], place[kept]] = others[kept]
    strength[rows[kept], place[kept]] = scores[kept]
    return near, strength


def _ranked(item: NDArray[np.int64], felt: NDArray[np.float64], items: int) -> Ints:
    """Return the items that anybody felt anything for, most first; equal ones in the order of their ids."""
    total = np.bincount(item, weights=felt, minlength=items).astype(np.float32)
    order = np.lexsort((np.arange(items), -total))
    ranked: Ints = order[total[order] > 0].astype(np.int32)
    return ranked
