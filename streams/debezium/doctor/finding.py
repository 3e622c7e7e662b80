"""One thing that is wrong, and how a table's name is matched by a connector's settings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from streams.debezium.files import ConnectorFile


@dataclass(frozen=True)
class Finding:
    """``check``: which look found it; ``where``: connector, table ...; ``mend``: what to run or write."""

    check: str
    where: str
    problem: str
    cost: str
    mend: str


def included(file: ConnectorFile, tables: Iterable[str]) -> list[str]:
    """Return the tables that a connector reads. Its lists are patterns of whole names, in any case.

    >>> config = {"connector.class": "x.PostgresConnector", "table.include.list": "public.(orders|views)"}
    >>> included(ConnectorFile("a.json", "a", config), ["public.orders", "public.orders_old"])
    ['public.orders']
    """
    only, never = file.list("table.include.list"), file.list("table.exclude.list")
    return [one for one in tables if (not only or matches(only, one)) and not matches(never, one)]


def matches(patterns: Iterable[str], name: str) -> bool:
    """Tell whether one of the patterns is the whole name."""
    return any(re.fullmatch(pattern, name, re.IGNORECASE) for pattern in patterns)
