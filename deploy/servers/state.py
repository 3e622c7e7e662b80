"""Which servers run, in a file: processes, ports and passwords, for whoever comes after their starter."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from deploy.servers.places import DATA, Place
from deploy.servers.process import Running

FILE = DATA / "servers.json"


@dataclass(frozen=True)
class Kept:
    """A server that was started, for a test run (its ``owner``) or for a person, until they stop it."""

    running: Running
    place: Place
    owner: Running | None
    ready: bool

    @property
    def sound(self) -> bool:
        """Whether it runs, has answered, and whoever it is for still lives."""
        return self.ready and self.running.alive and (self.owner is None or self.owner.alive)


@contextmanager
def alone() -> Iterator[None]:
    """Let one process at a time start and stop servers."""
    DATA.mkdir(parents=True, exist_ok=True)
    with (DATA / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def read() -> dict[str, Kept]:
    """Return what was started and not stopped since, by name."""
    if not FILE.exists():
        return {}
    found: dict[str, Kept] = {}
    places: dict[str, Place] = {}
    for name, one in json.loads(FILE.read_text(encoding="utf-8")).items():
        places[name] = Place(DATA / name, one["ports"], one["password"], places)
        owner = Running(**one["owner"]) if one["owner"] else None
        found[name] = Kept(Running(**one["running"]), places[name], owner, one["ready"])
    return found


def write(kept: dict[str, Kept]) -> None:
    """Keep them; the file is its owner's only, since passwords stand in it."""
    body = {
        name: {
            "running": asdict(one.running), "owner": asdict(one.owner) if one.owner else None,
            "ready": one.ready, "ports": one.place.ports, "password": one.place.password,
        }
        for name, one in kept.items()
    }  # fmt: skip
    new = FILE.with_suffix(".new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text(json.dumps(body, indent=2), encoding="utf-8")
    new.replace(FILE)
