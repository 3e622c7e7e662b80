"""A small shop for the tests of streams: orders by members and phones, parcels through orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from app.shop import Settings, Shop
from streams.contract.source import Source
from streams.intake import import_files
from streams.log.log import Log
from streams.log.rows import read_control, read_rows
from streams.report import ImportReport
from tags.tag import Tag

ORDERS: dict[str, Any] = {
    "key": ["id"],
    "references": [{"type": "member", "column": "member"}, {"type": "phone", "column": "phone"}],
    "event_time": {"column": "at"},
    "columns": {"amount": {"type": "decimal", "scale": 2}, "status": {"type": "text"}},
}
PARCELS: dict[str, Any] = {
    "key": ["parcel"],
    "via": {"source": "orders", "column": "order"},
    "event_time": {"column": "at"},
    "columns": {"carrier": {"type": "text"}},
}
SCANS: dict[str, Any] = {
    "key": ["scan"],
    "via": {"source": "parcels", "column": "parcel"},
    "event_time": {"column": "at"},
    "columns": {"place": {"type": "text"}},
}
TAGS: dict[str, Any] = {
    "kind": "tags", "key": ["member", "tag"], "references": [{"type": "member", "column": "member"}],
    "event_time": {"column": "at"},
}  # fmt: skip
CONSENT: dict[str, Any] = {
    "kind": "consent", "key": ["member", "channel", "purpose"],
    "references": [{"type": "member", "column": "member"}], "event_time": {"column": "at"},
}  # fmt: skip


def source(name: str, declared: Mapping[str, Any]) -> Source:
    """Return a source as the configuration's reader makes it."""
    return Source.model_validate({"name": name, **declared})


def shop(zone: str = "UTC", priority: Sequence[str] = (), **sources: Mapping[str, Any]) -> Shop:
    """Return a shop with these sources, or with all of the above."""
    declared = sources or {
        "orders": ORDERS, "parcels": PARCELS, "scans": SCANS, "tagged": TAGS, "agreed": CONSENT,
    }  # fmt: skip
    return Shop(
        settings=Settings(name="small", zone=zone, identity_priority=list(priority)),
        sources={name: source(name, what) for name, what in declared.items()},
        tags={"vip": Tag(name="vip"), "blocked": Tag(name="blocked")},
    )


def new_log(folder: Path, partitions: int = 1) -> Log:
    """Return an empty log that is open for writing."""
    return Log.create(folder, "small", partitions)


def write_csv(path: Path, text: str) -> Path:
    """Write lines that are indented for reading."""
    lines = [line.strip() for line in text.strip().splitlines()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def take(log: Log, of: Shop, folder: Path, **texts: str) -> ImportReport:
    """Import CSV texts by source name."""
    files = [(name, write_csv(folder / f"{name}.csv", text)) for name, text in texts.items()]
    return import_files(log, of, files)


def rows(log: Log, of: Shop, name: str) -> pd.DataFrame:
    """Return all records of a source."""
    return read_rows(log, of.sources[name])


def story(log: Log, of: Shop) -> list[tuple[Any, ...]]:
    """Return all records in order of (step) for a log of one partition, in short form."""
    told: list[tuple[int, tuple[Any, ...]]] = []
    for name in of.sources:
        if of.sources[name].kind == "rows":
            frame = read_rows(log, of.sources[name])
            columns = [frame[column].tolist() for column in ("step", "op", "customer", "reference")]
            told += [(step, (name, op, who[:4], ref)) for step, op, who, ref in zip(*columns, strict=True)]
    control = read_control(log)
    told += list(zip(control["step"].tolist(), [(kind,) for kind in control["kind"]], strict=True))
    return [what for _, what in sorted(told, key=lambda record: record[0])]
