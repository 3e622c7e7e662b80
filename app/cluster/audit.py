"""The audit of a running cluster: profiles in the store beside a recompute from the topic (the law).

The heads of all partitions and the documents of so many customers are read at once, so that they are of one
moment, whatever is committed meanwhile. Each partition is then recomputed up to its head's step, at the
minute of its clock; its log says under what settings and cut points.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import redis

from app.cluster.flat import Flat, compared, differences, of_document, of_recompute
from app.cluster.logged import Between, Logged, catch_up, frames, version_of
from app.inspect import LIVES, chosen_cuts, chosen_lives, wrong_cuts
from app.shop import Shop
from reference.history import History
from reference.pieces import Pieces
from reference.recompute import recompute_many
from sinks.store.store import Head, Store
from streams.changes.copies import Copies
from streams.errors import InputError
from streams.identity.partition import id_pairs, partitions_of

PROFILES = 10_000  # read at once, and compared, unless more are asked for: 6 MB, some 20 ms of the store
_WAIT_SECONDS, _PAUSE_SECONDS = 10.0, 0.05
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Moment:
    """The store at one moment: where its partitions stand, and documents of customers (32 hex digits)."""

    heads: list[Head]
    documents: dict[str, bytes | None]


@dataclass
class Report:
    """What was compared. steps, minutes: of each partition, or of the last moment where there were several;
    behind: records of the log that the store had not seen yet."""

    steps: list[int] = field(default_factory=list)
    minutes: list[int] = field(default_factory=list)
    behind: int = 0
    customers: int = 0
    profiles: int = 0
    compared: int = 0
    lives: int = 0
    cuts: int = 0
    differences: list[dict[str, Any]] = field(default_factory=list)


class ClusterAudit:
    """Compares a shop's store with its log. copies: of all partitions; seed: of customers and minutes;
    lives: of how many customers tags with a memory are compared too (None: of all)."""

    def __init__(
        self, copies: Copies, store: Store, seed: int = 1, lives: int | None = LIVES,
        progress: Progress | None = None,
    ) -> None:  # fmt: skip
        self._copies, self._store = copies, store
        self._seed, self._lives, self._progress = seed, lives, progress
        self._partitions = len(copies.copies)

    def run(self, profiles: int | None = PROFILES) -> Report:
        """Compare so many customers' profiles, or, for None, all; those in the store too that the log does
        not know. Raises InputError where store or log cannot be compared."""
        self._copies.catch_up()
        known = self._known()
        found = Report(customers=len(known))
        if profiles is None or profiles >= len(known):
            everybody = sorted(known | self._stored(found))
        else:
            everybody = sorted(Random(self._seed).sample(sorted(known), profiles))
        found.profiles = len(everybody)
        for moment in self._moments(everybody):
            self._compare(moment, found)
        self._compare_cuts(found)
        return found

    def _known(self) -> set[str]:
        """Return the customers that the log names."""
        found: set[bytes] = set()
        for copy in self._copies.copies.values():
            for block in copy.log.blocks(0):
                for table in block.tables().values():
                    found.update(one for one in table["customer"].unique().to_pylist() if one is not None)
        return {one.hex() for one in found}

    def _stored(self, found: Report) -> set[str]:
        """Return who has a document; one in another partition than its customer's is noted at once."""
        try:
            stored = sorted(set(self._store.customers()))
        except redis.RedisError as error:
            raise _away(error) from error
        wanted = self._partitions_of([one for _, one in stored])
        for (number, customer), right in zip(stored, wanted, strict=True):
            if number != right:
                found.differences.append({
                    "minute": -1, "partition": number, "step": -1, "customer": customer, "what": "partition",
                    "held": number, "recomputed": right,
                })  # fmt: skip
        return {one for _, one in stored}

    def _partitions_of(self, customers: Sequence[str]) -> list[int]:
        ids = [bytes.fromhex(one) for one in customers]
        return [int(one) for one in partitions_of(*id_pairs(ids), self._partitions)]

    def _moments(self, customers: Sequence[str]) -> Iterator[Moment]:
        """Yield moments that hold all these customers together; parts of one moment are put together."""
        held: Moment | None = None
        for at in range(0, max(len(customers), 1), PROFILES):
            moment = self._read(customers[at : at + PROFILES])
            if held is not None and held.heads == moment.heads:
                held.documents.update(moment.documents)
                continue
            if held is not None:
                yield held
            held = moment
        if held is not None:
            yield held

    def _read(self, customers: Sequence[str]) -> Moment:
        """Read one moment in which no commit is half done."""
        ids = [bytes.fromhex(one) for one in customers]
        whose = self._partitions_of(customers)
        until, reason = time.monotonic() + _WAIT_SECONDS, ""
        while time.monotonic() < until:
            try:
                heads, documents = self._store.read(self._partitions, list(zip(whose, ids, strict=True)))
            except redis.RedisError as error:
                raise _away(error) from error
            half = [number for number, head in enumerate(heads) if not head.is_whole]
            if not half:
                steps = [head.step for head in heads]
                catch_up(self._copies, steps)
                try:
                    version_of(self._copies, steps)
                except Between as between:
                    reason = str(between)
                else:
                    return Moment(heads, dict(zip(customers, documents, strict=True)))
            else:
                reason = f"a commit of partition {half[0]} is half done, or was made by an older release"
            time.sleep(_PAUSE_SECONDS)
        raise InputError("store", reason, "let its worker go on, and audit again")

    def _compare(self, moment: Moment, found: Report) -> None:
        steps = [head.step for head in moment.heads]
        shop = version_of(self._copies, steps)
        pieces = Pieces.of(shop, shop.triggers)
        recomputed, lives = self._recomputed(shop, pieces, moment)
        for customer, (number, mine) in recomputed.items():
            raw, head = moment.documents[customer], moment.heads[number]
            held = None if raw is None else of_document(raw, customer, head.clock, pieces)
            for what, theirs, ours in differences(held, mine):
                found.differences.append({
                    "minute": head.clock, "partition": number, "step": head.step, "customer": customer,
                    "what": what, "held": theirs, "recomputed": ours,
                })  # fmt: skip
        found.steps, found.minutes = steps, [head.clock for head in moment.heads]
        ends = (copy.log.next_step(0) for copy in self._copies.copies.values())
        found.behind = sum(end - step for end, step in zip(ends, steps, strict=True))
        found.compared += compared({one: flat for one, (_, flat) in recomputed.items() if flat is not None})
        found.lives = max(found.lives, lives)

    def _recomputed(
        self, shop: Shop, pieces: Pieces, moment: Moment
    ) -> tuple[dict[str, tuple[int, Flat | None]], int]:
        """Return of each customer partition and recomputed profile (None: the log knows nobody), and how many
        lives were replayed."""
        steps = dict(enumerate(head.step for head in moment.heads))
        logged = frames(self._copies, shop, steps)
        history = _history(pieces, logged)
        customers = sorted(moment.documents)
        whose = self._partitions_of(customers)
        lives = chosen_lives(pieces, customers, self._lives, self._seed)
        found: dict[str, tuple[int, Flat | None]] = {
            one: (number, None) for one, number in zip(customers, whose, strict=True)
        }
        clocks = sorted({head.clock for head in moment.heads if head.clock >= 0})  # -1: nothing is there
        for clock in clocks:
            at = {number for number, head in enumerate(moment.heads) if head.clock == clock}
            here = [one for one, number in zip(customers, whose, strict=True) if number in at]
            replayed = [one for one in lives if found[one][0] in at]
            [recomputed] = recompute_many(
                history, [clock], replay=replayed, progress=self._tell(len(replayed))
            )
            for one, flat in of_recompute(pieces, recomputed, here).items():
                found[one] = found[one][0], flat
        return found, len(lives)

    def _tell(self, total: int) -> Callable[[int], None]:
        def tell(done: int) -> None:
            if self._progress is not None:
                self._progress(done, total)

        return tell

    def _compare_cuts(self, found: Report) -> None:
        """Recompute the numbers of cuts records over all partitions: of those that the store has seen, since
        the log as it was read afterwards has all that they rest on."""
        shop = version_of(self._copies)
        history = _history(Pieces.of(shop, shop.triggers), frames(self._copies, shop))
        seen = {
            body["minute"]
            for number, moment, body in history.records.said
            if moment.step < found.steps[number]
        }
        cuts = chosen_cuts(history, found.minutes, self._seed, seen)
        found.cuts = len(cuts)
        found.differences += wrong_cuts(history, cuts)


def _history(pieces: Pieces, logged: Logged) -> History:
    return History(pieces, logged.rows, logged.control, apart=True)


def _away(error: redis.RedisError) -> InputError:
    return InputError("store", f"it does not answer ({error})", "start it, and audit again")
