"""Connector files: JSON as Kafka Connect's REST interface takes it; secrets by environment only."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from streams.errors import InputError

VARIABLE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
SECRET = re.compile(r"password|secret|token|credential|private|sasl\.jaas", re.IGNORECASE)


@dataclass(frozen=True)
class ConnectorFile:
    """A connector as its file declares it. ``where`` names the file in errors."""

    where: str
    name: str
    config: dict[str, str]

    @property
    def is_postgres(self) -> bool:
        """Whether it reads PostgreSQL."""
        return self.config["connector.class"].endswith(".PostgresConnector")

    @property
    def is_mariadb(self) -> bool:
        """Whether it reads the binary log of MariaDB or MySQL."""
        return self.config["connector.class"].endswith((".MariaDbConnector", ".MySqlConnector"))

    @property
    def prefix(self) -> str:
        """What the names of its topics begin with."""
        return self.config["topic.prefix"]

    def list(self, key: str) -> list[str]:
        """Return a setting that is a list, [] where it is absent."""
        return [one.strip() for one in self.config.get(key, "").split(",") if one.strip()]

    def resolved(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the settings with their variables replaced. Raises InputError where one is not set."""
        return {key: self._replace(key, value, environment) for key, value in self.config.items()}

    def _replace(self, key: str, value: str, environment: Mapping[str, str]) -> str:
        for name in VARIABLE.findall(value):
            if name not in environment:
                raise InputError(
                    f"{self.where}: {key}", f"the variable {name} is not set here", f"export {name}=..."
                )
        return VARIABLE.sub(lambda found: environment[found[1]], value)


def read_files(folder: Path) -> dict[str, ConnectorFile]:
    """Return the connectors of a folder's files, by name. Raises InputError at the first that is wrong."""
    if not folder.is_dir():
        raise InputError(str(folder), "there is no such folder", "correct [kafka] connectors in tintype.toml")
    found: dict[str, ConnectorFile] = {}
    for path in sorted(folder.glob("*.json")):
        one = read_file(path)
        if one.name in found:
            raise InputError(
                one.where, f"{found[one.name].where} has the name '{one.name}' too", "rename one"
            )
        found[one.name] = one
    return found


def read_file(path: Path) -> ConnectorFile:
    """Read one file. Raises InputError where it is no connector, or holds a secret."""
    where = path.name
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(str(path), f"cannot be read ({error.strerror})", "check the path") from None
    except ValueError as error:
        raise InputError(where, f"is no JSON ({error})", "correct it") from None
    if not isinstance(body, dict) or set(body) != {"name", "config"} or not isinstance(body["config"], dict):
        raise InputError(where, "is no connector", 'write {"name": ..., "config": {...}}')
    name, config = body["name"], body["config"]
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9._-]+", name):
        raise InputError(where, f"{name!r} is no name", "use letters, digits, '.', '_' and '-'")
    for key, value in config.items():
        if not isinstance(value, str):
            raise InputError(f"{where}: {key}", f"{value!r} is no text", f'write "{key}": "..."')
        if SECRET.search(key) and value and not VARIABLE.fullmatch(value):
            hint = f'write "{key}": "${{env:TINTYPE_...}}", and set the variable where Connect runs'
            raise InputError(f"{where}: {key}", "a secret stands in the file", hint)
    for key in ("connector.class", "topic.prefix"):
        if not config.get(key):
            raise InputError(where, f"has no '{key}'", "every connector of Debezium needs it")
    return ConnectorFile(where, name, config)
