"""References to customers: a known one leads to its customer, none makes a new one (semantics I1, I2).

References are concealed here: ``type:32 hex digits`` (`streams.personal.conceal`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import xxhash
from numpy.typing import NDArray

from streams.change import Changes
from streams.contract.source import Reference, Source
from streams.contract.values import encode
from streams.log.log import Log
from streams.personal.seal import REFERENCE, seal

Int64s = NDArray[np.int64]


@dataclass(frozen=True)
class Link:
    """A reference that is new from this row on. source, row: which row brought it; sealed: what it is."""

    source: int
    row: int
    reference: str
    strong: bool
    customer: bytes
    sealed: str = ""


@dataclass(frozen=True)
class Conflict:
    """References of one row that belong to different customers; the row goes to the chosen one."""

    source: int
    row: int
    customer: bytes
    chosen: str
    others: dict[str, str]  # reference to the customer it belongs to, 32 hex digits


@dataclass(frozen=True)
class Resolved:
    """Who the rows belong to. customers: for each source ``bytes`` (16) by row's code; likewise the
    deciding reference; codes: for each source int64, shape (rows,).
    """

    codes: list[Int64s]
    customers: list[list[bytes]]
    references: list[list[str]]
    links: list[Link] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)


@dataclass(frozen=True)
class _Group:
    """One different combination of references of a source, and the first row that has it."""

    rank: int
    source: int
    row: int
    code: int
    by_trust: tuple[str, ...]
    namer: str  # the reference whose hash a new customer's id is


class References:
    """The index of references, read from the log's file as needed and written back by ``save``."""

    def __init__(self, log: Log, priority: Sequence[str]) -> None:
        self._log = log
        self._priority = list(priority)
        self._customer: dict[str, bytes] = {}
        self._identified: dict[bytes, bool] = {}  # whether a customer has a strong reference
        self._unsure: set[str] = set()  # known, but their records may be in no log
        self._new: list[Link] = []

    def resolve(
        self, sources: Sequence[Source], changes: Sequence[Changes], ranks: Sequence[Int64s]
    ) -> Resolved:
        """Find the customer of each row; rows count in the order of their ranks (distinct int64).

        Equal combinations of references lead to the same customer, so each is resolved once, at its first
        row; a conflict is recorded there too. New references are remembered until ``save``.
        """
        resolved = Resolved([], [], [])
        groups: list[_Group] = []
        for at, (source, rows, rank) in enumerate(zip(sources, changes, ranks, strict=True)):
            codes, found = self._groups(at, source, rows, rank)
            groups += found
            resolved.codes.append(codes)
            resolved.customers.append([b""] * len(found))
            resolved.references.append([""] * len(found))
        self._load({reference for group in groups for reference in group.by_trust})
        strong = [{ref.type for ref in source.references if ref.strong} for source in sources]
        for group in sorted(groups, key=lambda group: group.rank):
            customer, reference = self._decide(group, strong[group.source], resolved)
            resolved.customers[group.source][group.code] = customer
            resolved.references[group.source][group.code] = reference
        self._seal(resolved)
        return resolved

    def save(self) -> None:
        """Write the new references, inside the caller's transaction."""
        self._log.connection.executemany(
            "INSERT OR REPLACE INTO reference VALUES (?, ?, ?, ?)",
            [(link.reference, link.customer, link.strong, link.sealed) for link in self._new],
        )
        self._new.clear()

    def _seal(self, resolved: Resolved) -> None:
        """Seal the new references under their customers' keys, so that they can be told, and forgotten."""
        names, customers = self._log.names, [link.customer for link in resolved.links]
        plain = [names.plain(link.reference) for link in resolved.links]
        sealed = seal(self._log.vault, REFERENCE, customers, plain)
        resolved.links[:] = [
            replace(link, sealed=text or "") for link, text in zip(resolved.links, sealed, strict=True)
        ]
        self._new += resolved.links

    def _trust(self, source: Source) -> list[int]:
        """Return the declared references' places, the most trusted first."""

        def rank(at: int) -> tuple[int, bool, int]:
            reference: Reference = source.references[at]
            listed = reference.type in self._priority
            return (
                self._priority.index(reference.type) if listed else len(self._priority),
                not reference.strong,
                at,
            )

        return sorted(range(len(source.references)), key=rank)

    def _groups(self, at: int, source: Source, rows: Changes, rank: Int64s) -> tuple[Int64s, list[_Group]]:
        encoded = [encode(column) for column in rows.references]
        combined = np.zeros(len(rows), dtype=np.int64)
        for column in encoded:
            combined = pd.factorize(combined * (len(column.texts) + 1) + column.codes + 1)[0].astype(np.int64)
        by_rank = np.argsort(rank, kind="stable")
        firsts = by_rank[np.unique(combined[by_rank], return_index=True)[1]]
        trust = self._trust(source)
        naming = sorted(range(len(source.references)), key=lambda ref: not source.references[ref].strong)
        groups = []
        for row in firsts.tolist():
            texts = [column.texts[code] if (code := column.codes[row]) >= 0 else None for column in encoded]
            by_trust = tuple(text for ref in trust if (text := texts[ref]) is not None)
            namer = next(text for ref in naming if (text := texts[ref]) is not None)
            groups.append(_Group(int(rank[row]), at, row, int(combined[row]), by_trust, namer))
        return combined, groups

    def _load(self, references: set[str]) -> None:
        unknown = references - self._customer.keys()
        connection = self._log.connection
        self._unsure |= set(self._log.beyond.references(unknown))
        if not unknown or not connection.execute("SELECT 1 FROM reference LIMIT 1").fetchone():
            return
        connection.execute("CREATE TEMP TABLE IF NOT EXISTS asked (reference TEXT PRIMARY KEY) WITHOUT ROWID")
        connection.execute("DELETE FROM asked")
        connection.executemany(
            "INSERT INTO asked VALUES (?)", ((reference,) for reference in sorted(unknown))
        )
        self._customer.update(
            connection.execute("SELECT reference, customer FROM asked JOIN reference USING (reference)")
        )

    def _decide(self, group: _Group, strong: set[str], resolved: Resolved) -> tuple[bytes, str]:
        """Return the customer of a combination and the reference that decided; attach the new ones."""
        known = {ref: customer for ref in group.by_trust if (customer := self._customer.get(ref)) is not None}
        leading = next(iter(known), None)
        if leading is None or self._belongs_to_another(group, leading, strong):
            # The id is the hash of the first strong reference (semantics W1).
            leading = group.namer
            customer = new_id(leading)
        else:
            customer = known[leading]
        others = {ref: owner.hex() for ref, owner in known.items() if owner != customer}
        if others:
            resolved.conflicts.append(Conflict(group.source, group.row, customer, leading, others))
        for reference in group.by_trust:
            if reference not in known or reference in self._unsure:
                self._unsure.discard(reference)
                whose = known.get(reference, customer)
                link = Link(group.source, group.row, reference, _type(reference) in strong, whose)
                self._attach(link)
                resolved.links.append(link)
        return customer, leading

    def _belongs_to_another(self, group: _Group, leading: str, strong: set[str]) -> bool:
        """Say whether only a weak reference is known, and it is of somebody identified otherwise.

        Two identified people are never made one by a shared device (semantics I2).
        """
        if _type(leading) in strong or not any(_type(reference) in strong for reference in group.by_trust):
            return False
        owners = [
            self._customer[ref] for ref in group.by_trust if _type(ref) in strong and ref in self._customer
        ]
        return not owners and self._is_identified(self._customer[leading])

    def _is_identified(self, customer: bytes) -> bool:
        if customer not in self._identified:
            self._log.beyond.customers([customer])
            query = "SELECT 1 FROM reference WHERE customer = ? AND strong LIMIT 1"
            found = self._log.connection.execute(query, (customer,)).fetchone()
            self._identified[customer] = found is not None
        return self._identified[customer]

    def _attach(self, link: Link) -> None:
        self._customer[link.reference] = link.customer
        if link.strong:
            self._identified[link.customer] = True


def new_id(reference: str) -> bytes:
    """Return the id of a customer whom a concealed reference makes (semantics W1)."""
    return xxhash.xxh3_128_digest(reference.encode())


def _type(reference: str) -> str:
    return reference.partition(":")[0]
