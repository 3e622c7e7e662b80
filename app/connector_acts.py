"""What ``tintype connectors`` does. Apart from the command, since the clients take a while to import."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from app import exits
from app.kafka_address import KafkaAddress
from app.output import page, print_json
from app.pages.connectors import lag_table, one_connector
from rules.suggest import suggest
from streams.debezium.apply import apply, validate
from streams.debezium.connectors import Status
from streams.debezium.drift import differences
from streams.debezium.files import ConnectorFile
from streams.debezium.lag import lags
from streams.debezium.notifications import heartbeat_age_s, notifications
from streams.debezium.position import position_of
from streams.debezium.replay import replay_from
from streams.debezium.signals import KINDS, Kind, Signal, Way, send
from streams.errors import InputError

OF_ALL = ("list", "show", "check", "apply", "lag")  # where none is named
SHOWN = 5  # newest notifications


def chosen(at: KafkaAddress, action: str, names: list[str]) -> list[str]:
    """Return the connectors meant; acts that change what runs want them named. Raises InputError."""
    running = at.connectors.names()
    if not names and action in OF_ALL:
        return sorted({*at.files, *running}) if action in ("list", "show") else sorted(at.files)
    if not names:
        there = ", ".join(sorted(at.files))
        raise InputError(f"connectors {action}", "no connector is named", f"there are {there}")
    known = (
        {*at.files, *running}
        if action in ("list", "show", "delete", "pause", "resume", "restart")
        else at.files
    )
    for name in names:
        if name not in known:
            raise InputError(name, "there is no such connector", suggest(name, known, "connector"))
    return names


def signal(
    at: KafkaAddress,
    names: list[str],
    word: str,
    tables: Sequence[str],
    where: str | None,
    way: Way,
    json: bool,
) -> int:
    """Send each connector a signal of its own."""
    sent = {}
    for name in names:
        one = Signal(_kind(word), tuple(tables), where)
        send(at.files[name], one, way, at.bootstrap, os.environ)
        sent[name] = {"outcome": f"sent, with the id {one.id}", "id": one.id}
    return _done(json, sent)


def _kind(word: str) -> Kind:
    for kind in KINDS:
        if word in (kind, kind.removesuffix("-snapshot")):
            return kind
    raise InputError("--kind", f"'{word}' is no signal", "write execute, pause, resume or stop")


def act(at: KafkaAddress, action: str, names: list[str], failed: bool, json: bool) -> int:
    said: dict[str, Any] = {}
    for name in names:
        if action == "apply":
            said[name] = {"outcome": apply(at.connectors, at.files[name], at.bootstrap)}
        elif action == "restart":
            at.connectors.restart(name, only_failed=failed)
        elif action == "pause":
            at.connectors.pause(name)
        elif action == "resume":
            at.connectors.resume(name)
        else:
            at.connectors.delete(name)
        said.setdefault(name, {"outcome": f"{action}d" if action.endswith("e") else f"{action}ed"})
    return _done(json, said)


def _done(json: bool, said: dict[str, Any]) -> int:
    if json:
        print_json({"connectors": said})
    else:
        for name, what in said.items():
            page.print(f"{name}: {what['outcome']}")
    return exits.OK


def check(at: KafkaAddress, names: list[str], json: bool) -> int:
    found = [error for name in names for error in validate(at.connectors, at.files[name])]
    if json:
        print_json({"errors": [{"where": e.where, "problem": e.problem, "hint": e.hint} for e in found]})
    else:
        for error in found:
            page.print(str(error), markup=False, soft_wrap=True)
        page.print(f"{len(names)} connectors: {len(found) or 'no'} errors")
    return exits.DIFFERENT if found else exits.OK


def show(at: KafkaAddress, names: list[str], closely: bool, json: bool) -> int:
    documents = [_document(at, name, closely) for name in names]
    if json:
        print_json({"connectors": documents})
    elif closely:
        for one in documents:
            one_connector(one)
    else:
        table = Table("connector", "state", "tasks", "file and what runs", box=None)
        for one in documents:
            table.add_row(one["name"], one["state"], ", ".join(one["tasks"]), one["is"])
        page.print(table)
    return exits.OK if all(one["good"] for one in documents) else exits.DIFFERENT


def _document(at: KafkaAddress, name: str, closely: bool) -> dict[str, Any]:
    file, running, status = at.files.get(name), at.connectors.config(name), at.connectors.status(name)
    changed = differences(file.config, running) if file is not None and running is not None else []
    found: dict[str, Any] = {
        "name": name,
        "state": "absent" if status is None else status.state,
        "tasks": [] if status is None else [one.state for one in status.tasks],
        "failures": [] if status is None else status.failures,
        "is": _relation(file, running, len(changed)),
        "differences": [{"key": one.key, "file": one.file, "running": one.running} for one in changed],
        "good": _is_good(file, status, len(changed)),
    }
    return found | _more(at, file, running) if closely else found


def _is_good(file: ConnectorFile | None, status: Status | None, changed: int) -> bool:
    return file is not None and status is not None and status.running and not changed


def _relation(file: ConnectorFile | None, running: dict[str, str] | None, changed: int) -> str:
    if file is None:
        return "runs without a file"
    if running is None:
        return "does not run"
    return f"{changed} settings differ" if changed else "the same"


def _more(at: KafkaAddress, file: ConnectorFile | None, running: dict[str, str] | None) -> dict[str, Any]:
    if file is None:
        return {}
    told = notifications(at.bootstrap, file)[-SHOWN:]
    return {
        "heartbeat_age_s": heartbeat_age_s(at.bootstrap, file),
        "offsets": [] if running is None else at.connectors.offsets(file.name),
        "notifications": [{"subject": one.subject, "kind": one.kind, "at_ms": one.at_ms} for one in told],
    }


def lag(at: KafkaAddress, names: list[str], groups: list[str] | None, json: bool) -> int:
    documents = []
    for name in names:
        file = at.files[name]
        behind = lags(at.bootstrap, file.prefix, groups)
        position = position_of(at.connectors, file, os.environ)
        documents.append({"name": name, "source": vars(position), "groups": [vars(one) for one in behind]})
    if json:
        print_json({"connectors": documents})
    else:
        lag_table(documents)
    return exits.OK


def replay(at: KafkaAddress, names: list[str], groups: list[str] | None, minute: int, json: bool) -> int:
    if not groups:
        raise InputError("connectors replay", "--group is missing", "name the group that is to read again")
    moved = []
    for name in names:
        topics = sorted({one.topic for one in lags(at.bootstrap, at.files[name].prefix, groups[:1])})
        for group in groups:
            moved += [
                vars(one) | {"group": group}
                for one in replay_from(at.bootstrap, group, topics, minute * 60_000)
            ]
    if json:
        print_json({"moved": moved})
    else:
        for one in moved:
            page.print(
                f"{one['group']} {one['topic']}[{one['partition']}]: {one['before']} -> {one['after']}"
            )
    return exits.OK
