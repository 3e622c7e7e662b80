"""Snapshots that workers share: which one a new owner begins with, and what is uploaded (decision 0018)."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.restore import FOLDER
from engine.digest import Digest
from engine.jit import program_hash
from sinks.snapshots import folder as snapshots
from sinks.snapshots.shared import Manifest, SharedFolder, described, new_name
from streams.changes.copy import Copy
from streams.errors import InputError
from streams.log.beginning import begins_at
from streams.log.log import Log

KEPT = 3
OFFSET = "offset"  # of what a snapshot says beside the engine's state: the topic's, behind it
_LOOK_SECONDS, _AGAIN_SECONDS = 1.0, 30.0
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SharedPlace:
    """Where a shop's shared snapshots are. shop: its name as topics have it; log: id of the topic `changes`;
    every: records between two snapshots, and by how many more one must save to be fetched."""

    url: str
    shop: str
    log: str
    every: int

    def folder(self, partition: int) -> SharedFolder:
        """Return a partition's."""
        return SharedFolder(self.url, self.shop, partition)


def bring(
    place: SharedPlace, partition: int, copy: Copy, folder: Path, first: int, end: int, floor: int,
    say: Callable[[str], None],
) -> Manifest | None:  # fmt: skip
    """Fetch the newest usable snapshot, if it saves much, and let the copy begin there if it is behind.

    folder: of the copy; first, end: offsets of the partition's first message, and behind its last; floor: the
    first effect that is still needed. Returns what was fetched.
    """
    lacks = copy.next_offset < first or copy.log.next_step(0) == 0
    there = _local_step(copy, folder, floor)
    for about in place.folder(partition).manifests(say):
        if not lacks and about.step - there < place.every:
            return None  # they come the newest first
        why = _unusable(about, place, first, end, floor)
        if why is not None:
            say(f"shared snapshot {about.name} is passed over: {why}")
            continue
        try:
            place.folder(partition).fetch(about, folder / FOLDER / f"{about.step:020d}")
        except InputError as unreadable:
            say(f"{unreadable}; an older one is looked for")
            continue
        if lacks or copy.log.next_step(0) < about.step:
            copy.begin(about.offset, about.begins)
        return about
    return None


def _local_step(copy: Copy, folder: Path, floor: int) -> int:
    """Return the step at which an owner could begin with what is here."""
    usable = (
        found.steps[0] for found in snapshots.newest(folder / FOLDER)
        if copy.log.first_step <= found.steps[0] <= copy.log.next_step(0) and found.effects[0] <= floor
    )  # fmt: skip
    return next(usable, 0)


def _unusable(about: Manifest, place: SharedPlace, first: int, end: int, floor: int) -> str | None:
    """Say why a snapshot cannot be begun with; None where it can."""
    if about.log != place.log:
        return "it is of another log of this name"
    if about.program != program_hash():
        return "another program made it"
    if about.offset > end:
        return f"it is ahead of what is committed: it stands at offset {about.offset}, the log ends at {end}"
    if about.offset < first:
        return f"the log begins behind it, at offset {first}"
    if about.effects > floor:
        return f"effects before it are still needed, from number {floor} on"
    return None


class Uploads:
    """Uploads finished snapshots of owned partitions, in a thread of its own: nothing waits for it."""

    def __init__(self, place: SharedPlace, owned: Callable[[], Mapping[int, Uploading]]) -> None:
        self._place, self._owned = place, owned
        self._stop = threading.Event()
        self._not_before: dict[int, float] = {}
        self._newest: dict[int, int] = {}  # step of the newest that is known to be there
        self._thread = threading.Thread(target=self._run, name="snapshots", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End behind the upload at hand; what is unfinished is uploaded by the next owner."""
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            for number, one in self._owned().items():
                if time.monotonic() < self._not_before.get(number, 0.0):
                    continue
                try:
                    self.look(number, one)
                except Exception as error:  # noqa: BLE001 - whatever a file system raises, the next is tried
                    one.failed()
                    self._not_before[number] = time.monotonic() + _AGAIN_SECONDS
                    log.warning("partition %d: its snapshot is not shared: %s: %s; it is tried again",
                                number, type(error).__name__, error)  # fmt: skip

    def look(self, number: int, one: Uploading) -> None:
        """Upload the newest snapshot of a partition, unless there is one as new; delete what is too old."""
        found = next(iter(snapshots.newest(one.folder / FOLDER)), None)
        if found is None or found.steps[0] <= self._newest.get(number, -1) or OFFSET not in found.more:
            return
        shared = self._place.folder(number)
        there = [about for about in shared.manifests() if about.log == self._place.log]
        newest = max((about.step for about in there if about.program == program_hash()), default=-1)
        if found.steps[0] > newest:
            about = _about(found, one.folder, self._place.log)
            if about is None:
                return
            shared.put(found.folder, about)
            newest = about.step
            one.shared(newest)
        self._newest[number] = newest
        _delete_old(shared, self._place.log, one.needed())


@dataclass(frozen=True)
class Uploading:
    """An owned partition as the uploads see it. needed: the first effect that some relay still needs; shared:
    told of the step of what was uploaded; failed: told that it did not succeed."""

    folder: Path
    needed: Callable[[], int]
    shared: Callable[[int], None]
    failed: Callable[[], None]


def _about(found: snapshots.Found, folder: Path, topic: str) -> Manifest | None:
    """Describe a snapshot; None where the copy, which another owner may have begun anew, lacks its step."""
    step = found.steps[0]
    with Log.open(folder) as copy:
        if not copy.first_step < step <= copy.next_step(0):
            return None
        begins = begins_at(copy, step)
    names = sorted(path.name for path in found.folder.iterdir())
    files = {name: described(found.folder / name) for name in names}
    settings = hashlib.blake2b(found.settings.encode(), digest_size=16).hexdigest()
    return Manifest(
        new_name(step), topic, program_hash(), step, found.more[OFFSET], begins.minute, begins.mode,
        begins.last, settings, found.digests[0], Digest.of(found.digests[0]).count, files,
    )  # fmt: skip


def _delete_old(shared: SharedFolder, topic: str, needed: int) -> None:
    """Keep the newest few of this log, and the newest of which nothing undrained came before.

    What has no manifest and is older than all that are kept was left by a worker that ended.
    """
    there = [about for about in shared.manifests() if about.log == topic]
    kept = {about.name for about in there[:KEPT]}
    kept |= {about.name for about in [one for one in there if one.effects <= needed][:1]}
    finished, oldest = {about.name for about in there}, min(kept, default="")
    for name in shared.names():
        if name not in kept and (name in finished or name < oldest):
            shared.delete(name)
