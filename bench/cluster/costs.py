"""What a row costs a worker, and what it costs the peers: rows and tables of `tintype bench cluster`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.cluster.peer import PeerTaken, peer_taken
from bench.cluster.peers import PEERS, Peer
from bench.cluster.sizes import Sizes
from bench.cluster.taking import Taken, taken
from bench.figures import figure
from bench.outcome import markdown
from deploy.servers.places import Place

ROW = "a row from its topic to the profile committed"
HEADINGS = ["who", "customers", "partitions", "rows", "us CPU a row", "rows a second", "CPU, times ours"]
Found = tuple[list[dict[str, Any]], list[str]]


def costs(
    kafka: Place, store: Place, folder: Path, sizes: Sizes
) -> tuple[list[dict[str, Any]], list[str], dict[tuple[int, int], Taken]]:
    """Measure a worker everywhere, and the peers at the fewest customers; return rows, tables, and what our
    own came to, by customers and partitions."""
    places = [(customers, partitions) for customers in sizes.customers for partitions in sizes.partitions]
    beside = min(sizes.customers), sizes.peer_partitions
    if sizes.peers and beside not in places:
        places.insert(0, beside)
    ours = {at: taken(kafka, store, folder / "{}-{}".format(*at), sizes.rows, *at) for at in places}
    peers = {name: PEERS[name] for name in sizes.peers}
    theirs = {
        peer: peer_taken(peer, kafka, store, folder / name, sizes.peer_rows * peer.longer, *beside)
        for name, peer in peers.items()
        if not peer.lacks()
    }
    lacking = {peer: why for peer in peers.values() if (why := peer.lacks())}
    return *report(sizes.rows, ours, beside, theirs, lacking), ours


def report(
    rows: int, ours: dict[tuple[int, int], Taken], beside: tuple[int, int], theirs: dict[Peer, PeerTaken],
    lacking: dict[Peer, str],
) -> Found:  # fmt: skip
    """Return rows, and tables. ours: by customers and partitions; beside: where the peers were measured, too;
    lacking: why a peer was not."""
    figures, cells = [], []
    for at, mine in ours.items():
        figures += _ours(at, mine)
        cells.append(["Tintype", f"{at[0]:,}", at[1], f"{rows:,}", mine.microseconds, mine.rate, None])
    for peer, its in theirs.items():
        figures += _against(beside, ours[beside], peer, its)
        cells.append(_cells(beside, ours[beside], peer, its))
    figures += [_not_run(beside, ours[beside], peer, why) for peer, why in lacking.items()]
    cells += [[peer.title, f"not run: {why}", *[None] * 5] for peer, why in lacking.items()]
    return figures, [markdown(HEADINGS, cells), SAID]


def _ours(at: tuple[int, int], mine: Taken) -> list[dict[str, Any]]:
    where = _where(at)
    return [
        figure(f"{ROW}, {where}", mine.microseconds, "us CPU", "", None, None),
        figure(f"rows taken in by one worker, {where}", mine.rate, "1/s", "", None, None),
    ]


def _against(at: tuple[int, int], mine: Taken, peer: Peer, its: PeerTaken) -> list[dict[str, Any]]:
    what = "customers whose document is not what the rows say"
    different = float(its.different)
    same = figure(what, different, "", f"{peer.title}: of {its.customers:,}", different, 0.0)
    if its.different:
        return [_not_run(at, mine, peer, "its documents are wrong"), same]
    return [
        figure(
            f"{ROW}, {_where(at)}", mine.microseconds, "us CPU", f"{peer.title}: {its.microseconds:.1f} us",
            its.microseconds / mine.microseconds, peer.goal, at_least=True,
        ),
        figure(
            f"rows taken in by one worker, {_where(at)}", mine.rate, "1/s", f"{peer.title}: {its.rate:,.0f}",
            mine.rate / its.rate, None,
        ),
        same,
    ]  # fmt: skip


def _cells(at: tuple[int, int], mine: Taken, peer: Peer, its: PeerTaken) -> list[object]:
    if its.different:
        return [peer.title, f"{its.different:,} of {its.customers:,} documents are wrong", *[None] * 5]
    ratio = its.microseconds / mine.microseconds
    return [peer.title, f"{at[0]:,}", at[1], f"{its.rows:,}", its.microseconds, its.rate, ratio]


def _not_run(at: tuple[int, int], mine: Taken, peer: Peer, why: str) -> dict[str, Any]:
    against = f"{peer.title}: no figure ({why})"
    return figure(f"{ROW}, {_where(at)}", mine.microseconds, "us CPU", against, None, peer.goal)


def _where(at: tuple[int, int]) -> str:
    return f"{at[0]:,} customers, partitions: {at[1]}"


SAID = (
    "One process each; rows written before, in one transaction, behind a past of every customer; for "
    "peers half as many changes before that, so that a JVM's compiler is done with the job. CPU of the "
    "whole process, compiler and collector in it. The peers keep the same 20 metrics in windows, RFM "
    "scores, 20 tags and 5 triggers, written by hand or generated for this shop, and write each "
    "customer's document, compared with our engine's at its minute. RFM cut points are given to them; "
    "they have no index of identities, no rules as data, no overviews, no decisions in a topic; in those "
    "in Python time takes nothing out of a window until a customer's next row."
)
