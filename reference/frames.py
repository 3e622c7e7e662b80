"""The log as it is handed to the reference: checked frames, each record with its minute (semantics T2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from reference.pieces import Pieces
from streams.errors import InputError

ENVELOPE = [
    "partition", "step", "minute", "mode", "op", "key_high", "key_low", "epoch", "position", "offset",
    "customer", "event_us",
]  # fmt: skip
ENVELOPE_NUMBERS = [name for name in ENVELOPE if name not in ("mode", "customer")]
CONTROL = ["partition", "step", "minute", "kind", "customer", "body"]
UPSERT, INSERT, UPDATE, DELETE, SNAPSHOT, MOVE_OUT = range(6)


@dataclass(frozen=True)
class Log:
    """The frames of one log.

    ``rows``: source name to a frame with the columns of ``ENVELOPE`` and the declared ones, in step order;
    ``control``: the control records in step order. The column ``minute`` is the partition's clock at the
    record's step: the largest append minute so far, since the clock never runs back (T2).
    """

    rows: dict[str, pd.DataFrame]
    control: pd.DataFrame


def check_log(pieces: Pieces, frames: Mapping[str, pd.DataFrame], control: pd.DataFrame) -> Log:
    """Check the frames and turn append minutes into the clock; sources without a frame have no rows.

    Raises InputError for unknown sources, missing columns or such as the log has itself, nulls in the
    envelope and doubled steps.
    """
    if unknown := sorted(set(frames) - set(pieces.sources)):
        raise InputError(f"frame '{unknown[0]}'", "no such source", "declare it or leave the frame out")
    checked = {}
    for name, source in pieces.sources.items():
        if clash := [column for column in source.columns if column in ENVELOPE]:
            raise InputError(f"source '{name}'", f"the log has a column '{clash[0]}' itself", "rename yours")
        wanted = [*ENVELOPE, *source.columns]
        frame = frames[name] if name in frames else pd.DataFrame(columns=wanted)
        _demand(frame, wanted, f"frame '{name}'")
        if frame[ENVELOPE].drop(columns="mode").isna().to_numpy().any():
            hint = "give every record its step, key and times"
            raise InputError(f"frame '{name}'", "null in the envelope", hint)
        checked[name] = frame
    _demand(control, CONTROL, "control frame")
    return _with_clock(checked, control)


def _demand(frame: pd.DataFrame, columns: list[str], where: str) -> None:
    if missing := [column for column in columns if column not in frame.columns]:
        raise InputError(where, f"column '{missing[0]}' is missing", "read the log with all its columns")


def _with_clock(rows: dict[str, pd.DataFrame], control: pd.DataFrame) -> Log:
    """Replace each record's append minute by the running maximum of its partition."""
    parts = [frame[["partition", "step", "minute"]] for frame in (*rows.values(), control)]
    sizes = np.cumsum([0] + [len(part) for part in parts])
    table = np.concatenate([part.to_numpy(dtype=np.int64).reshape(-1, 3) for part in parts])
    partition, step, minute = table.T
    order = np.lexsort((step, partition))
    same = (np.diff(partition[order]) == 0) & (np.diff(step[order]) == 0)
    if same.any():
        at = order[1:][same][0]
        where = f"partition {partition[at]}"
        raise InputError(where, f"step {step[at]} twice", "number the records densely (T4)")
    clock = np.empty_like(minute)
    clock[order] = pd.Series(minute[order]).groupby(partition[order]).cummax().to_numpy()
    dated = []
    for frame, begin, end in zip((*rows.values(), control), sizes[:-1], sizes[1:], strict=True):
        own = frame.assign(minute=clock[begin:end]).sort_values(["partition", "step"], kind="stable")
        dated.append(own.reset_index(drop=True))
    return Log(dict(zip(rows, dated[:-1], strict=True)), dated[-1])
