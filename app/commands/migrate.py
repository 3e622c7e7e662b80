"""``tintype migrate``: an embedded shop's log, or another cluster's, becomes that of a cluster."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress, TaskID

from app import exits
from app.commands.options import Json, ShopFolder
from app.load import load_shop
from app.output import notes, page, print_json
from streams.errors import InputError

if TYPE_CHECKING:
    from app.migrating.former import Former
    from app.shop import Shop
    from app.worker.place import ClusterPlace

WORDS = {"read": "read the former log", "records": "write records", "keys": "write keys",
         "replay": "replay and compare", "deliveries": "carry deliveries over"}  # fmt: skip


def migrate(
    shop: ShopFolder,
    former: Annotated[
        Path | None,
        typer.Option("--from", help="data folder of the embedded shop; the shop's own when absent"),
    ] = None,
    from_shop: Annotated[
        str | None,
        typer.Option("--from-shop", metavar="NAME", help="shop whose cluster's log is migrated instead"),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="only say what would be done")] = False,
    json: Json = False,
) -> int:
    """Bring an embedded shop, or with --from-shop another cluster, into a shop's cluster: the same records,
    in order for each customer, in as many partitions as tintype.toml says. What was before stays as it is.

    Safe to be stopped or killed at any moment: the same command goes on. At the end the new log is replayed
    and compared with the former, customer by customer; then the settings are applied and workers may start.
    """
    from app.log_folder import data_folder
    from app.migrating.migrate import Migration
    from app.worker.place import cluster_place
    from engine.warm import load

    if former is not None and from_shop is not None:
        raise InputError("--from-shop", "there is --from too", "name a folder, or a shop whose cluster it is")
    declared = load_shop(shop)
    place = cluster_place(shop, declared)
    with ExitStack() as opened:
        bars = opened.enter_context(_Bars(visible=not json))
        if from_shop is None:
            data = former if former is not None else data_folder(shop, declared)
            origin = _embedded(opened, data)
        else:
            data = place.data
            data.mkdir(parents=True, exist_ok=True)
            origin = _cluster(opened, place, declared, from_shop, bars, fence=not check)
        migration = Migration(origin, declared, place, bars.show)
        try:
            begun = migration.check()
            was_done = migration.is_done(begun)
            if check or was_done:
                found = migration.summary(begun)
            else:
                load()
                with tempfile.TemporaryDirectory(prefix="migrate-", dir=data) as work:
                    found = migration.run(Path(work))
        finally:
            migration.close()
    done = was_done or not check
    if json:
        print_json({
            "done": done, "partitions": found.partitions, "former_partitions": found.former_partitions,
            "records": found.records, "written": found.written, "rows": found.rows,
            "customers": found.customers,
        })  # fmt: skip
        return exits.OK
    page.print(
        f"{found.records:,} records, {found.rows:,} rows that stand, from {found.former_partitions} "
        f"partitions to {found.partitions}; {found.written:,} are written"
    )
    if was_done:
        page.print("it was done before: workers may run")
    elif done and begun.stage == "done":
        page.print("the settings are applied; start workers")
    elif done:
        page.print(f"the new log comes to the same for all {found.customers:,} customers; start workers")
    return exits.OK


def _embedded(opened: ExitStack, data: Path) -> Former:
    from app.migrating.former import embedded
    from streams.log.log import Log

    return embedded(opened.enter_context(Log.open(data, write=True)))


def _cluster(
    opened: ExitStack, place: ClusterPlace, shop: Shop, name: str, bars: _Bars, fence: bool
) -> Former:
    from app.migrating.cluster import gathered, place_of_shop

    there, work = place_of_shop(place, name), place.data / "migrated"
    return opened.enter_context(gathered(there, place, shop.settings.partitions, work, bars.show, fence))


class _Bars:
    """Shows a bar for each stage; nothing where stderr is no terminal."""

    def __init__(self, visible: bool) -> None:
        self._bars = Progress(console=notes, disable=not (visible and notes.is_terminal))
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> _Bars:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, stage: str, done: int, total: int) -> None:
        """Show how far a stage is."""
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(WORDS[stage], total=total)
        self._bars.update(self._tasks[stage], completed=done, total=total)
