"""``tintype import``: history from files into the log."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from app import exits
from app.commands.import_progress import ImportProgress
from app.commands.options import Json, ShopFolder
from app.load import read_folder
from app.output import notes, page, print_json
from app.shop import Shop
from streams.errors import InputError
from streams.report import ImportReport

# what became of the rows, in the order in which it is printed; zeros are left out, but for the first three
COUNTS = {
    "rows": "rows read",
    "new": "new",
    "updated": "updated",
    "moved": "moved to another customer",
    "unchanged": "unchanged (known already)",
    "superseded": "superseded by a later row of this import",
    "deleted": "deleted",
    "unknown_deletes": "deletes of rows never seen",
    "parked": "parked until the row they belong to comes",
    "released": "released from parking",
    "dragged": "moved along with the row they belong to",
    "without_customer": "without a customer",
    "rejected": "rejected",
    "conflicts": "conflicts of references",
    "skipped_times": "local times that did not exist",
    "doubled_times": "local times that occurred twice (the first is meant)",
}


def import_(
    shop: ShopFolder,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV, Excel, Parquet or JSON lines")],
    source: Annotated[
        str | None,
        typer.Option(
            "--source", help="the source of all files; without it each file is named after its source"
        ),
    ] = None,
    json: Json = False,
) -> int:
    """Import history from files. Safe to run twice: what the log has already is left alone.

    All files go in one transaction: stopped or killed, the log is as it was before. Rows that break the
    contract are written to FILE.rejected.csv in the shop's data folder, with line and reason.
    """
    from app.life.gate import open_at_gate, telling
    from app.runtime import keep_settings
    from streams.intake import import_files

    read = read_folder(shop)
    declared = read.shop
    pairs = [(source or source_of(path, declared), path) for path in files]
    agree = telling(lambda line: notes.print(line, markup=False, soft_wrap=True), declared)
    with ImportProgress(visible=not json) as progress, open_at_gate(read, agree) as log:
        keep_settings(log, declared)
        report = import_files(log, declared, pairs, progress, int(time.time()) // 60)
    if json:
        print_json(as_json(report))
    else:
        _print(report)
    return exits.OK


def source_of(path: Path, shop: Shop) -> str:
    """Return the source after which a file is named: ``orders.csv.gz`` is ``orders``. Raises InputError."""
    name = path.name.partition(".")[0]
    if name not in shop.sources:
        raise InputError(str(path), "is not named after a source", "say which with --source NAME")
    return name


def as_json(report: ImportReport) -> dict[str, Any]:
    """Return the report as one JSON document; ``first_rejected`` shows the first rejected rows."""
    return {
        **{name: getattr(report, name) for name in COUNTS},
        "records": report.records,
        "seconds": round(report.seconds, 3),
        "files": report.files,
        "first_rejected": [
            {"where": f"{one.where}:{one.line}", "problem": one.problem, "hint": one.hint, "row": one.raw}
            for one in report.first_rejected
        ],
        "rejected_files": [str(path) for path in report.rejected_files],
    }


def _print(report: ImportReport) -> None:
    for line in report.files:
        page.print(line, markup=False, soft_wrap=True)
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right")
    for name, words in COUNTS.items():
        number = getattr(report, name)
        if number or name in ("rows", "new", "rejected"):
            table.add_row(f"{number:,}", words)
    page.print(table)
    rate = report.rows / report.seconds if report.seconds else 0.0
    page.print(f"{report.seconds:.1f} s, {rate:,.0f} rows a second")
    for rejected in report.first_rejected:
        page.print(str(rejected), markup=False, soft_wrap=True)
    for path in report.rejected_files:
        page.print(f"all rejected rows: {path}", markup=False, soft_wrap=True)
