"""Opens a file by its declared format or its name."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from streams.contract.numbers import quoted
from streams.contract.source import CHANGE_FORMATS, SEGMENT, FileFormat
from streams.decode.chunk import Decoder
from streams.decode.csv import CsvFile
from streams.decode.excel import ExcelFile
from streams.decode.jsonl import JsonLinesFile
from streams.decode.parquet import ParquetFile
from streams.errors import InputError

SHOWN_HEADINGS = 20
_ENDINGS = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv",
    ".xlsx": "excel", ".xls": "excel", ".xlsb": "excel", ".xlsm": "excel", ".ods": "excel",
    ".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl",
}  # fmt: skip


def open_file(path: Path, form: FileFormat, wanted: Collection[str], names: Collection[str] = ()) -> Decoder:
    """Open a file; ``wanted`` are the headings its source needs, ``names`` those that name a row or customer.

    Raises InputError if the file is absent or unreadable, its kind is unknown, its headings are missing
    or doubled, or a wanted one is not there.
    """
    if path.is_dir():
        raise InputError(str(path), "is a folder", "name the files in it")
    if not path.is_file():
        raise InputError(str(path), "there is no such file", "check the path")
    # The history of a feed may come as an export of the table all the same.
    is_feed = form.type in (*CHANGE_FORMATS, SEGMENT)
    kind = _kind(path) if is_feed or form.type == "auto" else form.type
    if is_feed and kind == "jsonl":
        path_of = "/v1/batch" if form.type == SEGMENT else "/v1/sources/NAME, one message a line"
        raise InputError(
            str(path), f"{form.type} messages are no rows of a file",
            f"send them to a running shop: POST {path_of}",
        )  # fmt: skip
    try:
        decoder = _open(kind, path, form, wanted, names)
    except OSError as error:
        problem = f"cannot be read ({error.strerror or error})"
        raise InputError(str(path), problem, "check the file and its rights") from error
    missing = [name for name in wanted if name not in decoder.headings]
    if missing:
        names = ", ".join(f"'{name}'" for name in missing)
        found = ", ".join(quoted(name) for name in decoder.headings[:SHOWN_HEADINGS])
        if len(decoder.headings) > SHOWN_HEADINGS:
            found += f" and {len(decoder.headings) - SHOWN_HEADINGS} more"
        raise InputError(
            f"{path}:1", f"column {names} is missing", f"the file ({decoder.report}) has {found}"
        )
    return decoder


def _open(
    kind: str, path: Path, form: FileFormat, wanted: Collection[str], names: Collection[str]
) -> Decoder:
    if kind == "csv":
        return CsvFile(path, form, wanted)
    if kind == "excel":
        return ExcelFile(path, form, wanted)
    if kind == "parquet":
        return ParquetFile(path, wanted)
    return JsonLinesFile(path, form, names)


def _kind(path: Path) -> str:
    endings = [ending.lower() for ending in path.suffixes]
    if endings and endings[-1] == ".gz":
        endings.pop()
    kind = _ENDINGS.get(endings[-1]) if endings else None
    if kind is None:
        known = ", ".join(_ENDINGS)
        raise InputError(
            str(path), "the file's kind is unknown", f"end its name with {known}, or set format.type"
        )
    return kind
