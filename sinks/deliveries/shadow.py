"""What triggers decided in shadow, counted: whom they would have reached, and what stood against it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine.outcome import Decision
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.tables import FILE_NAME

SHADOW = "shadow"  # of a decision's status
# Found by the index `decision_shadow`, whose terms these are. Placeholders: a trigger, and versions as JSON.
_SHADOW = (
    "FROM decision WHERE json_extract(CAST(body AS TEXT), '$.status') = 'shadow' "
    "AND json_extract(CAST(body AS TEXT), '$.trigger') = ? "
    "AND json_extract(CAST(body AS TEXT), '$.version') IN (SELECT value FROM json_each(?)) "
)
_BY_OUTCOME = (
    f"SELECT outcome, json_extract(CAST(body AS TEXT), '$.guard'), count(*) {_SHADOW} GROUP BY 1, 2 "
    "ORDER BY 3 DESC, 2"
)
_ACTS = (
    f"SELECT json_extract(CAST(body AS TEXT), '$.minute'), count(*) {_SHADOW} AND outcome = 'act' GROUP BY 1"
)
# And what is counted only (`sinks.deliveries.shadowed`), as in a cluster.
_COUNTED = "WHERE trigger = ? AND version IN (SELECT value FROM json_each(?))"
_COUNTS = (
    "SELECT outcome, guard, sum(decisions) FROM shadow_count "  # noqa: S608 - constants
    f"{_COUNTED} GROUP BY 1, 2 ORDER BY 3 DESC, 2"
)
_COUNTED_ACTS = f"SELECT minute, sum(acts) FROM shadow_minute {_COUNTED} GROUP BY 1"  # noqa: S608
_CUSTOMERS = (
    f"SELECT count(*) FROM (SELECT customer {_SHADOW} AND outcome = 'act' "  # noqa: S608 - constants
    f"UNION SELECT customer FROM shadow_customer {_COUNTED})"
)
_LIVE_ACTS = "SELECT CAST(decided / 60 AS INTEGER), count(*) FROM delivery WHERE trigger = ? GROUP BY 1"


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

    @property
    def decided(self) -> int:
        """How many there were."""
        return self.act + sum(self.refused.values()) + self.held + self.contradicted


def to_count(decision: Decision) -> Decision:
    """Return of a decision in shadow what senders of former releases noted; all of it is in its topic."""
    return replace(decision, cause={}, figures={}, values={})


def shadow_of(connection: sqlite3.Connection, trigger: str, versions: Sequence[str]) -> Shadow:
    """Return what a trigger decided in shadow in some of its versions."""
    asked = (trigger, json.dumps(versions))
    found = [*connection.execute(_BY_OUTCOME, asked), *connection.execute(_COUNTS, asked)]
    (customers,) = connection.execute(_CUSTOMERS, (*asked, *asked)).fetchone()

    def of(outcome: str) -> int:
        return sum(number for what, _, number in found if what == outcome)

    refused: dict[str, int] = {}
    for what, guard, number in found:
        if what == "refused":
            refused[guard] = refused.get(guard, 0) + number
    return Shadow(of("act"), customers, refused, of("held"), of("contradicted"))


def acts_by_minute(
    connection: sqlite3.Connection, trigger: str, versions: Sequence[str]
) -> list[tuple[int, int]]:
    """Return (minute, how many) of a trigger's decisions to act: in some versions in shadow, and live."""
    live, asked = connection.execute(_LIVE_ACTS, (trigger,)).fetchall(), (trigger, json.dumps(versions))
    return [*live, *connection.execute(_ACTS, asked), *connection.execute(_COUNTED_ACTS, asked)]


def shadow_in(folder: Path, trigger: str, versions: Sequence[str]) -> Shadow:
    """Return the same of the ledger in a data folder; nothing where there is none yet."""
    if not (folder / FILE_NAME).exists():
        return Shadow()
    with closing(Ledger(folder)) as ledger:  # it may be of a former version, which is brought up to date
        return shadow_of(ledger.connection, trigger, versions)
