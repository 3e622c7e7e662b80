"""Every metric, score, segment and tag at one minute, from the rows alone: the law read a second time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reference.control import manual_at, manual_records
from reference.cuts import CutPoints
from reference.evaluate import customer_reader
from reference.history import History
from reference.judged import Everybody, judge_everybody
from reference.metrics import Standing
from reference.moment import BEHIND, Moment
from reference.pieces import Pieces
from reference.replay import Life
from reference.scores import measured, scored
from rfm.model import RfmModel
from streams.errors import InputError


@dataclass(frozen=True)
class Recomputed:
    """What holds at minute ``minute``: just before advance(minute + 1) (T3).

    All frames have the customer ids (32 hex digits) as index, in id order: those with a record by then.
    ``metrics``: one column a metric, named by its text (`reference.measure.Measure`): Int64, string, or for
    ``avg`` the exact pair (sum, count), null when nothing counts; ``nothing`` holds each column's value for a
    customer without rows. ``declared``: the declared metrics by name, as their expressions give them.
    ``rfm``: model name to recency, frequency, monetary, r, f, m, score, segment (null outside), member.
    ``cuts``: model name to the cut points in force, None before the first; where they are records, in
    partition 0. ``truth`` and ``member``: boolean,
    one column a tag; null where a tag remembers (sticky, max) and its customer was not replayed.
    """

    minute: int
    metrics: pd.DataFrame
    nothing: dict[str, int | None]
    declared: pd.DataFrame
    rfm: dict[str, pd.DataFrame]
    cuts: dict[str, CutPoints | None]
    truth: pd.DataFrame
    member: pd.DataFrame


def recompute(
    pieces: Pieces,
    frames: Mapping[str, pd.DataFrame],
    control: pd.DataFrame,
    at_minute: int,
    *,
    replay: Iterable[str] = (),
    corrected: bool = False,
) -> Recomputed:
    """Recompute everything at minute ``at_minute`` from the frames of a log.

    ``frames``: source name to a frame with the columns of `reference.frames.ENVELOPE` and the declared ones;
    ``control``: the control records; ``replay``: customers whose tags with a memory are wanted, too (their
    whole life is replayed); ``corrected``: all rows as known today (L5). For many minutes of one log make a
    `History` once and use `recompute_many`.

    Raises InputError for frames or declarations that cannot be read, OverflowError where a sum exceeds 64
    bits.
    """
    return recompute_at(History(pieces, frames, control, corrected), at_minute, replay=replay)


def recompute_at(history: History, minute: int, *, replay: Iterable[str] = ()) -> Recomputed:
    """Recompute everything at one minute of a history; arguments as for `recompute`."""
    return next(recompute_many(history, [minute], replay=replay))


def recompute_many(
    history: History, minutes: Iterable[int], *, replay: Iterable[str] = (),
    progress: Callable[[int], None] | None = None,
) -> Iterator[Recomputed]:  # fmt: skip
    """Recompute everything at each of some minutes, ascending; each customer of ``replay`` is replayed once,
    before the first minute. progress: called with the number of customers replayed so far.

    Other arguments and errors as for `recompute`.
    """
    wanted, customers = sorted(minutes), list(replay)
    if history.corrected and customers:
        hint = "a report has no steps: leave replay empty"
        raise InputError("corrected audit", "no customer can be replayed", hint)
    lives: dict[int, list[tuple[str, dict[str, bool], dict[str, bool]]]] = {}
    for done, customer in enumerate(customers, start=1):
        if history.pieces.tags and customer in history.customers.number:
            for minute, truth, member in Life(history, customer, every_minute=False).states(wanted):
                lives.setdefault(minute, []).append((customer, truth, member))
        if progress is not None:
            progress(done)
    for minute in wanted:
        result = _at(history, minute)
        for customer, truth, member in lives.get(minute, ()):
            result.truth.loc[customer, list(truth)] = list(truth.values())
            result.member.loc[customer, list(member)] = list(member.values())
        yield result


def _at(history: History, minute: int) -> Recomputed:
    """Recompute what one minute alone can tell."""
    pieces, standing = history.pieces, history.at(minute)
    cuts = {model.name: history.in_force(model, 0, Moment(minute, BEHIND)) for model in pieces.models}
    rfm = {model.name: _scored(history, model, standing, cuts[model.name]) for model in pieces.models}
    view = Everybody(standing, rfm)
    ids = history.customers.ids
    truth = judge_everybody(pieces, view, ids, manual_at(manual_records(history.log.control), minute))
    metrics = {str(measure): standing.series(measure) for measure in pieces.metrics_used}
    here = history.known_by(minute)
    return Recomputed(
        minute,
        _named(pd.DataFrame(metrics, index=range(len(ids))), ids, here),
        {str(measure): measure.nothing for measure in pieces.metrics_used},
        _named(_declared(pieces, view), ids, here),
        {name: _named(frame, ids, here) for name, frame in rfm.items()},
        cuts,
        _named(_bits(pieces, truth, len(ids)), ids, here),
        _named(_bits(pieces, view.member, len(ids)), ids, here),
    )


def _scored(
    history: History, model: RfmModel, standing: Standing, cuts: CutPoints | None
) -> pd.DataFrame:
    """Score everybody, under the cut points in force in their partitions; cuts: where all have the same."""
    minute, who = standing.minute, measured(standing, model)
    if not history.records:
        return scored(model, minute, who, cuts)
    parts = []
    for partition in np.unique(history.partitions).tolist():
        here = history.in_force(model, partition, Moment(minute, BEHIND))
        parts.append(scored(model, minute, who, here)[history.partitions == partition])
    together: pd.DataFrame = pd.concat(parts).sort_index()
    return together


def _declared(pieces: Pieces, view: Everybody) -> pd.DataFrame:
    columns = {}
    for name, tree in pieces.declared.items():
        read = customer_reader(tree, pieces)
        values = [read(view.look_at(number)) for number in range(view.standing.customers)]
        columns[name] = pd.Series(values, dtype="object")
    return pd.DataFrame(columns, index=range(view.standing.customers))


def _bits(pieces: Pieces, known: Mapping[str, list[bool]], customers: int) -> pd.DataFrame:
    unknown = [None] * customers
    columns = {tag: pd.Series(known.get(tag, unknown), dtype="boolean") for tag in pieces.tags}
    return pd.DataFrame(columns, index=range(customers))


def _named(frame: pd.DataFrame, ids: list[str], here: NDArray[np.bool_]) -> pd.DataFrame:
    named = frame.set_axis(pd.Index(ids, dtype="object", name="customer"), axis=0)
    return named[here]
