"""The log: one SQLite file of blocks, the truth of a shop."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from streams.errors import InputError
from streams.log.begins import Begins, BeginsLate, table_of
from streams.log.beyond import Beyond, Nothing
from streams.log.block import Block
from streams.log.connect import connect
from streams.log.lanes import Lanes
from streams.log.lock import WriterLock
from streams.personal.conceal import Names
from streams.personal.vault import FILE_NAME as VAULT_FILE
from streams.personal.vault import Vault

FILE_NAME = "log.sqlite"
FORMAT_VERSION = 3
_BEGINS = "begins"  # of the header: how a copy begins that lacks the first records
MODES = ("import", "live", "backfill")
TABLES = """
CREATE TABLE header (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE block (
    partition INTEGER NOT NULL, first_step INTEGER NOT NULL, count INTEGER NOT NULL, mode TEXT NOT NULL,
    first_minute INTEGER NOT NULL, last_minute INTEGER NOT NULL, holds TEXT NOT NULL, payload BLOB NOT NULL,
    PRIMARY KEY (partition, first_step)
);
CREATE TABLE source (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
    epoch INTEGER NOT NULL DEFAULT 0, position INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE reference (
    reference TEXT PRIMARY KEY, customer BLOB NOT NULL, strong INTEGER NOT NULL, sealed TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX reference_customer ON reference (customer, strong);
CREATE TABLE row (
    source INTEGER NOT NULL, key_high INTEGER NOT NULL, key_low INTEGER NOT NULL,
    customer_high INTEGER NOT NULL, customer_low INTEGER NOT NULL, alive INTEGER NOT NULL,
    content INTEGER NOT NULL, epoch INTEGER NOT NULL, position INTEGER NOT NULL, offset INTEGER NOT NULL,
    step INTEGER NOT NULL, parent_high INTEGER NOT NULL, parent_low INTEGER NOT NULL,
    PRIMARY KEY (source, key_high, key_low)
) WITHOUT ROWID;
CREATE INDEX row_parent ON row (source, parent_high, parent_low) WHERE parent_high <> 0 OR parent_low <> 0;
CREATE TABLE parked (
    source INTEGER NOT NULL, key_high INTEGER NOT NULL, key_low INTEGER NOT NULL,
    parent_high INTEGER NOT NULL, parent_low INTEGER NOT NULL, content INTEGER NOT NULL,
    epoch INTEGER NOT NULL, position INTEGER NOT NULL, offset INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (source, key_high, key_low)
) WITHOUT ROWID;
CREATE INDEX parked_parent ON parked (source, parent_high, parent_low);
CREATE TABLE dead (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, place TEXT NOT NULL, minute INTEGER NOT NULL,
    problem TEXT NOT NULL, hint TEXT NOT NULL, key BLOB, value BLOB, fixed BLOB, state TEXT NOT NULL,
    epoch INTEGER NOT NULL, position INTEGER NOT NULL, offset INTEGER NOT NULL,
    UNIQUE (source, place, value)
);
CREATE INDEX dead_state ON dead (state, source);
CREATE TABLE request (name TEXT PRIMARY KEY, minute INTEGER NOT NULL, answer TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX request_minute ON request (minute);
CREATE TABLE erasing (customer BLOB PRIMARY KEY, but_newest INTEGER NOT NULL) WITHOUT ROWID;
"""


class Unwritable(InputError):
    """The disk does not take what is to be written: nothing of it was, and it may be tried again."""


class Log:
    """An opened log. Use it in a ``with`` block, or call ``close``; one thread at a time may use it.

    Steps of a partition are numbered from 0 without a gap. Beside the blocks the file holds what is
    derived from them while they are written: which reference and which row belongs to which customer,
    and the rows that are parked. Both are committed together, so that a crash leaves both or none.

    ``vault``: the keys that its personal data are under, in a file beside it; ``names``: the references that
    were concealed lately; ``beyond``: where its tables are only a part of what is known, the rest; ``lanes``:
    in which order rows came; ``begins``: of a worker's copy that lacks the partition's first records, else
    None.
    """

    beyond: Beyond = Nothing()

    def __init__(
        self, folder: Path, connection: sqlite3.Connection, vault: Vault, lock: WriterLock | None
    ) -> None:
        self.folder = folder
        self.connection = connection
        self.vault = vault
        self.names = Names(vault)
        self.lanes = Lanes(connection)
        self._lock = lock
        try:
            header = dict(connection.execute("SELECT name, value FROM header"))
        except sqlite3.DatabaseError as error:
            self.close()
            raise _read_error(folder / FILE_NAME, error) from error
        if header.get("format") != str(FORMAT_VERSION):
            self.close()
            raise InputError(
                str(folder),
                f"the log has format {header.get('format')}, not {FORMAT_VERSION}",
                "use the release that wrote it, or import anew",
            )
        self.shop = header["shop"]
        self.partitions = int(header["partitions"])
        said = header.get(_BEGINS)
        self.begins = None if said is None else Begins(**json.loads(said))

    @staticmethod
    def create(folder: Path, shop: str, partitions: int, secret: bytes | None = None) -> Log:
        """Make a new log, and its vault, and open it for writing. Raises InputError if there is one already.

        secret: as of `Vault.create`.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            hint = "name another data folder in tintype.toml"
            raise InputError(str(folder), f"the folder cannot be made ({error.strerror})", hint) from error
        lock = WriterLock(folder)
        path = folder / FILE_NAME
        if path.exists():
            lock.release()
            raise InputError(str(path), "there is a log already", "open it, or name another data folder")
        vault = _new_vault(folder, secret)
        connection = _connect(path, write=True)
        header = [
            ("format", str(FORMAT_VERSION)),
            ("shop", shop),
            ("partitions", str(partitions)),
            ("offset", "0"),
        ]
        connection.execute("BEGIN IMMEDIATE")
        for statement in filter(None, map(str.strip, TABLES.split(";"))):
            connection.execute(statement)
        connection.executemany("INSERT INTO header VALUES (?, ?)", header)
        connection.execute("COMMIT")
        return Log(folder, connection, vault, lock)

    @staticmethod
    def open(folder: Path, write: bool = False) -> Log:
        """Open the folder's log, for reading or as its one writer.

        Raises InputError if there is none, it is of another format, or another process writes it.
        """
        path = folder / FILE_NAME
        if not path.is_file():
            raise InputError(str(folder), "there is no log here", "import something first")
        if path.stat().st_size == 0:
            raise _read_error(path, sqlite3.DatabaseError("it is empty"))
        lock = WriterLock(folder) if write else None
        try:
            connection = _connect(path, write)
            vault = Vault.open(folder, write)
        except (sqlite3.DatabaseError, InputError) as error:
            if lock is not None:
                lock.release()
            raise _read_error(path, error) from error
        return Log(folder, connection, vault, lock)

    def close(self) -> None:
        """Close the files and let others write."""
        self.connection.close()
        self.vault.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Log:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def writable(self) -> bool:
        """Say whether this process is the log's writer."""
        return self._lock is not None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all that is written inside, synced to disk, or nothing if it raises.

        Raises Unwritable if the disk is full or fails.
        """
        if not self.writable:
            raise InputError(str(self.folder), "the log is open for reading only", "open it with write=True")
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            yield
            self.connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            self._roll_back()
            hint = "make room on the disk; nothing of this was accepted"
            raise Unwritable(str(self.folder), f"the log cannot be written ({error})", hint) from error
        except BaseException:  # also Ctrl-C: nothing half written may stay
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        if self.connection.in_transaction:  # some errors end it by themselves
            self.connection.execute("ROLLBACK")

    def append(self, block: Block, holds: list[str]) -> None:
        """Add a block behind the partition's last one, inside a transaction.

        holds: what it contains: names of sources, and ``!kind`` for each kind of control record.
        """
        expected = self.next_step(block.partition)
        if block.first_step != expected:
            raise ValueError(
                f"block of partition {block.partition} begins at {block.first_step}, not {expected}"
            )
        self.connection.execute(
            "INSERT INTO block VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (block.partition, block.first_step, block.count, block.mode, block.first_minute,
             block.last_minute, "\n" + "\n".join(holds) + "\n", block.payload),
        )  # fmt: skip

    def next_step(self, partition: int) -> int:
        """Return the step that the next record of the partition will have: its number of records."""
        found = self.connection.execute(
            "SELECT first_step + count FROM block WHERE partition = ? ORDER BY first_step DESC LIMIT 1",
            (partition,),
        ).fetchone()
        return found[0] if found else self.first_step

    @property
    def first_step(self) -> int:
        """The step of a partition's first record: 0, but of a copy that begins later."""
        return 0 if self.begins is None else self.begins.step

    def begin_at(self, begins: Begins) -> None:
        """Let an empty log of one partition begin behind its first records."""
        self.connection.execute("INSERT INTO header VALUES (?, ?)", (_BEGINS, begins.said()))
        self.begins = begins

    def next_steps(self) -> list[int]:
        """Return ``next_step`` of each partition."""
        return [self.next_step(partition) for partition in range(self.partitions)]

    def clock(self, partition: int | None = None) -> int | None:
        """Return the largest append minute of the partition or the whole log (T2); None while empty."""
        chosen = range(self.partitions) if partition is None else [partition]
        # Append minutes never fall within a log, so each partition's last block holds its largest.
        query = "SELECT last_minute FROM block WHERE partition = ? ORDER BY first_step DESC LIMIT 1"
        found = [row[0] for part in chosen if (row := self.connection.execute(query, (part,)).fetchone())]
        if not found and self.begins is not None:
            return self.begins.minute
        return max(found) if found else None

    def last_mode(self, partition: int) -> str | None:
        """Return the mode of the partition's last block; None while it is empty."""
        query = "SELECT mode FROM block WHERE partition = ? ORDER BY first_step DESC LIMIT 1"
        found = self.connection.execute(query, (partition,)).fetchone()
        if not found and self.begins is not None:
            return self.begins.mode
        return str(found[0]) if found else None

    def blocks(
        self, partition: int, from_step: int = 0, to_step: int | None = None, holding: str | None = None
    ) -> Iterator[Block]:
        """Yield, in order, the blocks that hold a step of [from_step, to_step).

        The first may begin before ``from_step``. holding: only blocks with this source, or ``!kind``. Raises
        BeginsLate where the log lacks steps before its own first one.
        """
        if from_step < self.first_step:
            raise BeginsLate(f"{self.folder} begins at step {self.first_step}, and {from_step} is needed")
        query = (
            "SELECT partition, first_step, count, mode, first_minute, last_minute, payload FROM block "
            "WHERE partition = ? AND first_step + count > ? AND first_step < ? AND holds LIKE ? ESCAPE '\\' "
            "AND first_step >= "
            "coalesce((SELECT max(first_step) FROM block WHERE partition = ? AND first_step <= ?), 0) "
            "ORDER BY first_step"
        )
        like = "%" if holding is None else f"%\n{_escaped(holding)}\n%"
        last = to_step if to_step is not None else 2**62
        for row in self.connection.execute(query, (partition, from_step, last, like, partition, from_step)):
            yield Block(*row)

    def holdings(self, partition: int) -> Iterator[tuple[int, int, list[str]]]:
        """Yield, in order, each block's first step and count, and what it holds, without its payload."""
        query = "SELECT first_step, count, holds FROM block WHERE partition = ? ORDER BY first_step"
        for first_step, count, holds in self.connection.execute(query, (partition,)):
            yield first_step, count, holds.split("\n")[1:-1]

    def newest_holding(self, partition: int, before: int) -> dict[str, Block]:
        """Return for each table that blocks below a step hold the newest of these blocks."""
        query = (
            "SELECT holds, max(first_step) FROM block WHERE partition = ? AND first_step < ? GROUP BY holds"
        )
        newest: dict[str, int] = {}
        for holds, first_step in self.connection.execute(query, (partition, before)):
            for held in holds.split("\n")[1:-1]:
                table = table_of(held)
                newest[table] = max(newest.get(table, -1), first_step)
        return {name: next(self.blocks(partition, step, step + 1)) for name, step in newest.items()}

    def offset(self) -> int:
        """Return the last file offset given out (semantics W2)."""
        return int(self._header("offset"))

    def set_offset(self, offset: int) -> None:
        """Remember the last file offset given out, inside a transaction."""
        self.connection.execute("UPDATE header SET value = ? WHERE name = 'offset'", (str(offset),))

    def _header(self, name: str) -> str:
        found: tuple[Any] = self.connection.execute(
            "SELECT value FROM header WHERE name = ?", (name,)
        ).fetchone()
        return str(found[0])

    def source_number(self, name: str) -> int:
        """Return the number that stands for a source in this file, giving one out if it has none."""
        found = self.connection.execute("SELECT number FROM source WHERE name = ?", (name,)).fetchone()
        if found:
            return int(found[0])
        made = self.connection.execute("INSERT INTO source (name) VALUES (?)", (name,)).lastrowid
        assert made is not None  # an INSERT into a rowid table always has one
        return made


def _connect(path: Path, write: bool) -> sqlite3.Connection:
    connection = connect(path, write, make=write)
    connection.execute("PRAGMA cache_size = -131072")  # 128 MiB: the row directory of a large import
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def _new_vault(folder: Path, secret: bytes | None) -> Vault:
    """Make the vault; one that is there was made for this log, which was not begun yet."""
    if (folder / VAULT_FILE).exists():
        return Vault.open(folder, write=True)
    return Vault.create(folder, secret)


def _read_error(path: Path, error: Exception) -> Exception:
    """Return what to tell of a file that is no log; a log that is busy or away is another matter."""
    if isinstance(error, InputError):
        return error
    if isinstance(error, sqlite3.OperationalError) and "no such table" not in str(error):
        return error
    return InputError(str(path), f"this is no log, or it is damaged ({error})", "restore it from a copy")


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
