"""MariaDB, with a binary log of rows that change feeds can read."""

from __future__ import annotations

import os
import subprocess

import pymysql

from deploy.servers.debian import missing, path_of
from deploy.servers.places import DEPLOY, HOST, Place

USER = "tintype"


class MariaDb:
    """One server, empty at each start, with the user ``tintype``, who may do everything."""

    name = "mariadb"
    after: tuple[str, ...] = ()
    guarded = True
    ports: tuple[str, ...] = ()

    def missing(self) -> str | None:
        return missing("mariadbd", "mariadb-install-db", "my_print_defaults")

    def prepare(self, place: Place) -> None:
        command = [
            path_of("mariadb-install-db"), "--no-defaults", f"--datadir={place.folder / 'data'}",
            "--auth-root-authentication-method=normal", "--skip-test-db", *_account(),
        ]  # fmt: skip
        subprocess.run(command, cwd=place.folder, capture_output=True, check=True)
        first = place.folder / "first.sql"
        first.touch(mode=0o600)
        first.write_text(
            f"CREATE USER '{USER}'@'{HOST}' IDENTIFIED BY '{place.password}';\n"
            f"GRANT ALL ON *.* TO '{USER}'@'{HOST}' WITH GRANT OPTION;\n"
            "DROP USER 'root'@'localhost';\n",
            encoding="utf-8",
        )

    def command(self, place: Place) -> list[str]:
        return [
            path_of("mariadbd"), f"--defaults-file={DEPLOY / 'mariadb' / 'tintype.cnf'}",
            f"--datadir={place.folder / 'data'}", f"--port={place.port}", f"--bind-address={HOST}",
            f"--socket={place.folder / 'socket'}", f"--pid-file={place.folder / 'pid'}",
            f"--init-file={place.folder / 'first.sql'}",
            "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve", *_account(),
        ]  # fmt: skip

    def environment(self, place: Place) -> dict[str, str]:
        return {}

    def answers(self, place: Place) -> bool:
        try:
            pymysql.connect(
                host=HOST, port=place.port, user=USER, password=place.password, connect_timeout=5
            ).close()
        except pymysql.OperationalError:
            return False
        return True


def _account() -> list[str]:
    """Where we are root the server wants to be told that this is meant."""
    return ["--user=root"] if os.geteuid() == 0 else []
