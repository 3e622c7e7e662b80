"""Places arriving rows at their customers and puts them into the order of the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.change import Changes
from streams.contract.source import Source
from streams.identity.arrivals import Arrivals
from streams.identity.dates import date_deletes, dating
from streams.identity.directory import look_up
from streams.identity.partition import id_pairs
from streams.identity.references import References, Resolved
from streams.identity.via import followers, parents_first, place_children
from streams.log.log import Log

Int64s = NDArray[np.int64]


@dataclass(frozen=True)
class Placed:
    """All arrivals, and for each its rows' sort key (anchor, depth, own), int64 arrays of shape (rows,).

    A row never stands before its parent's record of the same stretch: it is anchored there, ``depth``
    generations behind it.
    """

    arrivals: list[Arrivals]
    anchor: list[Int64s]
    depth: list[Int64s]
    own: list[Int64s]
    resolved: Resolved
    named: list[tuple[int, Int64s]]  # for each source of ``resolved``: its arrivals, and its rows there


def place(
    log: Log, sources: Mapping[str, Source], arriving: dict[str, Arrivals], index: References, by_event: bool
) -> Placed:
    """Find everybody's customer.

    by_event: rows go by (event time, source, key), else by their order of arrival. Rows that only follow
    a parent then stand right behind it.
    """
    for name in dating(sources) & arriving.keys():
        date_deletes(log, arriving[name])
    resolved, named, rows = _place_by_reference(sources, arriving, index, by_event)
    beside: dict[str, Int64s] = {}
    for name in parents_first(sources):
        via = sources[name].via
        assert via is not None  # parents_first names only such sources
        parents = arriving.get(via.source)
        _add_followers(log, sources[name], parents, arriving)
        if name in arriving:
            beside[name] = place_children(log, arriving[name], parents, via.source)
    names = [*named, *(name for name in parents_first(sources) if name in arriving)]
    anchored = _ordered(sources, arriving, names, beside, by_event)
    return Placed([arriving[name] for name in names], *anchored, resolved, list(enumerate(rows)))


def _place_by_reference(
    sources: Mapping[str, Source], arriving: dict[str, Arrivals], index: References, by_event: bool
) -> tuple[Resolved, list[str], list[Int64s]]:
    named = sorted(name for name in arriving if sources[name].via is None)
    rows = [arriving[name] for name in named]
    live = [np.flatnonzero(~part.deleted) for part in rows]  # a delete need not name anybody
    ranks = _own_order(rows, by_event)
    resolved = index.resolve(
        [sources[name] for name in named],
        [part.changes.take(alive) for part, alive in zip(rows, live, strict=True)],
        [rank[alive] for rank, alive in zip(ranks, live, strict=True)],
    )
    for at, (part, alive) in enumerate(zip(rows, live, strict=True)):
        codes = np.full(len(part), -1, dtype=np.int64)
        codes[alive] = resolved.codes[at]
        high, low = id_pairs([*resolved.customers[at], bytes(16)])
        references = pa.array([*resolved.references[at], None], type=pa.utf8())
        where = np.where(codes < 0, len(resolved.customers[at]), codes)
        part.place(high[where], low[where], codes >= 0, references.take(pa.array(where)))
    return resolved, named, live


def _add_followers(log: Log, source: Source, parents: Arrivals | None, arriving: dict[str, Arrivals]) -> None:
    if parents is None:
        return
    mine = arriving.get(source.name)
    rows = followers(log, source, parents, mine)
    if rows is None:
        return
    known = look_up(log, source.name, rows.key_high, rows.key_low)
    if mine is None:
        arriving[source.name] = Arrivals(source, rows, known, np.full(len(rows), -1, dtype=np.int64))
    else:
        mine.add(rows, known)


def _own_order(parts: Sequence[Arrivals], by_event: bool) -> list[Int64s]:
    """Return each row's place among all rows: by (event time, source, key), or as they arrived."""
    if not by_event:
        return [part.own for part in parts]
    if not parts:
        return []
    rows: list[Changes] = [part.changes for part in parts]
    by_name = {name: rank for rank, name in enumerate(sorted(part.source.name for part in parts))}
    source = np.concatenate([np.full(len(part), by_name[part.source.name]) for part in parts])
    order = np.lexsort((
        np.concatenate([row.key_low for row in rows]), np.concatenate([row.key_high for row in rows]), source,
        np.concatenate([row.event_us for row in rows]),
    ))  # fmt: skip
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return np.split(place, np.cumsum([len(part) for part in parts])[:-1])


def _ordered(
    sources: Mapping[str, Source], arriving: dict[str, Arrivals], names: list[str], beside: dict[str, Int64s],
    by_event: bool,
) -> tuple[list[Int64s], list[Int64s], list[Int64s]]:  # fmt: skip
    """Return anchor, depth and own order of each source's rows; parents come first in ``names``."""
    own = _own_order([arriving[name] for name in names], by_event)
    anchors: dict[str, Int64s] = {}
    depths: dict[str, Int64s] = {}
    for name, mine in zip(names, own, strict=True):
        anchor, depth = mine.copy(), np.zeros(len(mine), dtype=np.int64)
        via = sources[name].via
        if via is not None and via.source in anchors:
            child = np.flatnonzero(beside[name] >= 0)
            parent = beside[name][child]
            behind = anchors[via.source][parent] > anchor[child]
            child, parent = child[behind], parent[behind]
            anchor[child] = anchors[via.source][parent]
            depth[child] = depths[via.source][parent] + 1
        anchors[name], depths[name] = anchor, depth
    return list(anchors.values()), list(depths.values()), own
