"""``tintype schema``: the JSON Schemas of a shop's files."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import Annotated

import typer

from app import exits
from app.commands.options import Json
from app.output import page, print_json
from app.schemas import FOLDER, schema_files
from streams.errors import InputError


def schema(
    folder: Annotated[Path, typer.Argument(help="where to write them")] = FOLDER,
    json: Json = False,
) -> int:
    """Write the JSON Schemas of a shop's files, for editors.

    With --json they go to stdout as one document, and nothing is written.
    """
    files = schema_files()
    if json:
        print_json({name: json_format.loads(text) for name, text in files.items()})
        return exits.OK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(str(folder), f"cannot be written ({error.strerror})", "name a folder") from None
    page.print(f"{len(files)} schemas written to {folder}", markup=False, soft_wrap=True)
    return exits.OK
