"""Looking at a shop: one customer with reasons, and the audit against the recompute."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from random import Random
from typing import Any

import pandas as pd

from app.customer_name import is_id
from app.replay import Replay
from app.shop import Shop
from engine.engine import Engine
from engine.readout import frames, merged
from engine.why import profile, why_tag
from reference.compare import compare
from reference.history import History
from reference.judged import path_dependent
from reference.minutes import random_minutes
from reference.pieces import Pieces
from reference.recompute import recompute_many
from reference.record_numbers import record_minutes, wrong_records
from sinks.channels.courier import called
from streams.errors import InputError
from streams.log.log import Log
from streams.log.rows import read_control, read_rows
from streams.personal.attributes import opened
from streams.personal.find import customers_behind, references_of

CUT_RECORDS = 20  # minutes whose cuts records an audit recomputes
LIVES = 10  # customers whose tags with a memory an audit checks, unless more are asked for


def find_customer(log: Log, reference: str) -> str | None:
    """Return the id (32 hex digits) behind ``type:value`` or an id itself; None if nobody is known by it."""
    if ":" not in reference:
        return reference if is_id(reference) else None
    found = customers_behind(log, [reference]).get(reference)
    return found.hex() if found is not None else None


def known_customer(log: Log, reference: str) -> str:
    """Return the id behind ``type:value`` or an id itself. Raises InputError if nobody is known by it."""
    found = find_customer(log, reference)
    if found is None:
        raise unknown_customer(reference)
    return found


def name_of(log: Log, customer: str) -> str:
    """Return a customer's member number, another reference, or the id where there is none."""
    return called(references_of(log, bytes.fromhex(customer)), customer)


def unknown_customer(reference: str) -> InputError:
    """Return what to tell somebody whose customer is not known."""
    hint = "write type:value, or the id of 32 hex digits"
    return InputError(reference, "no customer is known by this reference", hint)


def profile_of(log: Log, shop: Shop, engine: Engine, reference: str, why: bool) -> dict[str, Any] | None:
    """Return the profile of one customer (the mapping of `app.pages.profile_page`), or None."""
    customer = find_customer(log, reference)
    if customer is None:
        return None
    for partition in engine.partitions:
        found = profile(partition, customer)
        if found is not None:
            whom = bytes.fromhex(customer)
            found["references"] = references_of(log, whom)
            found["attributes"] = opened(log.vault, shop.sources, whom, found["attributes"])
            if why:
                for tag in found["tags"]:
                    found["tags"][tag]["why"] = why_tag(partition, customer, tag, shop.tags[tag].rule or "")
            return found
    return None


def audit_minutes(
    log: Log, shop: Shop, clock: int, minute: int | None, random: int | None, seed: int,
    lives: int | None = LIVES, read: Mapping[str, pd.DataFrame] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Recompute at the clock, at one minute, or at random ones, and compare every value.

    read: what an engine that stood at ``minute`` held then (`held_at`), so that it replays nothing; progress:
    called with the number of lives replayed so far, and of all.
    Tags that remember (sticky, max), and those that rest on them, depend on a customer's whole life; so many
    ``lives`` are replayed (None: everybody's), of customers chosen by ``seed``; of all others they are not
    compared. Where cut points are records of the log, the numbers of some of these are recomputed.
    Returns minutes, compared (how many values), customers, lives (how many were replayed), cuts (of how many
    minutes the records were recomputed) and differences (minute, customer, what, held, recomputed). Raises
    InputError for random minutes of a log without rows.
    """
    pieces = Pieces.of(shop, shop.triggers)
    rows = {name: read_rows(log, source) for name, source in shop.sources.items() if source.kind == "rows"}
    history = History(pieces, rows, read_control(log), False)
    minutes = [clock if minute is None else minute]
    if random is not None:
        if not any(len(frame) for frame in rows.values()):
            hint = "import some, or leave --random out"
            raise InputError("--random", "the shop has no rows yet, so no minute to choose", hint)
        first = min(int(frame["minute"].min()) for frame in rows.values() if len(frame))
        minutes = sorted(random_minutes(first, clock, random, seed))
    replay = Replay(log, shop, lambda *_: None)
    everybody = history.customers.ids
    chosen = chosen_lives(pieces, everybody, lives, seed)
    cuts = chosen_cuts(history, minutes, seed)
    found = list(wrong_cuts(history, cuts))
    compared = 0

    def tell(done: int) -> None:
        if progress is not None:
            progress(done, len(chosen))

    everything = recompute_many(history, minutes, replay=chosen, progress=tell)
    for at, recomputed in zip(minutes, everything, strict=True):
        held = _replayed(replay, at, pieces) if read is None else read
        compared += sum(frame.size for frame in held.values())
        for one in compare(recomputed, held):
            found.append({"minute": at, "customer": one.customer, "what": one.what, "held": one.engine,
                          "recomputed": one.recomputed})  # fmt: skip
    return {"minutes": minutes, "compared": compared, "customers": len(everybody), "lives": len(chosen),
            "cuts": len(cuts), "differences": found}  # fmt: skip


def chosen_cuts(
    history: History, minutes: Sequence[int], seed: int, among: Collection[int] | None = None
) -> list[int]:
    """Return the minutes whose cuts records are recomputed: those that are audited, and some others; among:
    only of these."""
    named = [minute for minute in record_minutes(history) if among is None or minute in among]
    return sorted({*Random(seed).sample(named, min(CUT_RECORDS, len(named))), *set(minutes) & set(named)})


def wrong_cuts(history: History, minutes: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield what the records of some minutes have otherwise than all partitions' states at their openings."""
    for one in wrong_records(history, minutes):
        for name in sorted({*one.said, *one.recomputed}):
            held, recomputed = one.said.get(name), one.recomputed.get(name)
            if held != recomputed:
                what = f"cuts {one.model}.{name} in partition {one.partition}"
                yield {"minute": one.minute, "customer": "", "what": what, "held": held,
                       "recomputed": recomputed}  # fmt: skip


def chosen_lives(pieces: Pieces, everybody: list[str], lives: int | None, seed: int) -> list[str]:
    """Return the customers whose lives are replayed: nobody's where no tag remembers."""
    if not path_dependent(pieces):
        return []
    return everybody if lives is None else Random(seed).sample(everybody, min(lives, len(everybody)))


def _replayed(replay: Replay, minute: int, pieces: Pieces) -> Mapping[str, pd.DataFrame]:
    replay.follow(until=minute)
    if replay.engine.clock < minute:
        replay.engine.advance(minute, 0)
    return held_at(replay.engine, pieces)


def held_at(engine: Engine, pieces: Pieces) -> Mapping[str, pd.DataFrame]:
    """Return what the engine holds, in the shape of the recompute: the metrics that the reference knows."""
    plan = engine.plan
    by_text = {
        spec.key: spec for spec in plan.metric.specs if spec.column is not None or spec.function == "count"
    }
    wanted = {
        str(measure): by_text[str(measure)] for measure in pieces.metrics_used if str(measure) in by_text
    }
    return merged([frames(partition, wanted) for partition in engine.partitions])
