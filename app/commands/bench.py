"""``tintype bench``: the figures of the README, each against its peer or limit in the same run."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from app import exits
from app.commands.options import Json
from app.output import page, print_json
from streams.errors import InputError

if TYPE_CHECKING:
    from bench.outcome import Outcome


def bench(
    what: Annotated[
        Literal["engine", "feed", "latency", "cost", "cluster"], typer.Argument(help="which figures")
    ] = "engine",
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FOLDER", help="write the curves there, as SVG")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="print tables for a document")] = False,
    rows: Annotated[
        int | None, typer.Option("--rows", min=100, help="of cluster: how many a worker takes in each time")
    ] = None,
    peers: Annotated[
        str | None,
        typer.Option("--peers", metavar="NAMES", help="of cluster: faust,quix,flink-rocksdb,flink-heap"),
    ] = None,
    costs: Annotated[
        bool, typer.Option("--costs", help="of cluster: only what a row costs, where the peers are measured")
    ] = False,
    longer: Annotated[
        bool,
        typer.Option("--longer", help="of cluster: a million customers, too, and more load: an hour"),
    ] = False,
    json: Json = False,
) -> int:
    """Measure the figures of the README on this machine, each against its peer or limit in the same run.

    engine: the kernel. feed: from change messages to decisions, against msgspec, Bytewax, pandas, Java and
    Flink; what bench/peers/install.sh has not installed is reported as not run. latency: from a change to
    its customer's profile readable, over load. cost: a change and a customer against how many there are.
    cluster: a worker on real servers, against Faust, Quix Streams and Flink; a take-over; from a topic to the
    store.

    --json prints a list of {what, value, unit, against, ratio, goal, reached}. Ends with code 1 if a goal
    is not reached.
    """
    if what == "cluster":
        found = _measured_cluster(rows, peers, costs, longer)
    else:
        _refuse_those_of_cluster(what, {"rows": rows, "peers": peers, "costs": costs, "longer": longer})
        found = _measured(what)
    if plot is not None:
        plot.mkdir(parents=True, exist_ok=True)
        for name, text in found.drawings.items():
            (plot / name).write_text(text, encoding="utf-8")
    if json:
        print_json(found.rows)
    elif markdown:
        _print_markdown(found)
    else:
        _print_table(found)
    return exits.DIFFERENT if any(row["reached"] is False for row in found.rows) else exits.OK


def _refuse_those_of_cluster(what: str, options: Mapping[str, object]) -> None:
    for name, given in options.items():
        if given not in (None, False):
            raise InputError(f"--{name}", f"bench {what} has no such option", "it is of bench cluster")


def _measured_cluster(rows: int | None, peers: str | None, costs: bool, longer: bool) -> Outcome:
    from bench.cluster import measure
    from bench.cluster.peers import chosen
    from bench.cluster.sizes import Sizes

    sizes = Sizes() if rows is None else Sizes(rows=rows)
    if peers is not None:
        sizes = replace(sizes, peers=chosen(peers))
    if longer:
        sizes = sizes.longer()
    return measure.measure(sizes.of_costs() if costs else sizes)


def _measured(what: str) -> Outcome:
    from bench import cost, engine, feed, latency
    from bench.outcome import Outcome

    if what == "latency":
        return latency.measure()
    if what == "cost":
        return cost.measure()
    return Outcome((engine if what == "engine" else feed).measure())


def _print_markdown(found: Outcome) -> None:
    from bench.outcome import markdown_of

    sys.stdout.write("\n\n".join([*found.tables, markdown_of(found.rows)]) + "\n")


def _print_table(found: Outcome) -> None:
    from bench.outcome import COLUMNS, cell

    table = Table(*COLUMNS, box=None)
    for row in found.rows:
        table.add_row(*(cell(row[name]) for name in COLUMNS))
    page.print(table)
