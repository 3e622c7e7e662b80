"""What triggers decided in shadow, counted: whom they would have reached, and what stood against it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from sinks.deliveries.ledger import Ledger
from sinks.deliveries.tables import FILE_NAME

# As the index `decision_shadow` has them.
_SHADOW = (
    "FROM decision WHERE json_extract(CAST(body AS TEXT), '$.status') = 'shadow' "
    "AND json_extract(CAST(body AS TEXT), '$.trigger') = ? "
)


@dataclass(frozen=True)
class Shadow:
    """Decisions of one trigger. act: it would have sent; customers: to how many; refused: by guard; held: for
    the end of quiet hours, behind which it decided again; contradicted: absences that were refuted later.
    """

    act: int = 0
    customers: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    held: int = 0
    contradicted: int = 0


def shadow_of(connection: sqlite3.Connection, trigger: str, versions: Sequence[str]) -> Shadow:
    """Return what a trigger decided in shadow in some of its versions."""
    marks = ", ".join("?" * len(versions))
    where = f"{_SHADOW} AND json_extract(CAST(body AS TEXT), '$.version') IN ({marks})"
    found = connection.execute(
        f"SELECT outcome, json_extract(CAST(body AS TEXT), '$.guard'), count(*) {where} GROUP BY 1, 2 "
        "ORDER BY 3 DESC, 2",
        (trigger, *versions),
    ).fetchall()
    (customers,) = connection.execute(
        f"SELECT count(DISTINCT customer) {where} AND outcome = 'act'", (trigger, *versions)
    ).fetchone()

    def of(outcome: str) -> int:
        return sum(number for what, _, number in found if what == outcome)

    refused = {guard: number for what, guard, number in found if what == "refused"}
    return Shadow(of("act"), customers, refused, of("held"), of("contradicted"))


def shadow_in(folder: Path, trigger: str, versions: Sequence[str]) -> Shadow:
    """Return the same of the ledger in a data folder; nothing where there is none yet."""
    if not (folder / FILE_NAME).exists():
        return Shadow()
    with closing(Ledger(folder)) as ledger:  # it may be of a former version, which is brought up to date
        return shadow_of(ledger.connection, trigger, versions)
