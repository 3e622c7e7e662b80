"""``tintype history``: questions to the long memory, in SQL."""

from __future__ import annotations

import csv
import datetime as dt
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.table import Table

from app import exits
from app.commands.options import Json, ShopFolder
from app.history_folder import open_history
from app.inspect import known_customer
from app.load import load_shop
from app.log_folder import open_log
from app.output import notes, page, print_json
from streams.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN = 100
_TABLES = (
    "SELECT name AS table, total_rows AS rows FROM system.tables "
    "WHERE database = currentDatabase() ORDER BY name"
)
Made = TypeVar("Made")


def history(
    shop: ShopFolder,
    question: Annotated[
        str | None, typer.Argument(metavar="SQL", help="the tables and their rows when absent")
    ] = None,
    value: Annotated[
        list[str] | None,
        typer.Option("--value", metavar="NAME=VALUE", help="of a placeholder, {NAME:Type} in the SQL"),
    ] = None,
    customer: Annotated[
        str | None, typer.Option("--customer", metavar="CUSTOMER", help="whose id {customer:String} is")
    ] = None,
    most: Annotated[int, typer.Option("--most", metavar="N", min=1, help="show N rows at most")] = SHOWN,
    json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="write CSV with a heading to stdout")] = False,
) -> int:
    """Ask history in SQL: every change, transition and decision. Nothing can be changed by it.

    What the log has gained is copied first. docs/history.md names the tables and columns.
    """
    if json and as_csv:
        raise InputError("--csv", "does not go together with --json", "give one of them")
    given = _values(value or [])
    found = _stoppable(lambda: _ask(shop, question or _TABLES, given, most, customer))
    rows = found.slice(0, most)
    more = found.num_rows > most
    if as_csv:
        _write_csv(rows)
    elif json:
        named = [dict(zip(rows.column_names, row, strict=True)) for row in _rows(rows)]
        print_json({"rows": named, "more": more})
    else:
        table = Table(*rows.column_names, box=None)
        for row in _rows(rows):
            table.add_row(*("" if cell is None else str(cell) for cell in row))
        page.print(table, markup=False)
    if more and not json:
        notes.print(f"... and more; --most N shows more than {most}")
    return exits.OK


def _ask(
    folder: Path, question: str, values: dict[str, object], most: int, customer: str | None
) -> pa.Table:
    """Copy what is new, and return the answer with one row more than shown, if there is one."""
    declared = load_shop(folder)
    with open_log(folder, declared) as log:
        if customer is not None:
            values = {**values, "customer": known_customer(log, customer)}
        with open_history(folder, declared, log) as store:
            return store.query(question, values, most + 1)


def _stoppable(work: Callable[[], Made]) -> Made:
    """Return what the work returns, with Ctrl-C heard: the engine does not hear it within a question.

    Stopped like that the process ends at once, as by a kill, which harms nothing.
    """
    made: list[Made] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            made.append(work())
        except BaseException as error:  # noqa: BLE001 - told in the caller's thread
            failed.append(error)

    worker = threading.Thread(target=run, daemon=True)
    worker.start()
    try:
        worker.join()
    except KeyboardInterrupt:
        notes.print("stopped; nothing is left half done, the same command begins again")
        sys.stdout.flush()
        os._exit(exits.INTERRUPTED)
    if failed:
        raise failed[0]
    return made[0]


def _values(given: list[str]) -> dict[str, object]:
    pairs = [text.partition("=") for text in given]
    for name, sign, _ in pairs:
        if not sign or not name.isidentifier():
            raise InputError("--value", f"'{name}{sign}' is no NAME=VALUE", "write --value city=上海")
    return {name: value for name, _, value in pairs}


def _rows(table: pa.Table) -> list[list[Any]]:
    """Return the rows with what JSON cannot hold as text; times as the shop's local ones."""
    return [[_plain(cell) for cell in row.values()] for row in table.to_pylist()]


def _plain(cell: Any) -> Any:
    if isinstance(cell, dt.datetime):
        return cell.replace(tzinfo=None).isoformat(" ")
    if cell is None or isinstance(cell, bool | int | float | str):
        return cell
    if isinstance(cell, list | tuple):
        return [_plain(one) for one in cell]
    return str(cell)


def _write_csv(table: pa.Table) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(table.column_names)
    out.writerows(_rows(table))
