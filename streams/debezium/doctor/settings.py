"""What a connector's file says, before anything runs."""

from __future__ import annotations

from streams.debezium.doctor.finding import Finding
from streams.debezium.files import ConnectorFile

ADAPTIVE = ("adaptive", "adaptive_time_microseconds")


def look_at_settings(file: ConnectorFile) -> list[Finding]:
    """Look at numbers, times, tombstones and heartbeats."""
    return [*_numbers(file), *_times(file), *_tombstones(file), *_heartbeats(file)]


def _set(file: ConnectorFile, key: str, value: str) -> str:
    return f'write "{key}": "{value}" into {file.where}, then: tintype connectors SHOP apply {file.name}'


def _has_schema(file: ConnectorFile) -> bool:
    return file.config.get("value.converter.schemas.enable") == "true"


def _numbers(file: ConnectorFile) -> list[Finding]:
    mode = file.config.get("decimal.handling.mode", "precise")
    if mode == "string" or (mode == "precise" and _has_schema(file)):
        return []
    cost = {
        "precise": "a decimal comes as bytes without its scale: refused unless the source says wire_scale",
        "double": "a decimal comes as a floating-point number: refused unless the source says round",
    }
    said = f"decimal.handling.mode is {mode}"
    return [
        Finding(
            "decimals",
            file.name,
            said,
            cost.get(mode, "unknown"),
            _set(file, "decimal.handling.mode", "string"),
        )
    ]


def _times(file: ConnectorFile) -> list[Finding]:
    mode = file.config.get("time.precision.mode", "adaptive")
    if mode not in ADAPTIVE or _has_schema(file):
        return []
    cost = (
        "a time without a zone is a number whose unit hangs on its column's type, and is refused without wire"
    )
    return [
        Finding(
            "times",
            file.name,
            f"time.precision.mode is {mode}",
            cost,
            _set(file, "time.precision.mode", "connect"),
        )
    ]


def _tombstones(file: ConnectorFile) -> list[Finding]:
    if file.config.get("tombstones.on.delete", "true") == "true":
        return []
    cost = (
        "a compacted topic keeps the last state of every deleted row for ever, and a flattened one no delete"
    )
    return [
        Finding(
            "tombstones",
            file.name,
            "tombstones.on.delete is off",
            cost,
            _set(file, "tombstones.on.delete", "true"),
        )
    ]


def _heartbeats(file: ConnectorFile) -> list[Finding]:
    if file.config.get("heartbeat.interval.ms", "0") == "0":
        cost = "a quiet shop looks like a dead feed: absences wait, and the kept position grows old"
        return [
            Finding(
                "heartbeats",
                file.name,
                "it sends no heartbeats",
                cost,
                _set(file, "heartbeat.interval.ms", "10000"),
            )
        ]
    if file.is_postgres and not file.config.get("heartbeat.action.query"):
        cost = "while only other databases of the server change, the slot stays and the write-ahead log grows"
        hint = _set(file, "heartbeat.action.query", "INSERT INTO tintype_heartbeat ...")
        return [Finding("heartbeats", file.name, "its heartbeats write nothing", cost, hint)]
    return []
