"""From the engine to the profile store: what has come out, cut into fenced commits (semantics P3, P4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np
import redis

from engine.digest import Digest
from engine.documents import documents
from engine.engine import Engine
from engine.jit import program_hash
from engine.memory import Array
from engine.outcome import Decision, Transition, decisions, transitions
from engine.partition import Partition, RawEffects
from sinks.store.store import Commit, Head, Page, Store, is_away
from streams.errors import InputError

DOCUMENTS = 1000  # of a sub-step (P4)
DOCUMENT_BYTES = 1_000_000
PAGE = 500  # effects of one page: about 150 KB
Effect = Transition | Decision


class Committer:
    """Collects effects and writes them, with the changed profiles, for all partitions of a process.

    ``heads``: where the store stood when this process claimed it; ``floors``: effects numbered below are
    in the outbox or drained already, and are not written again; ``away`` is called when the server does not
    answer, again and again until it does: it waits, or raises to give up. ``overview``: asked with each
    commit, what the store is to have of the whole partition from this position on.
    """

    def __init__(
        self, store: Store, heads: Sequence[Head], floors: Sequence[int], away: Callable[[Exception], None]
    ) -> None:
        self._store = store
        self._away = away
        self.overview: Callable[[], bytes | None] = lambda: None
        self._next = list(floors)
        self._step = [head.step for head in heads]
        self._part = [int(head.position.partition(":")[2] or 0) for head in heads]  # sub-step
        self._waiting: list[list[Effect]] = [[] for _ in heads]
        self._checks = [_Check(head) for head in heads]
        self._heads = list(heads)

    def take(self, number: int, partition: Partition, raw: RawEffects) -> None:
        """Take the effects of one partition. Raises InputError if they differ from what the store has."""
        self._checks[number].take(number, partition, raw)
        floor = self._next[number] + len(self._waiting[number])
        whose = self._store.first + number
        moved = transitions(partition, whose, raw) if raw.transitions["seq"].max(initial=-1) >= floor else []
        made = decisions(partition, whose, raw) if raw.decisions["seq"].max(initial=-1) >= floor else []
        found: list[Effect] = [*moved, *made]
        found.sort(key=lambda effect: effect.seq)
        self._waiting[number] += [effect for effect in found if effect.seq >= floor]

    @property
    def waiting(self) -> int:
        """How many effects wait for the next commit."""
        return sum(len(effects) for effects in self._waiting)

    def begin(self, engine: Engine) -> None:
        """Compare from here on: the engine has been restored, and goes on with these digests."""
        for check, digest in zip(self._checks, engine.digests, strict=True):
            check.begin(digest)

    def pass_over(self, engine: Engine) -> None:
        """Forget what has changed in partitions that are not past where the store stood.

        The store has the documents of that step, and what changes behind it is noted again (decision 0012).
        """
        for head, partition in zip(self._heads, engine.partitions, strict=True):
            if has_documents(head) and position(partition) <= (head.step, head.clock):
                partition.take_changed()

    def commit(self, engine: Engine) -> list[Effect]:
        """Write everything that has come out since the last commit; return the effects written."""
        written: list[Effect] = []
        for number, partition in enumerate(engine.partitions):
            written += self._commit(number, partition, engine.digests[number])
        return written

    def show(self, engine: Engine) -> None:
        """Write overviews that are due, with nothing else: everything is committed."""
        for number, partition in enumerate(engine.partitions):
            whole = self.overview() if position(partition)[0] == self._step[number] else None
            if whole is not None:
                self._part[number] += 1
                place = f"{self._step[number]}:{self._part[number]}"
                self._write(number, Commit(place, {"whole": place}, [], [], whole))

    def _commit(self, number: int, partition: Partition, digest: Digest) -> list[Effect]:
        self._checks[number].has_come(number, partition)
        effects, self._waiting[number] = self._waiting[number], []
        step, done = partition.memory.scalar("step") + 1, self._step[number]
        parts = list(_document_parts(partition))
        if step == done and not effects and not parts:
            return []
        pages = _pages(effects)
        last = max(len(parts), len(pages), 1) - 1
        for at in range(last + 1):
            page = pages[at : at + 1]
            fields: dict[str, str | int] = {"effects": page[0].last + 1} if page else {}
            self._part[number] += 1
            if at == last:  # the whole is there: only now does the step move
                fields |= {"step": step, "clock": partition.clock, "digest": digest.hexdigest()}
                fields["program"] = program_hash()
                fields["effects"] = max(self._next[number], digest.count)
                self._part[number] = 0 if step > done else self._part[number]
            position = f"{fields.get('step', done)}:{self._part[number]}"
            if at == last:
                fields["whole"] = position
            documents = parts[at] if at < len(parts) else []
            whole = self.overview() if at == last else None
            self._write(number, Commit(position, fields, page, documents, whole))
        self._step[number] = step
        self._next[number] = max(self._next[number], digest.count)
        return effects

    def _write(self, number: int, commit: Commit) -> None:
        while True:
            try:
                self._store.commit(number, commit)
                return
            except redis.RedisError as error:
                if not is_away(error):
                    raise
                self._away(error)


def has_documents(head: Head) -> bool:
    """Whether the store's documents are those of its step, as this program writes them."""
    return head.program == program_hash()


