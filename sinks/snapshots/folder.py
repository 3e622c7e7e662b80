"""Snapshots in a folder: the columns of every partition at a position of the log.

A snapshot is a saved cache: it may be deleted at any time. One is written beside its place and renamed, so
that a half-written one is never found.
"""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from engine.cuts import Cuts
from engine.digest import Digest
from engine.engine import Engine
from engine.jit import source_hash
from engine.memory import GROWING
from engine.partition import Partition
from streams.errors import InputError

KEPT = 2  # the newest, and one before it in case that one is unreadable
SPARSE_DOMAINS = ("minute", "customer_slot", "distinct", "fact")
USED = {
    "customer": "customers_used",
    "row": "rows_used",
    "entry": "entries_used",
    "list": "list_used",
    "timer": "timers_live",
}


@dataclass(frozen=True)
class Found:
    """A snapshot: where it is, and what it is of. more: what its writer said beside."""

    folder: Path
    steps: list[int]
    settings: str
    cuts: dict[str, dict[str, Any]]
    digests: list[str]
    more: Mapping[str, Any]

    @property
    def effects(self) -> list[int]:
        """How many effects each partition had emitted (P3)."""
        return [Digest.of(text).count for text in self.digests]


def save(
    folder: Path, engine: Engine, settings: str, needed: Sequence[int] | None = None,
    more: Mapping[str, Any] = MappingProxyType({}),
) -> Path:  # fmt: skip
    """Write a snapshot of all partitions; ``settings`` names the version in force. Return its folder.

    Older ones are deleted, but the newest is kept that lies before the effects that somebody still needs
    (``needed``: the first of each partition), so that they can be brought about again (semantics P5).
    """
    name = f"{sum(engine.steps):020d}"
    target, draft = folder / name, folder / f".{name}.{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for number, partition in enumerate(engine.partitions):
        _save_partition(draft, number, partition)
    cuts = {name: asdict(taken) for name, taken in engine.cuts.items()}
    meta = {
        "steps": engine.steps, "settings": settings, "kernel": source_hash(), "cuts": cuts,
        "digests": [digest.hexdigest() for digest in engine.digests], "more": dict(more),
    }  # fmt: skip
    (draft / "snapshot.json").write_text(json.dumps(meta, ensure_ascii=False), encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)
    _delete_old(folder, needed)
    return target


def _delete_old(folder: Path, needed: Sequence[int] | None) -> None:
    """Keep the newest, and the newest of which nothing undrained came before."""
    kept = {path.name for path in sorted(folder.glob("[0-9]*"))[-KEPT:]}
    if needed is not None:
        before = [
            found for found in newest(folder)
            if all(count <= first for count, first in zip(found.effects, needed, strict=True))
        ]  # fmt: skip
        kept |= {found.folder.name for found in before[:1]}
    for old in folder.glob("[0-9]*"):
        if old.name not in kept:
            shutil.rmtree(old)


def newest(folder: Path) -> list[Found]:
    """Return the snapshots of this kernel, the newest first."""
    found = []
    for path in sorted(folder.glob("[0-9]*/snapshot.json"), reverse=True):
        try:
            meta = json.loads(path.read_text(encoding="utf-8"))
            names = ("steps", "settings", "cuts", "digests", "more")
            if meta["kernel"] == source_hash():
                found.append(Found(path.parent, *(meta[name] for name in names)))
        except (OSError, ValueError, KeyError):
            continue  # half of a folder that somebody is deleting: as good as none
    return found


def load(found: Found, engine: Engine) -> None:
    """Take a snapshot over into a new engine of the same plan.

    Raises InputError if it cannot be read; the engine must then be thrown away.
    """
    try:
        for number, partition in enumerate(engine.partitions):
            _load_partition(found.folder, number, partition)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(str(found.folder), f"this snapshot cannot be read ({error})", "delete it") from error
    engine.steps = list(found.steps)
    engine.digests = [Digest.of(text) for text in found.digests]
    engine.cuts.update({name: _cuts(taken) for name, taken in found.cuts.items()})
    engine.restore_populations()


def _cuts(taken: dict[str, Any]) -> Cuts:
    recency = tuple((low, high, part) for low, high, part in taken["recency"])
    return Cuts(
        taken["model"],
        taken["minute"],
        taken["size"],
        recency,
        tuple(taken["frequency"]),
        tuple(taken["monetary"]),
    )


def _save_partition(folder: Path, number: int, partition: Partition) -> None:
    memory = partition.memory
    arrays: dict[str, Any] = {}
    for column, array in memory.save(partition.plan.columns).items():
        if column.domain in SPARSE_DOMAINS:
            places = np.flatnonzero(array)
            arrays[f"{column.name}.at"], arrays[f"{column.name}.of"] = places, array[places]
        elif column.domain in USED:
            width = memory.dimensions.get(column.width, 1)
            arrays[column.name] = array[: memory.scalar(USED[column.domain]) * width]
        else:
            arrays[column.name] = array
    np.savez(folder / f"{number}.npz", **arrays)
    text = {"capacity": memory.capacity, "texts": partition.texts}
    (folder / f"{number}.json").write_text(json.dumps(text, ensure_ascii=False), encoding="utf-8")


def _load_partition(folder: Path, number: int, partition: Partition) -> None:
    text = json.loads((folder / f"{number}.json").read_text(encoding="utf-8"))
    memory = partition.memory
    memory.set_capacity(text["capacity"])
    with (folder / f"{number}.npz").open("rb") as file, np.load(file) as stored:
        for column in memory.save(partition.plan.columns):
            if column.domain in SPARSE_DOMAINS:
                memory[column.name][stored[f"{column.name}.at"]] = stored[f"{column.name}.of"]
            elif column.domain in GROWING:
                memory[column.name][: len(stored[column.name])] = stored[column.name]
            else:
                memory.bind(column.name, stored[column.name].copy())
    memory.mirror()
    partition.encode_texts(text["texts"])
