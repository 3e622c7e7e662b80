"""Connectors at work: what Connect runs, and the acts on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from streams.debezium.rest import ConnectRest, NotThere

Config = dict[str, str]


@dataclass(frozen=True)
class Task:
    """One task of a connector: RUNNING, FAILED, PAUSED, UNASSIGNED ...; ``trace`` is a failed one's error."""

    id: int
    state: str
    trace: str | None = None


@dataclass(frozen=True)
class Status:
    """A connector's own state and its tasks'."""

    name: str
    state: str
    trace: str | None
    tasks: tuple[Task, ...]

    @property
    def running(self) -> bool:
        """Whether it and each of its tasks run, and there is a task."""
        return (
            self.state == "RUNNING" and bool(self.tasks) and all(one.state == "RUNNING" for one in self.tasks)
        )

    @property
    def failures(self) -> list[str]:
        """The first line of each error of the connector and its tasks."""
        traces = [
            self.trace if self.state == "FAILED" else None,
            *(t.trace for t in self.tasks if t.state == "FAILED"),
        ]
        return [cause_of(trace or "no reason given") for trace in traces if trace or self.state == "FAILED"]


class Connectors:
    """The connectors of one Connect cluster. Every method raises InputError as `ConnectRest.call` does."""

    def __init__(self, rest: ConnectRest) -> None:
        self.rest = rest

    def names(self) -> list[str]:
        """Return the names of all connectors, sorted."""
        return sorted(self.rest.call("GET", "connectors"))

    def config(self, name: str) -> Config | None:
        """Return the configuration that runs, None if there is no such connector."""
        try:
            return dict(self.rest.call("GET", "connectors", name, "config"))
        except NotThere:
            return None

    def status(self, name: str) -> Status | None:
        """Return how it fares; None if there is no such connector, or only since a moment."""
        try:
            found = self.rest.call("GET", "connectors", name, "status")
        except NotThere:
            return None
        tasks = tuple(Task(one["id"], one["state"], one.get("trace")) for one in found["tasks"])
        return Status(name, found["connector"]["state"], found["connector"].get("trace"), tasks)

    def errors(self, config: Config) -> dict[str, list[str]]:
        """Let Connect validate a configuration; return the errors of each setting that has some.

        Debezium's validation connects to the database, with the secrets that the worker has.
        """
        kind = config.get("connector.class", "")
        found: dict[str, Any] = self.rest.call(
            "PUT", "connector-plugins", kind, "config", "validate", body=config
        )
        values = [one["value"] for one in found["configs"]]
        return {value["name"]: value["errors"] for value in values if value["errors"]}

    def put(self, name: str, config: Config) -> None:
        """Create a connector, or give it another configuration, with which its tasks start anew."""
        self.rest.call("PUT", "connectors", name, "config", body=config)

    def restart(self, name: str, only_failed: bool = False) -> None:
        """Restart a connector and its tasks, or only what has failed of them."""
        only = "true" if only_failed else "false"
        self.rest.call("POST", "connectors", name, "restart", query=f"?includeTasks=true&onlyFailed={only}")

    def pause(self, name: str) -> None:
        """Let it read nothing until `resume`. Its database keeps what it has not read: the slot grows."""
        self.rest.call("PUT", "connectors", name, "pause")

    def resume(self, name: str) -> None:
        """Let a paused connector go on where it was."""
        self.rest.call("PUT", "connectors", name, "resume")

    def delete(self, name: str) -> None:
        """Remove a connector. Its offsets stay in Connect, its slot and publication in the database."""
        self.rest.call("DELETE", "connectors", name)

    def offsets(self, name: str) -> list[dict[str, Any]]:
        """Return where its source was read to: ``[{partition, offset}]`` as the connector writes them."""
        return list(self.rest.call("GET", "connectors", name, "offsets")["offsets"])


def cause_of(trace: str) -> str:
    """Return the last cause of a Java stack trace, or its first line."""
    lines = [line.strip() for line in trace.splitlines() if line.strip()]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    return causes[-1] if causes else (lines[0] if lines else "no reason given")