def position(partition: Partition) -> tuple[int, int]:
    """Return the step that follows and the clock: as a `Head` names them."""
    return partition.memory.scalar("step") + 1, partition.clock


class _Check:
    """Compares what a replay emits with the digest that stands in the store (semantics P3)."""

    def __init__(self, head: Head) -> None:
        self._head = head
        self._there = Digest.of(head.digest) if head.digest else None
        self._here: Digest | None = None

    def begin(self, digest: Digest) -> None:
        there = self._there
        self._here = digest.copy() if there is not None and digest.count <= there.count else None
        self._compare(0)

    def take(self, number: int, partition: Partition, raw: RawEffects) -> None:
        if self._here is not None and self._there is not None:
            self._here.update(partition, raw, self._there.count)
            self._compare(number)

    def has_come(self, number: int, partition: Partition) -> None:
        """Compare at the latest where the store stands: the replay may have emitted less than it has."""
        if partition.memory.scalar("step") + 1 >= self._head.step and partition.clock >= self._head.clock:
            self._compare(number, at_its_end=True)

    def _compare(self, number: int, at_its_end: bool = False) -> None:
        here, there = self._here, self._there
        if here is None or there is None or (here.count < there.count and not at_its_end):
            return
        self._here = None
        if here.hexdigest() != there.hexdigest():
            raise InputError(
                f"partition {number}",
                f"the replay differs from what was committed before: digest {here.hexdigest()}, "
                f"not {there.hexdigest()}",
                "the log or the code has changed: restore the log, or empty the store's folder to begin anew",
            )


def _pages(effects: Sequence[Effect]) -> list[Page]:
    parts = [effects[at : at + PAGE] for at in range(0, len(effects), PAGE)]
    return [_page(part) for part in parts]


def _page(effects: Sequence[Effect]) -> Page:
    made = sum(isinstance(effect, Decision) for effect in effects)
    return Page(effects[0].seq, effects[-1].seq, made, msgspec.json.encode(effects))


def _by_id(partition: Partition, customers: Array) -> Array:
    halves = (partition.memory[f"customer_{half}"][customers] for half in ("low", "high"))
    return customers[np.lexsort(tuple(halves))]


def _document_parts(partition: Partition) -> Iterator[list[tuple[bytes, bytes]]]:
    """Yield the documents of the changed customers in sub-steps, in the order of their ids (P4); an
    empty one of who is erased."""
    changed = partition.take_changed()
    encode = msgspec.json.Encoder().encode
    part: list[tuple[bytes, bytes]] = []
    size = 0
    for customer, document in documents(partition, _by_id(partition, changed)):
        part.append((customer, b"" if document is None else encode(document)))
        size += len(part[-1][1])
        if len(part) == DOCUMENTS or size >= DOCUMENT_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part
