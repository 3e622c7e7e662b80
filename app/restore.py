"""Where a process begins: the newest snapshot that fits, and the log behind it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.replay import Effects, Replay
from app.shop import Shop
from sinks.snapshots import folder as snapshots
from sinks.snapshots.folder import Found
from streams.errors import InputError
from streams.log.log import Log

FOLDER = "snapshots"


def begin(
    log: Log, shop: Shop, data: Path, effects: Effects,
    fits: Callable[[Found], bool] = lambda _: True, say: Callable[[str], None] = lambda _: None,
    apart: bool | None = None,
) -> tuple[Replay, Found | None]:  # fmt: skip
    """Return an engine behind the newest readable snapshot that ``fits``, or an empty one, and that snapshot.

    A snapshot is a saved cache: one that cannot be read, or lies behind the log's end, is passed over and
    ``say`` is told, since the log has it all. Where it has not (`streams.log.begins`), following it with an
    empty engine raises BeginsLate. apart: as of `app.replay.Replay`.
    """
    ends = log.next_steps()
    for found in snapshots.newest(data / FOLDER):
        if any(not log.first_step <= step <= end for step, end in zip(found.steps, ends, strict=True)):
            continue
        if not fits(found):
            continue
        then = Shop.model_validate_json(found.settings)
        replay = Replay(log, then, effects, apart)
        try:
            snapshots.load(found, replay.engine)
        except InputError as unreadable:
            say(f"{unreadable}; going on with an older one, or from the log's beginning")
            continue
        return replay, found
    return Replay(log, shop, effects, apart), None
