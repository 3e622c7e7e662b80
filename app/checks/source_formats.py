"""Checks of how a source is written: names of its columns, encoding, separator, change messages."""

from __future__ import annotations

import codecs

from app.folder import Folder
from app.problems import Problems
from streams.cdc.fields import wanted_fields
from streams.contract.source import CHANGE_FORMATS, Source
from streams.decode.separator import check_separator
from streams.errors import InputError


def check_names(folder: Folder, label: str, source: Source, problems: Problems) -> None:
    """Names of columns in the file are not empty; key columns and references stand once."""
    for at, name in enumerate(source.key):
        if not name.strip() or name in source.key[:at]:
            hint = "name each column of the key once"
            problems.add(folder.where(label, "key", at), f"'{name}' is no further column", hint)
    pairs = [(one.type, one.column) for one in source.references]
    for at, (kind, column) in enumerate(pairs):
        if not kind or any(sign in kind for sign in ":/ ") or not kind.isprintable():
            hint = "write a word such as member, without colons, slashes and blanks"
            problems.add(folder.where(label, "references", at, "type"), f"'{kind}' is no type", hint)
        if not column.strip() or (kind, column) in pairs[:at]:
            hint = "name each column once"
            where = folder.where(label, "references", at, "column")
            problems.add(where, f"'{column}' is no further column", hint)
    for name, one in source.columns.items():
        if one.source_name is not None and not one.source_name.strip():
            where = folder.where(label, "columns", name, "from")
            problems.add(where, "'from' is empty", "name the file's column, or remove it")


def check_format(folder: Folder, label: str, source: Source, problems: Problems) -> None:
    """Encoding, separator and sheet can be used; a source of change messages says enough to read them."""
    form = source.format
    if form.encoding != "auto":
        try:
            codecs.lookup(form.encoding)
        except (LookupError, ValueError):
            hint = "write a name such as utf-8, gbk or windows-1252"
            where = folder.where(label, "format", "encoding")
            problems.add(where, f"encoding '{form.encoding}' is unknown", hint)
    try:
        check_separator(form.separator, label)
    except InputError as error:
        problems.add(folder.where(label, "format", "separator"), error.problem, error.hint)
    if isinstance(form.sheet, int) and form.sheet < 0:
        where = folder.where(label, "format", "sheet")
        problems.add(where, f"there is no sheet {form.sheet}", "sheets are counted from 0")
    if form.type in CHANGE_FORMATS:
        try:
            wanted_fields(source)
        except InputError as error:
            problems.add(folder.where(label, "columns"), error.problem, error.hint)
        return
    for name, column in source.columns.items():
        for key in ("wire", "wire_scale", "round"):
            if getattr(column, key) is not None:
                where = folder.where(label, "columns", name, key)
                hint = f"declare format.type {', '.join(CHANGE_FORMATS)}, or remove it"
                problems.add(where, f"'{key}' is for change messages only", hint)
