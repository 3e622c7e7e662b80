"""Profiles as flat mappings from what a value is to the value: of the store's documents, of the recompute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import pandas as pd

from reference.measure import measure_of
from reference.pieces import Pieces
from reference.recompute import Recomputed
from rules.syntax import Call

Flat = dict[str, Any]
DAY = 1440
MODEL = ("recency", "frequency", "monetary", "r", "f", "m", "score", "segment")
SEVERAL = ("metrics", "attributes", "rfm", "tags")
UNREADABLE: Flat = {"profile": "unreadable"}
OPEN = object()  # what the recompute leaves open: tags that remember, of who was not replayed
ABSENT = "absent"


def of_document(raw: bytes, customer: str, clock: int, pieces: Pieces) -> Flat:
    """Return what a store's document says at a clock (epoch minute): all that stands in it, also what no
    declaration asks for. One that is none says only that."""
    try:
        document = msgspec.json.decode(raw)
        return dict(_said(document, customer, clock, pieces))
    except (msgspec.DecodeError, UnicodeDecodeError, AttributeError, KeyError, TypeError, ValueError):
        return UNREADABLE


def _said(document: Any, customer: str, clock: int, pieces: Pieces) -> Iterator[tuple[str, Any]]:
    if document["id"] != customer:
        yield "id", document["id"]
    yield from ((name, value) for name, value in document.items() if name not in ("id", *SEVERAL))
    for kind, held in (("metric", document["metrics"]), ("attribute", document["attributes"])):
        yield from ((f"{kind} {name}", value) for name, value in held.items())
    units = {model.name: DAY if model.recency_unit == "day" else 1 for model in pieces.models}
    for name, held in document["rfm"].items():
        told = dict(held) if held is not None else {}
        if told:
            told["recency"] = (clock - told.pop("last_order")) // units.get(name, 1)
        yield from ((f"rfm {name}.{field}", told.get(field)) for field in {**dict.fromkeys(MODEL), **told})
    held = document["tags"].keys()
    yield from ((f"tag {name}", name in held) for name in {**dict.fromkeys(pieces.tags), **document["tags"]})


def of_recompute(pieces: Pieces, found: Recomputed, customers: Sequence[str]) -> dict[str, Flat]:
    """Return what the recompute says of those of these customers whom it knows."""
    columns: dict[str, pd.Series[Any]] = {}
    for name, tree in pieces.declared.items():
        if isinstance(tree, Call) and tree.name == "avg":  # exactly, as the store has it
            columns[f"metric {name}"] = found.metrics[str(measure_of(tree))]
        else:
            columns[f"metric {name}"] = found.declared[name]
    for name, measure in pieces.attributes.items():
        columns[f"attribute {name}"] = found.metrics[str(measure)]
    for model, frame in found.rfm.items():
        columns |= {f"rfm {model}.{field}": frame[field] for field in MODEL}
    known = [one for one in customers if one in found.member.index]
    values = {what: _plain(column.loc[known]) for what, column in columns.items()}
    tags = {f"tag {name}": _plain(found.member[name].loc[known]) for name in found.member}
    return {
        customer: {
            **{what: column[at] for what, column in values.items()},
            **{what: OPEN if column[at] is None else column[at] for what, column in tags.items()},
        }
        for at, customer in enumerate(known)
    }


def _plain(column: pd.Series[Any]) -> list[Any]:
    """Return plain values: None for null, a list for the pair (sum, count) of an average."""
    found: list[Any] = []
    for value in column.tolist():
        if isinstance(value, tuple):
            found.append(list(value))
        else:
            found.append(None if pd.isna(value) else value)
    return found


def differences(held: Flat | None, recomputed: Flat | None) -> Iterator[tuple[str, Any, Any]]:
    """Yield (what, held, recomputed) where the two differ; None: there is no such profile."""
    if held is None or recomputed is None:
        if held is not recomputed:
            yield "profile", held and "there", recomputed and "there"
        return
    if held is UNREADABLE:
        yield "profile", held["profile"], "there"
        return
    for what in {**recomputed, **held}:
        mine, theirs = recomputed.get(what, ABSENT), held.get(what, ABSENT)
        if mine is not OPEN and mine != theirs:
            yield what, theirs, mine


def compared(recomputed: Mapping[str, Flat]) -> int:
    """Return how many values of profiles are compared."""
    return sum(value is not OPEN for one in recomputed.values() for value in one.values())
