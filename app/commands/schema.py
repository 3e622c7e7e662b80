"""``tintype schema``: the JSON Schemas of a shop's files, and the AsyncAPI document of its events."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import Annotated

import typer

from app import exits
from app.commands.options import Json
from app.documents.schemas import FOLDER, schema_files
from app.output import page, print_json
from streams.errors import InputError


def schema(
    folder: Annotated[
        Path | None, typer.Argument(help="where to write; docs/schema, or docs with --events, where absent")
    ] = None,
    events: Annotated[
        bool, typer.Option("--events", help="asyncapi.yaml in their place: what a shop's events hold")
    ] = False,
    json: Json = False,
) -> int:
    """Write the JSON Schemas of a shop's files, for editors; or the AsyncAPI document of its events.

    With --json they go to stdout as one document, and nothing is written.
    """
    if events:
        from console.asyncapi import document, text

        if json:
            print_json(document())
            return exits.OK
        _write(folder or FOLDER.parent, {"asyncapi.yaml": text()})
        return exits.OK
    files = schema_files()
    if json:
        print_json({name: json_format.loads(told) for name, told in files.items()})
        return exits.OK
    _write(folder or FOLDER, files)
    return exits.OK


def _write(folder: Path, files: dict[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, told in files.items():
            (folder / name).write_text(told, encoding="utf-8")
    except OSError as error:
        raise InputError(str(folder), f"cannot be written ({error.strerror})", "name a folder") from None
    what = f"{len(files)} schemas" if len(files) > 1 else next(iter(files))
    page.print(f"{what} written to {folder}", markup=False, soft_wrap=True)
