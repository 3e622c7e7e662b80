"""Snapshots that workers share, in a folder or an object store, through fsspec (decision 0018).

``ROOT/SHOP/PARTITION/STEP-RANDOM/`` has the files of one snapshot; its manifest is written last, so that
an unfinished one is never found, and names the checksum of every file. The random part keeps two writers
apart: a worker that was paused may still upload what its successor has uploaded too.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped]  # it has no types

from streams.errors import InputError
from streams.log.begins import Begins

FORMAT = 1
MANIFEST = "manifest.json"
_READ = 1 << 20
_LOCAL = ("file", "local")


@dataclass(frozen=True)
class Manifest:
    """What a shared snapshot is of.

    name: of its folder; log: id of the topic; program: hash of the code that made it; step, minute, mode,
    last: as of `streams.log.begins.Begins`; offset: of the first message of the partition that is not in it;
    settings: hash of those in force; digest, effects: over the effects so far, and how many; files: name to
    size in bytes and BLAKE2b checksum.
    """

    name: str
    log: str
    program: str
    step: int
    offset: int
    minute: int
    mode: str
    last: Mapping[str, int]
    settings: str
    digest: str
    effects: int
    files: Mapping[str, tuple[int, str]]
    format: int = FORMAT

    @property
    def begins(self) -> Begins:
        """How a copy of the log begins behind it."""
        return Begins(self.step, self.minute, self.mode, self.last)


class SharedFolder:
    """One partition's shared snapshots. For one thread at a time; it raises what the file system does."""

    def __init__(self, url: str, shop: str, partition: int) -> None:
        """url: as fsspec reads it (``s3://BUCKET/PREFIX``, ``file:///FOLDER``); shop: without slashes."""
        protocol = url.partition("://")[0] if "://" in url else "file"
        # what others wrote meanwhile is to be seen, and threads have clients of their own
        options: dict[str, Any] = {"use_listings_cache": False, "skip_instance_cache": True}
        if protocol in _LOCAL:
            options = {"auto_mkdir": True}
        self._files, root = fsspec.url_to_fs(url, **options)
        self._folder = f"{root.rstrip('/')}/{shop}/{partition:03d}"
        self.where = f"{url.rstrip('/')}/{shop}/{partition:03d}"

    def put(self, folder: Path, about: Manifest) -> None:
        """Upload a snapshot's folder, whose files the manifest names; the manifest last."""
        target = f"{self._folder}/{about.name}"
        for name in about.files:
            self._files.put_file(str(folder / name), f"{target}/{name}")
        said = json.dumps(asdict(about), ensure_ascii=False, sort_keys=True)
        self._files.pipe_file(f"{target}/{MANIFEST}", said.encode())

    def names(self) -> list[str]:
        """Return the names of all that are there, finished or not, the newest first."""
        self._files.invalidate_cache()
        try:
            found = self._files.ls(self._folder, detail=False)
        except FileNotFoundError:
            return []
        return sorted((one.rstrip("/").rpartition("/")[2] for one in found), reverse=True)

    def manifests(self, say: Callable[[str], None] = lambda _: None) -> list[Manifest]:
        """Return the finished ones, the newest first; ``say`` hears of what cannot be read."""
        found = []
        for name in self.names():
            try:
                raw = self._files.cat_file(f"{self._folder}/{name}/{MANIFEST}")
            except FileNotFoundError:
                continue  # it is being written, or deleted
            try:
                said = json.loads(raw)
                if said["format"] == FORMAT:
                    files = {file: (size, checksum) for file, (size, checksum) in said["files"].items()}
                    found.append(Manifest(**{**said, "name": name, "files": files}))
                else:
                    say(f"{self.where}/{name}: another release wrote this snapshot; it is passed over")
            except (ValueError, KeyError, TypeError) as error:
                say(f"{self.where}/{name}: this manifest cannot be read ({error}); it is passed over")
        return found

    def fetch(self, about: Manifest, target: Path) -> None:
        """Download a snapshot into a folder that is not there yet.

        Raises InputError where a file is not what the manifest says, or is gone.
        """
        draft = target.parent / f".{target.name}.{os.getpid()}"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        where = f"{self.where}/{about.name}"
        try:
            for name, (size, checksum) in about.files.items():
                if Path(name).name != name:
                    raise InputError(where, f"its file {name!r} is no plain name", "delete this snapshot")
                self._files.get_file(f"{self._folder}/{about.name}/{name}", str(draft / name))
                if described(draft / name) != (size, checksum):
                    raise InputError(f"{where}/{name}", "its checksum is wrong", "delete this snapshot")
        except FileNotFoundError as error:
            shutil.rmtree(draft)
            raise InputError(where, f"a file is missing ({error})", "delete this snapshot") from error
        except BaseException:
            shutil.rmtree(draft)
            raise
        shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)

    def delete(self, name: str) -> None:
        """Delete one, its manifest first."""
        for path in (f"{self._folder}/{name}/{MANIFEST}", f"{self._folder}/{name}"):
            try:
                self._files.rm(path, recursive=not path.endswith(MANIFEST))
            except FileNotFoundError:
                continue  # it has none, or another has deleted it


def described(path: Path) -> tuple[int, str]:
    """Return a file's size in bytes and its checksum."""
    digest, size = hashlib.blake2b(digest_size=20), 0
    with path.open("rb") as file:
        while part := file.read(_READ):
            digest.update(part)
            size += len(part)
    return size, digest.hexdigest()


def new_name(step: int) -> str:
    """Return a name for a snapshot at a step: names sort as steps do."""
    return f"{step:020d}-{os.urandom(4).hex()}"
