"""A process that looks for changes in the store, as a CRM screen would, and for snapshots being written.

It has a connection of its own and asks for the very documents, every two milliseconds, for those whose time
has come. It is a process, so that looking does not hold the interpreter lock of the one that is measured.
Moments are ``time.monotonic()``, which is one clock for all processes of a machine.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec
import numpy as np
import redis

from bench.schedule import Floats

POLL_SECONDS = 0.002
FOLDER_SECONDS = 0.02
GIVE_UP_SECONDS = 30.0  # after the last change was due


@dataclass(frozen=True)
class Looking:
    """What is looked for: ``metric`` of the document ``keys[i]`` is ``least`` or more from ``due[i]`` on.

    port, password: of the store. due: seconds after the beginning, ascending. snapshots: their folder.
    """

    port: int
    password: str
    keys: list[str]
    due: list[float]
    metric: str
    least: int
    snapshots: Path


@dataclass(frozen=True)
class Seen:
    """readable: the moment each was seen at, inf where it never was; writing: when snapshots were written."""

    readable: Floats
    writing: list[tuple[float, float]]


class _Document(msgspec.Struct):
    metrics: dict[str, object]


class Watch:
    """Use it in this order: `__init__` (starts the process), `begin`, `result`."""

    def __init__(self, looking: Looking) -> None:
        context = multiprocessing.get_context("spawn")  # the measured process has threads: no fork
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_watch, args=(looking, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self._ours.recv()  # it is connected

    def begin(self, moment: float) -> None:
        """Say when the load begins."""
        self._ours.send(moment)

    def result(self) -> Seen:
        """Wait until all is found or given up. Raises EOFError if the process has ended before."""
        try:
            found: Seen = self._ours.recv()
        finally:
            self._process.join()
        return found


def _watch(looking: Looking, pipe: Connection) -> None:
    client = redis.Redis(port=looking.port, password=looking.password)
    client.ping()
    pipe.send("ready")
    began: float = pipe.recv()
    folder = _Folder(looking.snapshots)
    due = began + np.array(looking.due)
    readable = np.full(len(due), np.inf)
    decode = msgspec.json.Decoder(_Document).decode
    waiting: list[int] = []
    come = 0
    while come < len(due) or waiting:
        now = time.monotonic()
        folder.look(now)
        while come < len(due) and due[come] <= now:
            waiting.append(come)
            come += 1
        if waiting:
            bodies = client.mget([looking.keys[at] for at in waiting])
            moment = time.monotonic()
            there = [
                body is not None and _number(decode(body).metrics[looking.metric]) >= looking.least
                for body in bodies
            ]
            readable[[at for at, yes in zip(waiting, there, strict=True) if yes]] = moment
            waiting = [at for at, yes in zip(waiting, there, strict=True) if not yes]
        if come == len(due) and now > due[-1] + GIVE_UP_SECONDS:
            break
        time.sleep(POLL_SECONDS)
    pipe.send(Seen(readable, folder.writing(time.monotonic())))


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


class _Folder:
    """Notes when a draft of a snapshot stands in the folder (`sinks.snapshots.folder.save`)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._next = 0.0
        self._since: dict[str, float] = {}
        self._done: list[tuple[float, float]] = []

    def look(self, now: float) -> None:
        if now < self._next:
            return
        self._next = now + FOLDER_SECONDS
        drafts = {path.name for path in self._path.glob(".[0-9]*")}
        for name in drafts - self._since.keys():
            self._since[name] = now
        for name in self._since.keys() - drafts:
            self._done.append((self._since.pop(name), now))

    def writing(self, now: float) -> list[tuple[float, float]]:
        """Return when each began and ended; one that is not done ends now."""
        open_ends: Sequence[float] = list(self._since.values())
        return [*self._done, *((begin, now) for begin in open_ends)]
