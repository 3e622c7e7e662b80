"""A log delivered badly: rows late and out of order, one in ten twice (for the truth tests)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from engine.batch import Batch
from engine.engine import Engine

DELAYED, LONGEST_DELAY = 0.3, 3 * 1440
DUPLICATED, LONGEST_REPEAT = 0.1, 5 * 1440  # minutes, below the duplicate horizon of seven days


def deliver_badly(frames: Mapping[str, pd.DataFrame], seed: int) -> dict[str, pd.DataFrame]:
    """Return the frames of a log in which the same rows arrived shuffled, 10 % of them twice.

    Three rows in ten come up to three days after their event; a repeated row comes up to five days later
    with the same key and position. Steps are dense over all sources, in order of arrival.
    """
    rng = np.random.default_rng(seed)
    parts = []
    for name, frame in frames.items():
        minute = frame["minute"].to_numpy(dtype=np.int64)
        late = rng.random(len(frame)) < DELAYED
        first = minute + np.where(late, rng.integers(0, LONGEST_DELAY, len(frame)), 0)
        twice = np.flatnonzero(rng.random(len(frame)) < DUPLICATED)
        again = first[twice] + rng.integers(0, LONGEST_REPEAT, len(twice))
        places = np.concatenate([np.arange(len(frame)), twice])
        parts.append(
            pd.DataFrame({"source": name, "place": places, "minute": np.concatenate([first, again])})
        )
    arrivals = pd.concat(parts, ignore_index=True)
    arrivals["tie"] = rng.permutation(len(arrivals))
    arrivals = arrivals.sort_values(["minute", "tie"], kind="stable", ignore_index=True)
    arrivals["step"] = np.arange(len(arrivals))
    shuffled = {}
    for name, frame in frames.items():
        own = arrivals[arrivals["source"] == name]
        taken = frame.iloc[own["place"].to_numpy()].reset_index(drop=True)
        shuffled[name] = taken.assign(step=own["step"].to_numpy(), minute=own["minute"].to_numpy())
    return shuffled


def batch_of_frames(frames: Mapping[str, pd.DataFrame], engine: Engine) -> Batch:
    """Return all rows of the frames as one batch of partition 0, in step order."""
    plan, partition = engine.plan, engine.partitions[0]
    count = sum(len(frame) for frame in frames.values())
    batch = Batch.zeros(count, plan.dimensions["row_values"])
    for name, frame in frames.items():
        number, columns = plan.projection[name]
        at = frame["step"].to_numpy(dtype=np.int64)
        batch.source[at] = number
        for field in ("op", "minute", "key_high", "key_low", "epoch", "position", "offset", "event_us"):
            getattr(batch, field)[at] = frame[field].to_numpy(dtype=np.int64)
        codes, ids = pd.factorize(frame["customer"])
        pairs = np.array([np.frombuffer(bytes.fromhex(one), dtype=">i8") for one in ids], dtype=np.int64)
        batch.customer_high[at], batch.customer_low[at] = pairs[codes, 0], pairs[codes, 1]
        for j, column in enumerate(columns):
            values = frame[column]
            if pd.api.types.is_string_dtype(values) or values.dtype == object:
                codes, texts = pd.factorize(values)
                numbers = np.append(partition.encode_texts(list(texts)), 0)[codes]
            else:
                numbers = values.fillna(0).to_numpy(dtype=np.int64)
            batch.values[at, j] = numbers
            batch.nulls[at] |= values.isna().to_numpy().astype(np.int64) << j
    return batch
