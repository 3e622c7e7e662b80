"""A cuts record: cut points as a record of the log (semantics R5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rfm.model import RfmModel
from rfm.numbers import CutNumbers, numbers_said


@dataclass(frozen=True)
class CutsRecord:
    """``minute``: the C whose opening the numbers are of; ``models``: name to (version, numbers).

    history: see `said`.
    """

    minute: int
    models: Mapping[str, tuple[str, CutNumbers]]
    history: bool = False

    def of(self, model: RfmModel) -> CutNumbers | None:
        """Return the numbers of a model; None where the record has none, or those of another version."""
        version, numbers = self.models.get(model.name, ("", None))
        return numbers if version == model.version else None


def said(minute: int, models: Iterable[tuple[RfmModel, CutNumbers]], history: bool = False) -> dict[str, Any]:
    """Return the body of a cuts record.

    history: it stands between the last imported record and the first live one, so that what it changes is
    marked so (T5).
    """
    body: dict[str, Any] = {
        "minute": minute, "models": {model.name: numbers.said(model.version) for model, numbers in models}
    }  # fmt: skip
    return body | {"history": True} if history else body


def record_said(body: Mapping[str, Any]) -> CutsRecord:
    """Return the record that `said` wrote."""
    models = {name: (one["version"], numbers_said(one)) for name, one in body["models"].items()}
    return CutsRecord(int(body["minute"]), models, body.get("history", False))
