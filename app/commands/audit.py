"""``tintype audit``: recompute everything from scratch and compare."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from app import exits
from app.commands.options import At, Cluster, Json, ShopFolder
from app.commands.profile import read_at
from app.load import load_shop
from app.moments import write_moment
from app.output import notes, page, print_json
from app.pages.recount import as_json, print_decisions
from app.shop import Shop
from streams.errors import InputError

SHOWN = 50  # differences on the terminal; --json has all of them


def audit(
    shop: ShopFolder,
    at: At = None,
    random: Annotated[
        int | None, typer.Option("--random", metavar="N", min=1, help="check N random minutes")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="of the random minutes and customers")] = 1,
    lives: Annotated[
        str | None,
        typer.Option(
            "--lives",
            metavar="N|all",
            help="of how many customers tags with a memory are compared; 10 when absent",
        ),
    ] = None,
    decisions: Annotated[
        bool,
        typer.Option("--decisions", help="replay the whole log, and count the guards of every decision over"),
    ] = False,
    cluster: Cluster = False,
    profiles: Annotated[
        str | None,
        typer.Option(
            "--profiles", metavar="N|all",
            help="of a cluster: how many customers' profiles are compared; 10000 when absent",
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="of a cluster: folder of copies of its log, a cache")
    ] = None,
    json: Json = False,
) -> int:  # fmt: skip
    """Recompute everything from scratch, compare, and print what differs.

    Of a cluster (--cluster): the profiles in the store beside a recompute from the topics, of one moment,
    while workers run. Ends with code 1 if any metric, score, segment, tag or record of cut points differs.
    """
    declared = load_shop(shop)
    if cluster:
        if at is not None or random is not None:
            raise InputError("--cluster", "a store has only the present", "leave --at and --random out")
        return _of_cluster(shop, declared, profiles, data, lives, seed, decisions, json)
    if profiles is not None or data is not None:
        raise InputError("--profiles, --data", "these are of a cluster", "write --cluster too")
    from app.runtime import open_shop

    zone = declared.settings.zone
    if at is not None and random is not None:
        raise InputError("--at", "does not go together with --random", "give one of them")
    minute = None if at is None else read_at(at, zone)
    reach = {} if lives is None else {"lives": _read_lives(lives)}
    with open_shop(shop) as runtime:
        runtime.catch_up()
        if minute is not None and minute > runtime.engine.clock:
            raise InputError("--at", "lies after the log's clock", "name a minute that the log has reached")
        with _replaying(visible=not json) as progress:
            report = runtime.audit(minute, random, seed, progress=progress, **reach)
        if decisions:
            with _recounting(visible=not json) as told:
                found = runtime.recount(told)
            report["differences"] += found.pop("differences")
            report["decisions"] = as_json(found)
    if json:
        print_json(report)
    else:
        _print(report, zone)
    return exits.DIFFERENT if report["differences"] else exits.OK


def _read_lives(text: str, option: str = "--lives") -> int | None:
    """Return of how many customers; None for everybody's."""
    if text == "all":
        return None
    if not text.isdecimal():
        raise InputError(option, f"'{text}' is no number of customers", "write a whole number, or all")
    return int(text)


def _of_cluster(
    folder: Path, declared: Shop, profiles: str | None, data: Path | None, lives: str | None, seed: int,
    decisions: bool, json: bool,
) -> int:  # fmt: skip
    from app.cluster.audit import PROFILES, ClusterAudit
    from app.cluster.recount import recount_cluster
    from app.inspect import LIVES
    from app.worker.place import cluster_place
    from app.worker.worker import applied_settings
    from sinks.store.store import Store
    from streams.changes.copies import Copies

    reach = LIVES if lives is None else _read_lives(lives)
    many = PROFILES if profiles is None else _read_lives(profiles, "--profiles")
    place = cluster_place(folder, declared)
    settings = Shop.model_validate_json(applied_settings(place).shop).settings
    store = Store(place.client(), settings.name)
    numbers = range(settings.partitions)
    with (
        Copies(place.bootstrap, place.topics, data or place.data / "audit", place.secret, numbers) as copies,
        _replaying(visible=not json) as progress,
    ):
        found = ClusterAudit(copies, store, seed, reach, progress).run(many)
        report = asdict(found)
        if decisions:
            with _recounting(visible=not json) as told:
                counted = recount_cluster(place, copies, told)
            report["differences"] += counted.pop("differences")
            report["decisions"] = as_json(counted)
    if json:
        print_json(report)
    else:
        shown = f"{found.profiles:,} of {found.customers:,} customers"
        page.print(f"profiles in the store of {shown}; {found.behind:,} records of the log are not in it yet")
        _print({**report, "minutes": sorted({one for one in found.minutes if one >= 0})}, settings.zone)
    return exits.DIFFERENT if report["differences"] else exits.OK


@contextmanager
def _replaying(visible: bool) -> Iterator[Callable[[int, int], None]]:
    """Show how many lives are replayed, with rate and time left, where stderr is a terminal."""
    bars = Progress(
        TextColumn("replay lives"), BarColumn(bar_width=30), MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"), TimeRemainingColumn(),
        console=notes, disable=not (visible and notes.is_terminal),
    )  # fmt: skip
    tasks: list[TaskID] = []

    def show(done: int, total: int) -> None:
        if not tasks:
            tasks.append(bars.add_task("", total=total, rate=""))
        seconds = bars.tasks[0].elapsed
        bars.update(tasks[0], completed=done, rate=f"{done / seconds:,.1f}/s" if seconds else "")

    with bars:
        yield show


@contextmanager
def _recounting(visible: bool) -> Iterator[Callable[[int], None]]:
    """Show how many records are replayed, where stderr is a terminal."""
    bars = Progress(
        TextColumn("replay the log"), TextColumn("{task.completed:,} records"),
        TextColumn("{task.fields[rate]}"),
        console=notes, disable=not (visible and notes.is_terminal),
    )  # fmt: skip
    with bars:
        task = bars.add_task("", total=None, rate="")

        def show(done: int) -> None:
            seconds = bars.tasks[0].elapsed
            bars.update(task, completed=done, rate=f"{done / seconds:,.0f}/s" if seconds else "")

        yield show


def _print(report: dict[str, Any], zone: str) -> None:
    minutes = ", ".join(write_moment(minute, zone) for minute in report["minutes"][:5])
    more = len(report["minutes"]) - 5
    page.print(f"at {minutes}" + (f" and {more} more" if more > 0 else ""))
    differences = report["differences"]
    page.print(f"{report['compared']:,} values compared, {len(differences)} differ")
    if report["lives"]:
        reach = f"{report['lives']:,} of {report['customers']:,}"
        page.print(f"tags with a memory: the lives of {reach} customers")
    if report["cuts"]:
        page.print(f"cut points: the records of {report['cuts']:,} minutes recomputed")
    if "decisions" in report:
        print_decisions(report["decisions"])
    if differences:
        table = Table("time", "customer", "what", "held", "recomputed", box=None)
        for one in differences[:SHOWN]:
            moment = write_moment(one["minute"], zone) if one["minute"] >= 0 else ""
            table.add_row(moment, one["customer"], one["what"], str(one["held"]), str(one["recomputed"]))
        page.print(table)
    if len(differences) > SHOWN:
        page.print(f"... and {len(differences) - SHOWN} more (all of them with --json)")
