"""What runs in Connect, against the files: absent, failed, paused, different, silent; what it did before."""

from __future__ import annotations

import time

from streams.debezium.connectors import Connectors
from streams.debezium.doctor.finding import Finding
from streams.debezium.drift import differences
from streams.debezium.files import ConnectorFile
from streams.debezium.notifications import heartbeat_age_s, notifications

BEATS_MISSED = 3  # a worker that is distributing tasks anew misses one or two


def look_at_running(connectors: Connectors, file: ConnectorFile) -> list[Finding]:
    """Look whether a file's connector runs as the file says."""
    name = file.name
    running, status = connectors.config(name), connectors.status(name)
    if running is None or status is None:
        return [
            Finding(
                "connector",
                name,
                "it does not run",
                "none of its changes come",
                f"tintype connectors SHOP apply {name}",
            )
        ]
    found = [
        Finding(
            "drift", name, str(one), "what runs is not what was reviewed; the next apply changes it",
            f"tintype connectors SHOP apply {name}, or put what runs into {file.where}",
        )
        for one in differences(file.config, running)
    ]  # fmt: skip
    for failure in status.failures:
        mend = f"mend the cause, then: tintype connectors SHOP restart {name} --failed"
        found.append(Finding("failed", name, f"it has failed: {failure}", "none of its changes come", mend))
    if status.state in ("PAUSED", "STOPPED"):
        cost = "none of its changes come, and the database holds them back"
        mend = f"tintype connectors SHOP resume {name}"
        found.append(Finding("paused", name, f"it is {status.state.lower()}", cost, mend))
    return found


def look_for_heartbeats(connectors: Connectors, file: ConnectorFile, bootstrap: str) -> list[Finding]:
    """Look whether a connector that runs and is to send heartbeats sends them."""
    interval_s = int(file.config.get("heartbeat.interval.ms", "0")) / 1000
    status = connectors.status(file.name)
    if not interval_s or status is None or not status.running:
        return []
    age = heartbeat_age_s(bootstrap, file)
    if age is None or age <= BEATS_MISSED * interval_s:
        return []
    said = f"its last heartbeat is {age:.0f} s old, and one is due every {interval_s:.0f} s"
    cost = "it runs and reads nothing; absences wait for its sources"
    return [Finding("silent", file.name, said, cost, f"tintype connectors SHOP restart {file.name}")]


def look_for_snapshots(file: ConnectorFile, bootstrap: str) -> list[Finding]:
    """Look whether a connector began its initial snapshot more than once, as far as what it told is kept:
    one that dies before its first position is kept begins again."""
    began = [
        one.at_ms
        for one in notifications(bootstrap, file)
        if (one.subject, one.kind) == ("Initial Snapshot", "STARTED")
    ]
    if len(began) < 2:
        return []
    first, last = (time.strftime("%F %T", time.gmtime(at / 1000)) for at in (began[0], began[-1]))
    return [
        Finding(
            "snapshots", file.name, f"it began its first snapshot {len(began)} times, {first} to {last} UTC",
            "what was deleted between was told by none of them: those rows stay in profiles",
            "write the rows that were deleted between into their tables again, and delete them again",
        )
    ]  # fmt: skip


def without_a_file(connectors: Connectors, files: dict[str, ConnectorFile]) -> list[Finding]:
    """Look for connectors that run and have no file."""
    return [
        Finding(
            "connector", name, "it runs, and no file declares it", "nobody can say what it should be",
            f"put what `tintype connectors SHOP show {name} --json` says into a file, or delete it",
        )
        for name in connectors.names()
        if name not in files
    ]  # fmt: skip
