"""A connection to the engine in this process (chdb), and who may have a folder open."""

from __future__ import annotations

import fcntl
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from sinks.history.errors import of_opening
from streams.errors import InputError

if TYPE_CHECKING:
    from chdb.session import Session


class Connection:
    """A connection to a folder, made anew after each error.

    What a failed question had already put out would otherwise stand before the next one's answer (chdb 4.4).
    The engine is imported with the first one: a second, and half a gigabyte of memory.
    """

    def __init__(self, folder: Path, options: str = "") -> None:
        self._folder = folder
        self._address = str(folder) + (f"?{options}" if options else "")
        self._database = ""
        self._session = self._open()

    def use(self, database: str) -> None:
        """Look names up in this database from now on."""
        self._database = database
        self.do(f"USE {database}")

    def do(self, statement: str) -> None:
        """Carry a statement out. Raises RuntimeError with the engine's words."""
        self._asked(statement, "TSV", {})

    def ask(self, question: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
        """Return the answer. Raises RuntimeError with the engine's words."""
        given = {name: _as_parameter(value) for name, value in (parameters or {}).items()}
        return self._asked(question, "ArrowTable", given)

    def close(self) -> None:
        """End the connection; the last one of a folder closes its files."""
        self._session.close()

    def _open(self) -> Session:
        from chdb.session import Session

        try:
            return Session(self._address)
        except RuntimeError as error:
            raise of_opening(str(self._folder), str(error)) from None

    def _asked(self, text: str, form: str, parameters: dict[str, object]) -> pa.Table:
        try:
            return self._session.query(text, form, params=parameters)
        except BaseException:
            old, self._session = self._session, self._open()  # in this order: the folder stays open
            old.close()
            if self._database:
                self._session.query(f"USE {self._database}")
            raise


def _as_parameter(value: object) -> object:
    r"""Return a value as the engine reads it back: text escaped as in a tab-separated file.

    >>> _as_parameter("a\tb"), _as_parameter(None), _as_parameter(7)
    ('a\\tb', '\\N', 7)
    """
    if value is None:
        return r"\N"
    if not isinstance(value, str):
        return value
    return value.replace("\\", r"\\").replace("\n", r"\n").replace("\t", r"\t")


class OpenElsewhere(InputError):
    """Another process has history open."""


def check_free(folder: Path) -> None:
    """Raise OpenElsewhere if the folder is open already, and InputError where it cannot be opened at all; the
    engine's own message goes to stderr only."""
    if "?" in str(folder):  # the engine would read its options from there
        raise InputError(str(folder), "history cannot lie in a folder with '?' in its path", "rename it")
    status = folder / "status"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with status.open("a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the engine holds the same lock
            except BlockingIOError:
                file.seek(0)
                holder = re.search(r"PID: (\d+)", file.read())
                raise OpenElsewhere(
                    str(folder),
                    f"history is open in another process (pid {holder[1] if holder else 'unknown'})",
                    "one process at a time can have it: stop that one, or ask it",
                ) from None
    except OSError as error:
        raise of_opening(str(folder), str(error)) from None
