"""How each trigger stands: by its declaration, in the log, and what it did in shadow."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.life.gate import past_of_log
from app.log_folder import data_folder, open_log
from app.sending.revocations import Revocations
from app.shop import Shop
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.shadow import Shadow, shadow_in
from sinks.deliveries.switches import asked, reasons_with
from streams.log.log import FILE_NAME
from triggers.past import Past, run_of
from triggers.trigger import Forecast, Trigger
from triggers.version import rule_of, version_of


@dataclass(frozen=True)
class Standing:
    """One trigger. status, version: of its file; in_force: the status in the log, unbroken since that minute
    (None: the log does not know it); rule_in_force: whether the rule there is the file's. shadow_since: from
    which minute on the file's rule ran in shadow (None: it has not); was_live: it was; shadow: its decisions
    there (None: not counted here). forecast: of its file. stopped: why it is switched off (None: it is not).
    """

    name: str
    status: str
    version: str
    in_force: str | None
    since: int | None
    rule_in_force: bool
    shadow_since: int | None
    was_live: bool
    shadow: Shadow | None
    forecast: Forecast | None
    stopped: str | None


def standings(folder: Path, shop: Shop) -> list[Standing]:
    """Return how each trigger stands, by name. It may be asked beside the running shop."""
    data = data_folder(folder, shop)
    past, off = past_and_off(folder, shop)
    return [
        standing_of(name, trigger, past, off.get(f"trigger/{name}"), partial(shadow_in, data))
        for name, trigger in shop.triggers.items()
    ]


def past_and_off(folder: Path, shop: Shop) -> tuple[dict[str, Past], dict[str, str]]:
    """Return the past of the log's triggers, and what is switched off and why; where there is no log yet, no
    past."""
    data = data_folder(folder, shop)
    with contextlib.closing(Ledger(data)) as ledger:
        turned = asked(ledger)
    if not (data / FILE_NAME).exists():
        return {}, reasons_with({}, turned)
    with open_log(folder, shop) as log:
        standing = Revocations(log, time.time)
        standing.refresh(turned)
        return past_of_log(log), standing.reasons()


def standing_of(
    name: str, trigger: Trigger, past: Mapping[str, Past], stopped: str | None,
    shadow: Callable[[str, Sequence[str]], Shadow | None],
) -> Standing:  # fmt: skip
    """Return how a trigger stands, by its declaration. stopped: as in `Standing`; shadow: what it decided in
    shadow in some versions."""
    before, run = past.get(name), run_of(past, name, trigger)
    ran = Shadow() if run is None or run.shadow is None else shadow(name, run.versions)
    return Standing(
        name, trigger.status, version_of(trigger), before.status if before else None,
        before.since if before else None, before is not None and before.rule == rule_of(trigger),
        run.shadow if run else None, run is not None and run.live, ran, trigger.guards.forecast, stopped,
    )  # fmt: skip
