"""Where a shop's log and snapshots lie, and how its log is opened."""

from __future__ import annotations

import os
from pathlib import Path

from app.shop import Shop
from streams.errors import InputError
from streams.log.log import FILE_NAME, Log
from streams.personal.erase import finish

DATA = "TINTYPE_DATA"


def data_folder(folder: Path, shop: Shop) -> Path:
    """Return the data folder of a shop: ``data`` of tintype.toml, relative to the shop's folder."""
    return (folder / shop.settings.data).resolve()


def keys_folder(folder: Path, shop: Shop) -> Path:
    """Return the folder of the API's keys: that of TINTYPE_DATA, where the shop's may not be written, else
    the shop's data folder."""
    said = os.environ.get(DATA)
    return Path(said) if said else data_folder(folder, shop)


def open_log(folder: Path, shop: Shop, write: bool = False) -> Log:
    """Open the shop's log; as its one writer, make it where there is none.

    Raises InputError where there is nothing to read, where another process writes, or where the log has
    another number of partitions than tintype.toml says (P1: that would be another log).
    """
    data = data_folder(folder, shop)
    if write and not (data / FILE_NAME).exists():
        return Log.create(data, shop.settings.name, shop.settings.partitions)
    log = Log.open(data, write)
    if write:
        finish(log)
    if log.partitions != shop.settings.partitions:
        have, want = log.partitions, shop.settings.partitions
        log.close()
        hint = f"write 'partitions = {have}', or name another data folder and import anew"
        raise InputError(str(folder / "tintype.toml"), f"partitions is {want}, but the log has {have}", hint)
    return log
