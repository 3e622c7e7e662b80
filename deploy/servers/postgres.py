"""PostgreSQL, with a write-ahead log that change feeds can read."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import psycopg

from deploy.servers.debian import missing, path_of
from deploy.servers.places import DEPLOY, HOST, Place

SERVER = "/usr/lib/postgresql/*/bin/postgres"
USER = "tintype"
ACCOUNT = "postgres"  # Debian's; the server refuses to run as root


class Postgres:
    """One server, empty at each start, with the superuser ``tintype``."""

    name = "postgres"
    after: tuple[str, ...] = ()
    guarded = True
    ports: tuple[str, ...] = ()

    def missing(self) -> str | None:
        return missing(SERVER, "setpriv")

    def prepare(self, place: Place) -> None:
        secret = place.folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(place.password, encoding="utf-8")
        if os.geteuid() == 0:
            for path in (place.folder, secret):
                shutil.chown(path, ACCOUNT, ACCOUNT)
        initdb = Path(path_of(SERVER)).with_name("initdb")
        command = [
            str(initdb), "--pgdata", str(place.folder / "data"), "--username", USER, "--pwfile", str(secret),
            "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-sync",
        ]  # fmt: skip
        subprocess.run(_not_as_root(command), cwd=place.folder, capture_output=True, check=True)

    def command(self, place: Place) -> list[str]:
        settings = {
            "config_file": DEPLOY / "postgres" / "postgresql.conf", "port": place.port,
            "listen_addresses": HOST, "unix_socket_directories": "",
            "fsync": "off",  # the data is thrown away anyhow
        }  # fmt: skip
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return _not_as_root([path_of(SERVER), "-D", str(place.folder / "data"), *options])

    def environment(self, place: Place) -> dict[str, str]:
        return {"LC_ALL": "C.UTF-8"}

    def answers(self, place: Place) -> bool:
        try:
            psycopg.connect(
                host=HOST,
                port=place.port,
                user=USER,
                password=place.password,
                dbname="postgres",
                connect_timeout=5,
            ).close()
        except psycopg.OperationalError:
            return False
        return True


def _not_as_root(command: list[str]) -> list[str]:
    """Run a command as Debian's account where we are root.

    It keeps the right to search folders: the checkout may lie where that account could not go.
    """
    if os.geteuid() != 0:
        return command
    search = "+dac_read_search"
    return [
        path_of("setpriv"), "--reuid", ACCOUNT, "--regid", ACCOUNT, "--clear-groups",
        "--inh-caps", search, "--ambient-caps", search, *command,
    ]  # fmt: skip
